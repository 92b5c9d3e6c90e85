package org.dunlin.server.net;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandler;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.util.AttributeKey;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * What lies between the socket and MQTT. Thread of the channel's loop, which may become another one after CONNECT. Bytes
 * of MQTT go through the pipeline as {@link io.netty.buffer.ByteBuf}; what a layer and MQTT tell each other are the events
 * here.
 */
public interface Layer {
    /** New handlers for one channel, in the order in which its bytes come through them. Must not block. */
    List<ChannelHandler> handlers(ByteBufAllocator allocator);

    /** Makes no handlers any more, and lets go of what they are made with; those that are there go on. */
    default void close() {}

    /**
     * Fired by a layer that has learnt who the peer really is, before any of its bytes.
     *
     * @param address in place of the socket's
     */
    record Peer(InetSocketAddress address) {}

    /** The same, for layers that come into the pipeline later; nothing as long as it is the socket's. */
    AttributeKey<InetSocketAddress> PEER = AttributeKey.valueOf(Layer.class, "peer");

    /**
     * Whether peers of that address speak for others: then who it is that connects is known only from what the layer reads, and
     * counts for its address from then on ({@link Listening#enter}).
     */
    default boolean speaksForOthers(InetAddress peer) {
        return false;
    }

    /** Fired before the output is shut down, for layers that have a farewell of their own. */
    enum Goodbye {
        INSTANCE
    }

    /** Fired by a layer when its peer has said that it sends no more. */
    enum EndOfInput {
        INSTANCE;

        /** Whether an event says so: of the socket, of TLS by close_notify, or of a layer above. */
        static boolean is(Object event) {
            return event == ChannelInputShutdownEvent.INSTANCE
                    || event == INSTANCE
                    || (event instanceof SslCloseCompletionEvent tls && tls.isSuccess());
        }
    }

    /**
     * Fired by a layer whose peer broke its rules: nothing more comes from it. What the peer is owed is written, then the
     * layers say goodbye.
     *
     * @param what a few words for the log
     */
    record Violated(String what) {}
}
