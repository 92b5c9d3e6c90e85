package org.dunlin.server.admin;

import java.util.Map;
import org.dunlin.server.config.Quote;
import org.dunlin.server.http.Request;
import org.jspecify.annotations.Nullable;

/** A request to an {@link Endpoint}, its parameters checked as they are asked for. Any thread. */
final class Call {
    static final int LIMIT_MAX = 1000;
    private static final int LIMIT_USUAL = 100;

    private final Request request;
    private final Map<String, String> variables;
    private final @Nullable Principal by;
    private volatile String subject = "";

    /** @param by null where anybody may ask */
    Call(Request request, Map<String, String> variables, @Nullable Principal by) {
        this.request = request;
        this.variables = Map.copyOf(variables);
        this.by = by;
    }

    Request request() {
        return request;
    }

    @Nullable
    Principal by() {
        return by;
    }

    /** What the audit log says it was about, beside the path; never a secret. */
    void about(String what) {
        subject = what;
    }

    String subject() {
        return subject;
    }

    /** A segment of the path, never empty. */
    String variable(String name) {
        String value = variables.get(name);
        if (value == null) {
            throw new IllegalArgumentException("no {" + name + "} in the template");
        }
        return value;
    }

    /** A parameter of the query, or "" if it is not there. */
    String text(String name) {
        String value = request.parameter(name);
        return value == null ? "" : value;
    }

    /** @throws ApiFault 400 if it is not there */
    String required(String name) throws ApiFault {
        String value = text(name);
        if (value.isEmpty()) {
            throw ApiFault.badRequest("the parameter " + name + " is missing");
        }
        return value;
    }

    boolean flag(String name) throws ApiFault {
        return switch (text(name)) {
            case "true" -> true;
            case "false", "" -> false;
            default -> throw ApiFault.badRequest("the parameter " + name + " is true or false");
        };
    }

    /** Null if it is not there. */
    @Nullable
    Boolean choice(String name) throws ApiFault {
        return text(name).isEmpty() ? null : flag(name);
    }

    long number(String name, long usual, long least, long most) throws ApiFault {
        String value = text(name);
        if (value.isEmpty()) {
            return usual;
        }
        try {
            long number = Long.parseLong(value);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException none) {
            // told below
        }
        throw ApiFault.badRequest(
                "the parameter " + name + " is " + Quote.of(value) + "; allowed: " + least + " to " + most);
    }

    /** Items of a page. */
    int limit() throws ApiFault {
        return (int) number("limit", LIMIT_USUAL, 1, LIMIT_MAX);
    }

    <T> T body(Class<T> type) throws ApiFault {
        return Json.read(request.body(), type);
    }
}
