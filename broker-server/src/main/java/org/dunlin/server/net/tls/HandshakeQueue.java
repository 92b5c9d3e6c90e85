package org.dunlin.server.net.tls;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.net.InetSocketAddress;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.dunlin.server.net.Layer;
import org.dunlin.server.share.AddressBlock;
import org.dunlin.server.share.FairQueue;
import org.jspecify.annotations.Nullable;

/**
 * Any thread. One listener's part of the threads for handshakes: a crowd at its door leaves room for the others', and within it the
 * addresses take turns, so that a crowd of one address leaves room for the others at the same door.
 */
final class HandshakeQueue {
    private final Executor threads;
    private final Room shared;
    private final int most;
    private final FairQueue<Step> queue = new FairQueue<>(step -> Integer.MAX_VALUE, this::ready);

    /** For steps of all listeners. Any thread. */
    static final class Room {
        private final int most;
        private final AtomicInteger waiting = new AtomicInteger();

        Room(int most) {
            this.most = most;
        }
    }

    /** @param channel whose handshake it is of */
    private record Step(Channel channel, Runnable work) {}

    /**
     * @param threads with a queue that has no bound of its own
     * @param most steps of this listener that may wait at a time
     */
    HandshakeQueue(Executor threads, Room shared, int most) {
        this.threads = threads;
        this.shared = shared;
        this.most = most;
    }

    private void ready() {
        threads.execute(this::next);
    }

    private void next() {
        FairQueue.Taken<Step> taken = queue.take();
        if (taken == null) {
            return;
        }
        shared.waiting.decrementAndGet();
        try {
            Step step = taken.work();
            if (step.channel.isOpen()) { // else nobody waits for it
                step.work.run();
            }
        } finally {
            queue.done(taken);
        }
    }

    /** What computes the steps of one channel; stands before TLS in its pipeline. */
    Steps steps() {
        return new Steps();
    }

    private void add(Channel channel, Runnable work) {
        if (shared.waiting.incrementAndGet() > shared.most
                || !queue.offer(source(channel), new Step(channel, work), most)) {
            shared.waiting.decrementAndGet();
            throw new RejectedExecutionException("too many steps of handshakes wait, in all or of this address");
        }
    }

    private static Object source(Channel channel) {
        InetSocketAddress told = channel.attr(Layer.PEER).get();
        Object address = told == null ? channel.remoteAddress() : told;
        return address instanceof InetSocketAddress inet && inet.getAddress() != null
                ? AddressBlock.source(inet.getAddress())
                : "unknown";
    }

    /**
     * Thread of the channel's loop. The steps of one channel. While one is computed, what the client has sent behind it
     * waits undecoded, and Netty would drop that at the end of the socket: so the end waits, too.
     */
    final class Steps extends ChannelInboundHandlerAdapter implements Executor {
        private @Nullable ChannelHandlerContext ctx;
        private int underWay;
        private boolean ended;

        @Override
        public void handlerAdded(ChannelHandlerContext context) {
            ctx = context;
        }

        @Override
        public void execute(Runnable work) {
            ChannelHandlerContext context = ctx;
            if (context == null) {
                throw new RejectedExecutionException("there is no channel");
            }
            add(context.channel(), () -> {
                try {
                    work.run();
                } finally {
                    onLoop(context);
                }
            });
            underWay++;
        }

        /** Behind what the step has left for the loop itself: to take it, and what has come meanwhile. */
        private void onLoop(ChannelHandlerContext context) {
            try {
                context.channel().eventLoop().execute(() -> taken(context));
            } catch (RejectedExecutionException stopped) {
                // with all its channels
            }
        }

        private void taken(ChannelHandlerContext context) {
            if (!context.channel().eventLoop().inEventLoop()) { // what has been taken sends it to another loop
                onLoop(context);
                return;
            }
            underWay--;
            if (ended && underWay == 0) {
                ended = false;
                context.fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event == ChannelInputShutdownEvent.INSTANCE && underWay > 0) {
                ended = true;
            } else {
                context.fireUserEventTriggered(event);
            }
        }
    }
}
