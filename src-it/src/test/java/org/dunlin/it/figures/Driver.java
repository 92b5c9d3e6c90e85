package org.dunlin.it.figures;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Many connections on few threads. Connections come from several addresses of the loopback network in turn, since one has no more
 * than some 28,000 ports. Any thread.
 */
final class Driver implements AutoCloseable {
    private static final int ADDRESSES = 64;
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    private final EventLoopGroup loops;
    private final int threads;
    private final AtomicInteger connections = new AtomicInteger();
    private final AtomicReference<String> fault = new AtomicReference<>();

    Driver(int threads) {
        this.threads = threads;
        this.loops = new MultiThreadIoEventLoopGroup(
                threads, Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    }

    int threads() {
        return threads;
    }

    /** The loops in turn. */
    EventLoop loop() {
        return loops.next();
    }

    void connect(EventLoop loop, Door door, int lane, Peer peer) {
        int source = 1 + connections.getAndIncrement() % ADDRESSES;
        new Bootstrap()
                .group(loop)
                .channel(Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) DEADLINE.toMillis())
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        door.open(channel.pipeline(), lane);
                        channel.pipeline().addLast(peer);
                    }
                })
                .connect(new InetSocketAddress("127.0.0.1", door.port()), new InetSocketAddress("127.0.0." + source, 0))
                .addListener(done -> {
                    if (!done.isSuccess()) {
                        peer.unreachable(done.cause());
                    }
                });
    }

    /** Something that must not happen: the run is worth nothing. The first counts. */
    void fail(String what) {
        fault.compareAndSet(null, what);
    }

    /** @throws IllegalStateException if something has failed */
    void verify() {
        String what = fault.get();
        if (what != null) {
            throw new IllegalStateException(what);
        }
    }

    /** Waits for it, and then verifies. */
    <T> T await(CompletableFuture<T> future, String what) {
        return await(future, what, DEADLINE);
    }

    <T> T await(CompletableFuture<T> future, String what, Duration deadline) {
        long end = System.nanoTime() + deadline.toNanos();
        while (true) {
            verify();
            try {
                T result = future.get(100, TimeUnit.MILLISECONDS);
                verify();
                return result;
            } catch (TimeoutException notYet) {
                if (System.nanoTime() > end) {
                    throw new IllegalStateException("not within " + deadline.toSeconds() + " s: " + what, notYet);
                }
            } catch (InterruptedException | ExecutionException e) {
                throw new IllegalStateException(what, e);
            }
        }
    }

    /**
     * Whether that many connections can be had here, by what the system allows a process to open.
     *
     * @return null if they can, else what to do
     */
    static @Nullable String unfit(int clients) throws IOException {
        Path limits = Path.of("/proc/self/limits");
        if (!Files.exists(limits)) {
            return null;
        }
        for (String line : Files.readAllLines(limits)) {
            String[] words = line.split(" {2,}");
            if (words[0].equals("Max open files") && !words[2].equals("unlimited")) {
                long files = Long.parseLong(words[2]);
                int wanted = clients + clients / 32 + 512;
                if (files < wanted) {
                    return clients + " clients need " + wanted + " open files in broker and driver, and " + files
                            + " are allowed; run 'ulimit -n " + wanted + "' in the shell first, or take fewer clients";
                }
            }
        }
        return null;
    }

    @Override
    public void close() {
        loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
