package org.dunlin.server.net;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.spi.Connection;
import org.jspecify.annotations.Nullable;

/** Any thread. What all connections of one open listener share. */
final class Listening {
    private final Listener listener;
    private final NettyLoops loops;
    private final Limits limits;
    private final MemoryBudget memory;
    private final Function<Connection, Connection.Inbound> protocol;
    private final AtomicInteger open = new AtomicInteger();

    Listening(
            Listener listener,
            NettyLoops loops,
            Limits limits,
            MemoryBudget memory,
            Function<Connection, Connection.Inbound> protocol) {
        this.listener = listener;
        this.loops = loops;
        this.limits = limits;
        this.memory = memory;
        this.protocol = protocol;
    }

    Listener listener() {
        return listener;
    }

    NettyLoops loops() {
        return loops;
    }

    Limits limits() {
        return limits;
    }

    MemoryBudget memory() {
        return memory;
    }

    Function<Connection, Connection.Inbound> protocol() {
        return protocol;
    }

    /** Connections accepted here whose sockets are open. */
    AtomicInteger open() {
        return open;
    }

    /** "127.0.0.1:53211", "[::1]:53211". */
    static String text(@Nullable SocketAddress address) {
        if (address instanceof InetSocketAddress inet && inet.getAddress() != null) {
            String host = inet.getAddress().getHostAddress();
            return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + inet.getPort();
        }
        return String.valueOf(address);
    }
}
