package org.dunlin.server.http;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The answer to a request. Immutable but for its body; any thread.
 *
 * @param headers beside length and type, by name
 * @param events if there is one the body never ends: the function is told where events go, once, when the headers are sent
 */
public record Response(
        int status,
        String contentType,
        Map<String, String> headers,
        byte[] body,
        @Nullable Consumer<Events> events) {
    public static final String TEXT = "text/plain; charset=utf-8";
    public static final String JSON = "application/json";

    public static final String EVENTS = "text/event-stream";

    public Response {
        headers = Map.copyOf(headers);
    }

    public static Response of(int status, String contentType, byte[] body) {
        return new Response(status, contentType, Map.of(), body, null);
    }

    public static Response text(int status, String text) {
        return of(status, TEXT, (text + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /** Server-Sent Events. @param begin told where they go; called by any thread */
    public static Response events(Consumer<Events> begin) {
        return new Response(200, EVENTS, Map.of("cache-control", "no-store"), new byte[0], begin);
    }

    public Response with(String header, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(header, value);
        return new Response(status, contentType, more, body, events);
    }

    /** Where events go that a peer waits for. Any thread. */
    public interface Events {
        /**
         * Sends an event.
         *
         * @param data without line ends
         * @return false if it is left out, since the peer is gone or does not take what it was sent
         */
        boolean send(String type, String data);

        /** Runs a short task when the peer is gone; at once if it is already. */
        void whenClosed(Runnable task);

        /** Ends it. */
        void close();
    }
}
