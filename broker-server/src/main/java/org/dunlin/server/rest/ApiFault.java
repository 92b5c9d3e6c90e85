package org.dunlin.server.rest;

import java.util.LinkedHashMap;
import java.util.Map;
import org.dunlin.server.http.Response;

/** A request that is not carried out; the message says why and what to do. */
public final class ApiFault extends Exception {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final transient Map<String, String> headers = new LinkedHashMap<>();

    /** @param status of HTTP, 400 or more */
    public ApiFault(int status, String message) {
        super(message, null, false, false);
        this.status = status;
    }

    /** 400. */
    public static ApiFault badRequest(String message) {
        return new ApiFault(400, message);
    }

    /** 404. */
    public static ApiFault notFound(String message) {
        return new ApiFault(404, message);
    }

    /** The answer has that header, too. */
    public ApiFault with(String header, String value) {
        headers.put(header, value);
        return this;
    }

    public int status() {
        return status;
    }

    /** What its sender gets. */
    public Response response() {
        Response response = Json.response(status, new Problem(status, String.valueOf(getMessage())));
        for (Map.Entry<String, String> header : headers.entrySet()) {
            response = response.with(header.getKey(), header.getValue());
        }
        return response;
    }

    /** The same as an exception that a later step may throw. */
    public Later later() {
        return new Later(this);
    }

    /** An {@link ApiFault} that comes up when nobody can be thrown at any more. */
    public static final class Later extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final transient ApiFault fault;

        private Later(ApiFault fault) {
            super(fault.getMessage(), null, false, false);
            this.fault = fault;
        }

        public ApiFault fault() {
            return fault;
        }
    }

    /** What the body of such an answer is. */
    public record Problem(int status, String error) {}
}
