package org.dunlin.it;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A network on 127.0.0.1 that breaks: forwards bytes to the broker and back, and cuts a connection after a number of bytes in
 * one of the directions, or when it is told. Any thread.
 */
public final class CuttingProxy implements AutoCloseable {
    private final ServerSocket server;
    private final int brokerPort;
    private final Random random;
    private final Set<Link> links = ConcurrentHashMap.newKeySet();
    private final AtomicInteger cuts = new AtomicInteger();
    /** Most bytes until a cut; 0 if it cuts only when it is told. */
    private volatile int mostBytes;

    private CuttingProxy(int brokerPort, long seed) {
        try {
            server = new ServerSocket();
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        this.brokerPort = brokerPort;
        this.random = new Random(seed);
        start("proxy-accept", this::accept);
    }

    /** One that cuts only when it is told. */
    public static CuttingProxy to(int brokerPort) {
        return new CuttingProxy(brokerPort, 0);
    }

    /** One whose cuts follow from the seed and the bytes that pass, once {@link #cutWithin(int)} has been called. */
    public static CuttingProxy to(int brokerPort, long seed) {
        return new CuttingProxy(brokerPort, seed);
    }

    public int port() {
        return server.getLocalPort();
    }

    /** How often it has cut by itself. */
    public int cuts() {
        return cuts.get();
    }

    /** Connections from now on are cut after at most so many bytes; 0 ends that. */
    public void cutWithin(int bytes) {
        mostBytes = bytes;
    }

    /** Resets all connections now. */
    public void cut() {
        for (Link link : links) {
            link.end(true, true);
        }
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket client = server.accept();
                int most = mostBytes;
                // small numbers as likely as large ones: the first packets of a connection are the interesting ones
                int toBroker = most == 0 ? Integer.MAX_VALUE : 1 + random.nextInt(1 + random.nextInt(most));
                int toClient = most == 0 ? Integer.MAX_VALUE : 1 + random.nextInt(1 + random.nextInt(most));
                new Link(client, toBroker, toClient, random.nextBoolean(), random.nextBoolean()).start();
            } catch (IOException e) {
                // closed, or the broker does not accept, which the client sees by itself
            }
        }
    }

    private static void start(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() {
        try {
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        cut();
    }

    private final class Link {
        private final Socket client;
        private final Socket broker = new Socket();
        private final int toBroker;
        private final int toClient;
        private final boolean resetClient;
        private final boolean resetBroker;

        Link(Socket client, int toBroker, int toClient, boolean resetClient, boolean resetBroker) {
            this.client = client;
            this.toBroker = toBroker;
            this.toClient = toClient;
            this.resetClient = resetClient;
            this.resetBroker = resetBroker;
        }

        void start() throws IOException {
            try {
                broker.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), brokerPort), 10_000);
                client.setTcpNoDelay(true);
                broker.setTcpNoDelay(true);
            } catch (IOException e) {
                end(true, true);
                throw e;
            }
            links.add(this);
            if (server.isClosed()) { // meanwhile, so that close() may not have seen this one
                end(true, true);
            }
            CuttingProxy.start("proxy-to-broker", () -> forward(client, broker, toBroker));
            CuttingProxy.start("proxy-to-client", () -> forward(broker, client, toClient));
        }

        private void forward(Socket from, Socket to, int bytes) {
            byte[] chunk = new byte[16_384];
            int left = bytes;
            try {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                while (true) {
                    int count = in.read(chunk);
                    if (count < 0) {
                        end(false, false);
                        return;
                    }
                    out.write(chunk, 0, Math.min(count, left));
                    if (count >= left) {
                        cuts.incrementAndGet();
                        end(resetClient, resetBroker);
                        return;
                    }
                    left -= count;
                }
            } catch (IOException e) {
                end(true, true);
            }
        }

        void end(boolean rudelyToClient, boolean rudelyToBroker) {
            links.remove(this);
            end(client, rudelyToClient);
            end(broker, rudelyToBroker);
        }

        private static void end(Socket socket, boolean rudely) {
            try {
                if (rudely && !socket.isClosed()) {
                    socket.setSoLinger(true, 0);
                }
                socket.close();
            } catch (IOException e) {
                // it has ended already, which is all that is wanted
            }
        }
    }
}
