package org.dunlin.server.net;

import java.util.List;

/**
 * Where connections are accepted. Any thread.
 *
 * @param name as in the configuration, for people and metrics
 * @param host address or host name to bind to
 * @param port 1 to 65,535; 0 for a free one
 * @param backlog connections that the system completes before they are accepted
 * @param maxConnections at a time through this listener, 1 or more
 * @param layers what lies between the socket and MQTT (TLS, WebSocket), the one at the socket first; none for MQTT right
 *     on TCP
 */
public record Listener(String name, String host, int port, int backlog, int maxConnections, List<Layer> layers) {

    public static final int DEFAULT_BACKLOG = 1024;

    public Listener {
        layers = List.copyOf(layers);
    }

    /** MQTT right on TCP, as many connections as the broker takes. */
    public static Listener tcp(String name, String host, int port) {
        return new Listener(name, host, port, DEFAULT_BACKLOG, Integer.MAX_VALUE, List.of());
    }
}
