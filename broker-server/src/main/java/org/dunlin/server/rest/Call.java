package org.dunlin.server.rest;

import java.util.Map;
import org.dunlin.server.config.Quote;
import org.dunlin.server.http.Request;
import org.jspecify.annotations.Nullable;

/** A request to an {@link Endpoint}, its parameters checked as they are asked for. Any thread. */
public final class Call {
    public static final int LIMIT_MAX = 1000;
    private static final int LIMIT_USUAL = 100;

    private final Request request;
    private final Map<String, String> variables;
    private final @Nullable Principal by;
    private volatile String subject = "";

    /** @param by null where anybody may ask */
    public Call(Request request, Map<String, String> variables, @Nullable Principal by) {
        this.request = request;
        this.variables = Map.copyOf(variables);
        this.by = by;
    }

    public Request request() {
        return request;
    }

    public @Nullable Principal by() {
        return by;
    }

    /** What the audit log says it was about, beside the path; never a secret. */
    public void about(String what) {
        subject = what;
    }

    public String subject() {
        return subject;
    }

    /** A segment of the path, never empty. */
    public String variable(String name) {
        String value = variables.get(name);
        if (value == null) {
            throw new IllegalArgumentException("no {" + name + "} in the template");
        }
        return value;
    }

    /** A parameter of the query, or "" if it is not there. */
    public String text(String name) {
        String value = request.parameter(name);
        return value == null ? "" : value;
    }

    /** @throws ApiFault 400 if it is not there */
    public String required(String name) throws ApiFault {
        String value = text(name);
        if (value.isEmpty()) {
            throw ApiFault.badRequest("the parameter " + name + " is missing");
        }
        return value;
    }

    public boolean flag(String name) throws ApiFault {
        return switch (text(name)) {
            case "true" -> true;
            case "false", "" -> false;
            default -> throw ApiFault.badRequest("the parameter " + name + " is true or false");
        };
    }

    /** Null if it is not there. */
    public @Nullable Boolean choice(String name) throws ApiFault {
        return text(name).isEmpty() ? null : flag(name);
    }

    /** @throws ApiFault 400 if it is none, or outside of its bounds */
    public long number(String name, long usual, long least, long most) throws ApiFault {
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
    public int limit() throws ApiFault {
        return (int) number("limit", LIMIT_USUAL, 1, LIMIT_MAX);
    }

    /** @throws ApiFault 400 if it does not fit */
    public <T> T body(Class<T> type) throws ApiFault {
        return Json.read(request.body(), type);
    }
}
