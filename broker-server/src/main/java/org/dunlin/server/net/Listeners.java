package org.dunlin.server.net;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.SocketChannel;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.core.spi.Connection;
import org.dunlin.server.share.Addresses;

/** Any thread but a loop: opening and closing block. All open listeners of a broker and the connections accepted there. */
public final class Listeners implements AutoCloseable {
    private static final int MAX_READS_A_TURN = 16;
    private static final int SMALLEST_READ_BYTES = 64;
    private static final int FIRST_READ_BYTES = 2048;
    /** Some large packets fit whole: one that comes in pieces is copied together. */
    private static final int LARGEST_READ_BYTES = 256 * 1024;
    /** A connection takes {@link MqttChannelHandler#LINGER_MILLIS} to close at most; loops may be busy before. */
    private static final long WAIT_MAX_MILLIS = 2 * (MqttChannelHandler.LINGER_MILLIS + 1000);

    private final NettyLoops loops;
    private volatile Limits limits;
    private volatile WriteBufferWaterMark slow = WriteBufferWaterMark.DEFAULT;
    private final MemoryBudget memory;
    private final Addresses addresses;
    private final BrokerEvents events;
    private final Function<Connection, Connection.Inbound> protocol;
    private final AtomicInteger open = new AtomicInteger();
    private final List<Channel> bound = new ArrayList<>();
    private final List<Listening> listenings = new ArrayList<>();

    /** @param protocol makes the one who is told of a connection, on the connection's loop and before it is read from */
    public Listeners(
            NettyLoops loops,
            Limits limits,
            MemoryBudget memory,
            Addresses addresses,
            BrokerEvents events,
            Function<Connection, Connection.Inbound> protocol) {
        this.loops = loops;
        this.limits = limits;
        this.memory = memory;
        this.addresses = addresses;
        this.events = events;
        this.protocol = protocol;
    }

    /**
     * Opens a listener.
     *
     * @return the address with the port it has got
     * @throws ListenException if it cannot be bound
     */
    public synchronized InetSocketAddress open(Listener listener) throws ListenException {
        Listening listening = new Listening(listener, loops, () -> limits, memory, addresses, protocol);
        InetSocketAddress address = new InetSocketAddress(listener.host(), listener.port());
        if (address.isUnresolved()) {
            throw new ListenException(
                    "listener " + listener.name() + ": the host name " + listener.host()
                            + " is unknown here; bind to an address of this machine",
                    false,
                    new BindException("unresolved"));
        }
        ChannelFuture binding = bootstrap(listening).bind(address).awaitUninterruptibly();
        Throwable failure = binding.cause();
        if (failure != null) {
            throw ListenException.of(
                    "listener " + listener.name() + ": " + listener.host() + " port " + listener.port(),
                    failure,
                    ownOn(listener.port()));
        }
        bound.add(binding.channel());
        listenings.add(listening);
        return (InetSocketAddress) binding.channel().localAddress();
    }

    private ServerBootstrap bootstrap(Listening listening) {
        // One for all channels: each would get one of its own.
        RecvByteBufAllocator receive = new AdaptiveRecvByteBufAllocator(
                        SMALLEST_READ_BYTES, FIRST_READ_BYTES, LARGEST_READ_BYTES)
                .maxMessagesPerRead(MAX_READS_A_TURN);
        return new ServerBootstrap()
                .group(loops.group())
                .channelFactory(loops.transport()::serverChannel)
                .option(ChannelOption.SO_BACKLOG, listening.listener().backlog())
                .option(ChannelOption.SO_REUSEADDR, true)
                .handler(new AcceptGuard(listening, open, events))
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childOption(ChannelOption.RECVBUF_ALLOCATOR, receive)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        try {
                            channel.config().setWriteBufferWaterMark(slow());
                            for (Layer layer : listening.listener().layers()) {
                                layer.handlers(channel.alloc()).forEach(channel.pipeline()::addLast);
                            }
                            channel.pipeline().addLast(new MqttChannelHandler(listening));
                        } catch (Throwable e) {
                            loops.failures().report("Preparing an accepted connection failed", e);
                            channel.close();
                        }
                    }
                });
    }

    /** As limits are at the moment; the same for all connections. */
    private WriteBufferWaterMark slow() {
        int bytes = limits.outboundBufferBytes();
        WriteBufferWaterMark known = slow;
        if (known.high() != bytes) {
            known = new WriteBufferWaterMark(bytes / 2, bytes);
            slow = known;
        }
        return known;
    }

    /** Whether a listener of ours has that port: on all addresses, perhaps, which stands in the way of a single one. */
    private boolean ownOn(int port) {
        for (Channel channel : bound) {
            if (((InetSocketAddress) channel.localAddress()).getPort() == port) {
                return true;
            }
        }
        return false;
    }

    /**
     * Other limits count from now on. Connections that are there stay.
     *
     * @param ofListeners how many connections each may have, in the order in which they were opened
     */
    public synchronized void limits(Limits next, Addresses.Bounds ofAddresses, List<Integer> ofListeners) {
        limits = next;
        addresses.bounds(ofAddresses);
        for (int i = 0; i < listenings.size(); i++) {
            listenings.get(i).maxConnections(ofListeners.get(i));
        }
    }

    /** The addresses that are open. */
    public synchronized List<SocketAddress> addresses() {
        List<SocketAddress> addresses = new ArrayList<>();
        for (Channel channel : bound) {
            addresses.add(channel.localAddress());
        }
        return addresses;
    }

    /**
     * A way in for channels that have come by a port which is none of these, and were let in there.
     *
     * @param listener for its name; its address is of no matter
     */
    public Adoption adoption(Listener listener) {
        return new Adoption(new Listening(listener, loops, () -> limits, memory, addresses, protocol));
    }

    /** Any thread. Makes a channel one of these: it moves to a loop of MQTT, and is MQTT's from then on. */
    public final class Adoption {
        private final Listening listening;

        private Adoption(Listening listening) {
            this.listening = listening;
        }

        /**
         * Takes over a channel whose input is held. On its loop.
         *
         * @param arrived run on the new loop, before anything is read there; readies the pipeline for the handler of MQTT, which
         *     comes last and is told by {@code fireChannelActive} when all is ready
         */
        public void take(Channel channel, Runnable arrived) {
            open.incrementAndGet();
            channel.closeFuture().addListener(closed -> open.decrementAndGet());
            EventLoop target = loops.group().next();
            channel.deregister().addListener(left -> {
                ChannelPromise registered = new DefaultChannelPromise(channel, target);
                registered.addListener(done -> {
                    if (done.isSuccess()) {
                        options(channel);
                        channel.pipeline().addLast(new MqttChannelHandler(listening));
                        arrived.run();
                    } else {
                        channel.close();
                    }
                });
                target.register(registered);
            });
        }

        private void options(Channel channel) {
            channel.config().setOption(ChannelOption.SO_KEEPALIVE, true);
            channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
            channel.config().setOption(ChannelOption.WRITE_BUFFER_WATER_MARK, slow());
        }
    }

    /**
     * How a listener stands.
     *
     * @param connections sockets that are open
     */
    public record Status(String name, InetSocketAddress address, int connections) {}

    /** All that are open, in the order in which they were opened; none once it accepts no more. */
    public synchronized List<Status> status() {
        List<Status> status = new ArrayList<>();
        for (int i = 0; i < bound.size(); i++) {
            Listening listening = listenings.get(i);
            status.add(new Status(
                    listening.listener().name(),
                    (InetSocketAddress) bound.get(i).localAddress(),
                    listening.open().get()));
        }
        return status;
    }

    /** Connections whose sockets are open, those that are being closed included. */
    public int connections() {
        return open.get();
    }

    /** No new connections from now on; those there are stay. */
    public synchronized void stopAccepting() {
        for (Channel channel : bound) {
            channel.close().awaitUninterruptibly();
        }
        bound.clear();
    }

    /** Stops accepting, then closes all connections, what they were sent written out; waits for that some seconds. */
    @Override
    public void close() {
        close(WAIT_MAX_MILLIS);
    }

    /** As {@link #close()}, but waits no longer than that, 0 or more; what is left then ends with the loops. */
    public void close(long timeoutMillis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Math.min(timeoutMillis, WAIT_MAX_MILLIS));
        stopAccepting();
        CountDownLatch told = new CountDownLatch(loops.all().size());
        for (NettyLoop loop : loops.all()) {
            loop.execute(() -> {
                loop.closeConnections();
                told.countDown();
            });
        }
        try {
            told.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
            while (open.get() > 0 && System.nanoTime() - deadline < 0) {
                TimeUnit.MILLISECONDS.sleep(5);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
