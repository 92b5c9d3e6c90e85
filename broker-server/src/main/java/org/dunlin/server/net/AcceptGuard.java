package org.dunlin.server.net;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.server.share.Addresses;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Thread of the listening channel's loop only. What is decided when a connection is accepted: whether there is room for it
 * and its address may have it, and what to do when the system has no file descriptor left.
 */
final class AcceptGuard extends ChannelInboundHandlerAdapter {
    private static final Logger log = LoggerFactory.getLogger(AcceptGuard.class);

    /** An accept that fails is tried again after that long: the connection still waits, so the loop would spin. */
    static final long PAUSE_MILLIS = 500;

    private final Listening listening;
    private final AtomicInteger open;
    private final BrokerEvents events;
    /** One for all connections. */
    private final ChannelFutureListener closed;
    /** As {@link #closed}, for those whose address is counted: Netty takes 72 bytes for the second listener of a channel. */
    private final ChannelFutureListener closedAndLeft;

    private boolean failing;

    AcceptGuard(Listening listening, AtomicInteger open, BrokerEvents events) {
        this.listening = listening;
        this.open = open;
        this.events = events;
        closed = future -> {
            open.decrementAndGet();
            listening.open().decrementAndGet();
        };
        closedAndLeft = future -> {
            closed.operationComplete(future);
            InetAddress from = addressOf(future.channel());
            assert from != null : "Netty keeps what it has told before";
            listening.addresses().leave(from);
        };
    }

    private static @Nullable InetAddress addressOf(Channel accepted) {
        return accepted.remoteAddress() instanceof InetSocketAddress inet ? inet.getAddress() : null;
    }

    /**
     * Sockets that may be open beyond the broker's connections, each for the connect timeout at most: who they are, and
     * whether one takes the place of its own stale connection, is known only from their CONNECT.
     */
    static int handshakes(int maxConnections) {
        return 16 + maxConnections / 64;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object accepted) {
        Channel channel = (Channel) accepted;
        failing = false;
        int here = listening.open().incrementAndGet();
        int all = open.incrementAndGet();
        InetAddress from = addressOf(channel);
        Addresses.Refusal refusal = full(here, all);
        if (refusal == null) {
            refusal = refused(from);
        }
        if (refusal == null) {
            boolean counted = from != null && !listening.speaksForOthers(from);
            channel.closeFuture().addListener(counted ? closedAndLeft : closed);
            context.fireChannelRead(accepted);
            return;
        }
        String peer = Listening.text(channel.remoteAddress());
        // It has never been registered: nobody but us will say that it is closed.
        channel.unsafe().closeForcibly();
        listening.open().decrementAndGet();
        open.decrementAndGet();
        events.refused(
                new BrokerEvents.Peer(null, null, peer, listening.listener().name(), null),
                refusal.reason(),
                refusal.detail());
    }

    private Addresses.@Nullable Refusal full(int here, int all) {
        int most = listening.maxConnections();
        if (here > most) {
            return new Addresses.Refusal(
                    ReasonCode.QUOTA_EXCEEDED,
                    "the listener has " + most + " connections, as many as it takes; see its max-connections");
        }
        int maxConnections = listening.limits().maxConnections();
        return all <= maxConnections + handshakes(maxConnections)
                ? null
                : new Addresses.Refusal(
                        ReasonCode.QUOTA_EXCEEDED,
                        "the broker has " + maxConnections + " connections, as many as it takes; see"
                                + " limits.max-connections");
    }

    /** By where it comes from. Whom a proxy speaks for is asked when it has said so. */
    private Addresses.@Nullable Refusal refused(@Nullable InetAddress from) {
        return from == null || listening.speaksForOthers(from)
                ? listening.addresses().accept()
                : listening.addresses().acceptFrom(from);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable failure) {
        Channel channel = context.channel();
        if (!(failure instanceof IOException)) { // not the system's word
            listening.loops().failures().report("Accepting a connection failed", failure);
        }
        if (!failing) {
            failing = true;
            log.warn(
                    "Listener {} cannot accept connections: {}. It tries again every {} ms; raise the limit of open files"
                            + " if that is what it says",
                    listening.listener().name(),
                    failure.getMessage(),
                    PAUSE_MILLIS);
        }
        if (channel.config().isAutoRead()) {
            channel.config().setAutoRead(false);
            channel.eventLoop().schedule(() -> channel.config().setAutoRead(true), PAUSE_MILLIS, TimeUnit.MILLISECONDS);
        }
    }
}
