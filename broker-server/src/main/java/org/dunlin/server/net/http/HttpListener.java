package org.dunlin.server.net.http;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.dunlin.server.http.Service;
import org.dunlin.server.net.Layer;
import org.dunlin.server.net.ListenException;
import org.dunlin.server.net.Transport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A port that speaks HTTP/1.1. Any thread but its own; opening and closing block. It has one event loop for itself and a few
 * workers, so that MQTT's loops never wait for it. Connections, what is read of a request, the requests that wait and the time that
 * one may take to come are bounded.
 */
public final class HttpListener implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HttpListener.class);

    private static final int LINE_BYTES = 8192;
    private static final int HEADER_BYTES = 16 * 1024;
    private static final int CHUNK_BYTES = 8192;
    private static final int WORKERS = 2;
    /** Requests that wait for a worker; what is beyond is answered by 503. */
    private static final int WAITING = 256;

    private static final long STOP_TIMEOUT_MILLIS = 2000;

    private final MultiThreadIoEventLoopGroup group;
    private final ThreadPoolExecutor workers;
    private final ChannelGroup connections;
    private final Channel bound;

    private HttpListener(
            MultiThreadIoEventLoopGroup group, ThreadPoolExecutor workers, ChannelGroup connections, Channel bound) {
        this.group = group;
        this.workers = workers;
        this.connections = connections;
        this.bound = bound;
    }

    /**
     * How to listen.
     *
     * @param name for people: "admin"
     * @param address resolved
     * @param maxConnections at a time
     * @param maxBodyBytes of a request
     * @param layers what lies between the socket and HTTP
     * @param webSocket what a connection becomes whose request the service answers with 101; null for nothing
     */
    public record Settings(
            String name,
            InetSocketAddress address,
            int maxConnections,
            int maxBodyBytes,
            List<Layer> layers,
            @Nullable MqttUpgrade webSocket) {
        public Settings {
            layers = List.copyOf(layers);
        }
    }

    /**
     * Opens the port.
     *
     * @throws ListenException if it cannot be bound; nothing is left running then
     */
    public static HttpListener open(Settings settings, Transport transport, Service service) throws ListenException {
        MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("dunlin-" + settings.name(), true), transport.ioHandlers());
        ChannelGroup connections = new DefaultChannelGroup(group.next());
        ThreadPoolExecutor workers = workers(settings.name());
        ChannelFuture binding = new ServerBootstrap()
                .group(group)
                .channelFactory(transport::serverChannel)
                .option(ChannelOption.SO_REUSEADDR, true)
                .handler(new Door(settings, connections))
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        prepare(channel, settings, workers, service);
                    }

                    @Override
                    public void exceptionCaught(ChannelHandlerContext context, Throwable failure) {
                        LOG.error("Preparing an accepted connection failed", failure);
                        context.close();
                    }
                })
                .bind(settings.address())
                .awaitUninterruptibly();
        Throwable failure = binding.cause();
        if (failure == null) {
            return new HttpListener(group, workers, connections, binding.channel());
        }
        workers.shutdown();
        group.shutdownGracefully(0, STOP_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
        throw ListenException.of(
                settings.name() + ": " + settings.address().getHostString() + " port "
                        + settings.address().getPort(),
                failure,
                false);
    }

    private static ThreadPoolExecutor workers(String name) {
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor workers = new ThreadPoolExecutor(
                WORKERS, WORKERS, 30, TimeUnit.SECONDS, new ArrayBlockingQueue<>(WAITING), task -> {
                    Thread thread = new Thread(task, "dunlin-" + name + "-worker-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        workers.allowCoreThreadTimeOut(true);
        return workers;
    }

    private static void prepare(SocketChannel channel, Settings settings, ThreadPoolExecutor workers, Service service) {
        HttpDecoderConfig bounds = new HttpDecoderConfig()
                .setMaxInitialLineLength(LINE_BYTES)
                .setMaxHeaderSize(HEADER_BYTES)
                .setMaxChunkSize(CHUNK_BYTES);
        boolean secure = false;
        for (Layer layer : settings.layers()) {
            for (ChannelHandler handler : layer.handlers(channel.alloc())) {
                channel.pipeline().addLast(handler);
                secure = true;
            }
        }
        channel.pipeline()
                .addLast(new HttpServerCodec(bounds))
                .addLast(new HttpConnection(service, workers, settings.maxBodyBytes(), secure, settings.webSocket()));
    }

    /** The address that is open. */
    public InetSocketAddress address() {
        return (InetSocketAddress) bound.localAddress();
    }

    /** Thread of the loop only. Lets in as many as there may be. */
    private static final class Door extends ChannelInboundHandlerAdapter {
        private final Settings settings;
        private final ChannelGroup connections;
        private long saidNanos = System.nanoTime() - TimeUnit.MINUTES.toNanos(1);

        Door(Settings settings, ChannelGroup connections) {
            this.settings = settings;
            this.connections = connections;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object accepted) {
            Channel channel = (Channel) accepted;
            if (connections.size() < settings.maxConnections()) {
                connections.add(channel);
                context.fireChannelRead(accepted);
                return;
            }
            channel.unsafe().closeForcibly();
            if (System.nanoTime() - saidNanos >= TimeUnit.MINUTES.toNanos(1)) {
                saidNanos = System.nanoTime();
                LOG.warn("The {} port has {} connections, as many as it takes", settings.name(), connections.size());
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable failure) {
            LOG.warn("The {} port cannot accept a connection: {}", settings.name(), failure.getMessage());
        }
    }

    /** Ends all connections, requests under way included. */
    @Override
    public void close() {
        bound.close().awaitUninterruptibly();
        connections.close().awaitUninterruptibly(STOP_TIMEOUT_MILLIS);
        workers.shutdown();
        group.shutdownGracefully(0, STOP_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)
                .awaitUninterruptibly(2 * STOP_TIMEOUT_MILLIS);
    }
}
