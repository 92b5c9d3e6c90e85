package org.dunlin.server.net;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SingleThreadIoEventLoop;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.RejectedExecutionHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.dunlin.server.trace.Traces;

/** Any thread. The event loops of one broker, started with it and stopped last. */
public final class NettyLoops implements AutoCloseable {
    private static final long STOP_TIMEOUT_MILLIS = 5000;

    private final Transport transport;
    private final MultiThreadIoEventLoopGroup group;
    private final Failures failures;
    private final List<NettyLoop> loops;
    private final Traces traces = new Traces(this::retap);
    private volatile boolean closing;

    /**
     * @param count threads, 1 or more
     * @param nowMillis one clock for all loops, so that deadlines compare across them
     */
    public NettyLoops(Transport transport, int count, LongSupplier nowMillis) {
        this(transport, count, nowMillis, Failures.ofTheProcess(), TurnClock.LONG_NANOS);
    }

    /** @param turnNanos how long a turn goes on with what could wait for the next one */
    NettyLoops(Transport transport, int count, LongSupplier nowMillis, Failures failures, long turnNanos) {
        this.transport = transport;
        this.failures = failures;
        group = group(count, transport.ioHandlers());
        List<NettyLoop> made = new ArrayList<>(count);
        for (EventExecutor executor : group) {
            made.add(new NettyLoop((EventLoop) executor, nowMillis, failures, turnNanos));
            executor.terminationFuture().addListener(ended -> {
                if (!closing) {
                    failures.loopEnded();
                }
            });
        }
        loops = List.copyOf(made);
        loops.forEach(NettyLoop::measure);
    }

    /** By itself Netty lets tasks run for a second before it looks at sockets again, and ends the turn. */
    private static MultiThreadIoEventLoopGroup group(int count, IoHandlerFactory ioHandlers) {
        return new MultiThreadIoEventLoopGroup(count, new DefaultThreadFactory("dunlin-loop"), ioHandlers) {
            @Override
            protected IoEventLoop newChild(Executor executor, IoHandlerFactory handlers, Object... none) {
                return new SingleThreadIoEventLoop(
                        this,
                        executor,
                        handlers,
                        Integer.MAX_VALUE,
                        RejectedExecutionHandlers.reject(),
                        TimeUnit.NANOSECONDS.toMillis(TurnClock.LONG_NANOS));
            }
        };
    }

    public Transport transport() {
        return transport;
    }

    public List<NettyLoop> all() {
        return loops;
    }

    /** What all loops have read and written since the start. Any thread. */
    public Traffic.Reading traffic() {
        return Traffic.Reading.sum(loops);
    }

    /** Memory that connections have for what they read and write, by whole chunks of the allocator. Any thread. */
    public long bufferBytes() {
        return ((ByteBufAllocatorMetricProvider) ByteBufAllocator.DEFAULT)
                .metric()
                .usedDirectMemory();
    }

    /** Who looks at the packets of connections. */
    public Traces traces() {
        return traces;
    }

    private void retap() {
        for (NettyLoop loop : loops) {
            loop.execute(loop::retap);
        }
    }

    Failures failures() {
        return failures;
    }

    /** The group that accepted channels are spread over. */
    MultiThreadIoEventLoopGroup group() {
        return group;
    }

    NettyLoop of(EventLoop eventLoop) {
        for (NettyLoop loop : loops) {
            if (loop.eventLoop() == eventLoop) {
                return loop;
            }
        }
        throw new IllegalArgumentException("a foreign event loop");
    }

    /** Ends the threads; what they still hold is closed, what was still to be done is not. Blocks; not on a loop. */
    @Override
    public void close() {
        closing = true;
        group.shutdownGracefully(0, STOP_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)
                .awaitUninterruptibly(2 * STOP_TIMEOUT_MILLIS);
    }
}
