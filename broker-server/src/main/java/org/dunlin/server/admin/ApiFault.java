package org.dunlin.server.admin;

import java.util.LinkedHashMap;
import java.util.Map;
import org.dunlin.server.http.Response;

/** A request that is not carried out; the message says why and what to do. */
final class ApiFault extends Exception {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final transient Map<String, String> headers = new LinkedHashMap<>();

    /** @param status of HTTP, 400 or more */
    ApiFault(int status, String message) {
        super(message, null, false, false);
        this.status = status;
    }

    static ApiFault badRequest(String message) {
        return new ApiFault(400, message);
    }

    static ApiFault notFound(String message) {
        return new ApiFault(404, message);
    }

    /** The answer has that header, too. */
    ApiFault with(String header, String value) {
        headers.put(header, value);
        return this;
    }

    int status() {
        return status;
    }

    Response response() {
        Response response = Json.response(status, new Problem(status, String.valueOf(getMessage())));
        for (Map.Entry<String, String> header : headers.entrySet()) {
            response = response.with(header.getKey(), header.getValue());
        }
        return response;
    }

    /** What the body of such an answer is. */
    record Problem(int status, String error) {}
}
