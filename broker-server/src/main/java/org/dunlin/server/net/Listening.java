package org.dunlin.server.net;

import io.netty.channel.Channel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.spi.Connection;
import org.dunlin.server.share.Addresses;
import org.jspecify.annotations.Nullable;

/** Any thread. What all connections of one open listener share. */
final class Listening {
    private final Listener listener;
    private final NettyLoops loops;
    private final Supplier<Limits> limits;
    private final MemoryBudget memory;
    private final Function<Connection, Connection.Inbound> protocol;
    private final Addresses addresses;
    private final AtomicInteger open = new AtomicInteger();
    private volatile int maxConnections;

    Listening(
            Listener listener,
            NettyLoops loops,
            Supplier<Limits> limits,
            MemoryBudget memory,
            Addresses addresses,
            Function<Connection, Connection.Inbound> protocol) {
        this.listener = listener;
        this.loops = loops;
        this.limits = limits;
        this.memory = memory;
        this.addresses = addresses;
        this.protocol = protocol;
        this.maxConnections = listener.maxConnections();
    }

    Listener listener() {
        return listener;
    }

    /** At a time through this listener, as it counts at the moment. */
    int maxConnections() {
        return maxConnections;
    }

    void maxConnections(int most) {
        maxConnections = most;
    }

    NettyLoops loops() {
        return loops;
    }

    /** As they count at the moment. */
    Limits limits() {
        return limits.get();
    }

    MemoryBudget memory() {
        return memory;
    }

    Function<Connection, Connection.Inbound> protocol() {
        return protocol;
    }

    Addresses addresses() {
        return addresses;
    }

    /** Whether who a peer of that address speaks for is told by its connection. */
    boolean speaksForOthers(InetAddress peer) {
        for (Layer layer : listener.layers()) {
            if (layer.speaksForOthers(peer)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whom a connection is for is known now: counts it for that address, until it is closed.
     *
     * @return null if it may stay; else why not: it has to be closed then
     */
    Addresses.@Nullable Refusal enter(Channel channel, InetAddress from) {
        Addresses.Refusal refusal = addresses.enter(from);
        if (refusal == null) {
            channel.closeFuture().addListener(closed -> addresses.leave(from));
        }
        return refusal;
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
