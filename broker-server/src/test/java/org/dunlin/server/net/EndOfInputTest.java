package org.dunlin.server.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.Publish;
import org.dunlin.server.net.tls.Pair;
import org.dunlin.server.net.tls.TlsLayer;
import org.dunlin.server.net.tls.TlsProvider;
import org.dunlin.server.net.tls.TlsSettings.ClientAuth;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The end of what a client sends never overtakes what it has sent. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class EndOfInputTest {
    private static final int BYTES = 1 << 16;
    /** More than a loop needs to hear of the end of a socket that is there already. */
    private static final int TURNS = 20;

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    @TempDir
    Path folder;

    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private volatile CountDownLatch gate = new CountDownLatch(0);
    private final Executor gated = task -> thread.execute(() -> {
        try {
            gate.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        task.run();
    });

    @AfterEach
    void close() throws InterruptedException {
        gate.countDown();
        thread.shutdown();
        assertTrue(thread.awaitTermination(Rig.WAIT_MILLIS, TimeUnit.MILLISECONDS));
    }

    static Stream<Arguments> handshakes() {
        return Stream.of(TlsProvider.JDK, TlsProvider.AUTO)
                .flatMap(provider -> Stream.of(
                        Arguments.of(provider, "TLSv1.3", ClientAuth.NONE),
                        Arguments.of(provider, "TLSv1.3", ClientAuth.REQUIRED),
                        Arguments.of(provider, "TLSv1.2", ClientAuth.NONE)));
    }

    private static Rig rig(TlsLayer layer, Function<Rig.Probe, Consumer<Packet>> script) throws Exception {
        return new Rig(
                Transport.best(),
                Rig.Layer.TLS,
                Rig.Setting.of(ChannelMoveTest.limits(Rig.WAIT_MILLIS)).layers(List.of(layer)),
                script);
    }

    /** It is told between the end of a pause and the task that decodes what came in the pause. */
    @Test
    void end_rightAfterAPause_comesBehindTheDataOfThePause() throws Exception {
        AtomicReference<ChannelHandlerContext> below = new AtomicReference<>();
        Layer layer = allocator -> List.of(new ChannelInboundHandlerAdapter() {
            @Override
            public void handlerAdded(ChannelHandlerContext context) {
                below.set(context);
            }
        });
        byte[] publish = Rig.publishBytes(300, 1); // there with the first read
        try (Rig rig = new Rig(
                Transport.best(),
                Rig.Layer.PLAIN,
                Rig.Setting.of(ChannelMoveTest.limits(Rig.WAIT_MILLIS)).layers(List.of(layer)),
                probe -> packet -> {
                    if (packet instanceof Connect connect) {
                        probe.agree(connect.version());
                        probe.connection.holdInput();
                        probe.run(() -> {
                            probe.connection.releaseInput();
                            below.get().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
                        });
                    } else if (packet instanceof Publish published) {
                        probe.echo(published);
                    }
                })) {
            Rig.Client client = rig.connect();
            client.send(Rig.join(Rig.connectBytes(), publish));
            assertArrayEquals(publish, client.read(publish.length));
            Rig.await("the end", () -> rig.probe().closed == 1);
            client.close();
        }
    }

    /**
     * A client that ends its handshake, says all it has to say and ends its socket in one burst: the end is there while
     * a thread still computes the handshake.
     */
    @ParameterizedTest
    @MethodSource("handshakes")
    void endOfTheSocket_whileTheHandshakeIsComputed_comesBehindTheData(
            TlsProvider provider, String protocol, ClientAuth clientAuth) throws Exception {
        Pair known = Pair.make("known");
        Path ca = Files.writeString(folder.resolve("ca.pem"), known.certificatePem());
        TlsLayer layer = Pair.layer(Pair.make("server").settings(folder, ca, clientAuth), provider, gated);
        SSLContext context = Pair.client(known);
        byte[] publish = Rig.publishBytes(3000, 1);
        try (Rig rig = rig(layer, Rig::echo)) {
            for (int i = 0; i < 6; i++) { // of TLS 1.2 only a resumed handshake is ended by the client
                try (Client client = new Client(rig, context, protocol)) {
                    client.handshake();
                    Rig.Probe probe = rig.probe(i);
                    gate = new CountDownLatch(1);
                    client.wrap(ByteBuffer.wrap(Rig.join(Rig.connectBytes(), publish)));
                    client.send();
                    client.socket.shutdownOutput();
                    for (int turn = 0; turn < TURNS; turn++) {
                        CompletableFuture.runAsync(() -> {}, probe.connection.loop()::execute)
                                .get(Rig.WAIT_MILLIS, TimeUnit.MILLISECONDS);
                    }
                    gate.countDown();
                    assertArrayEquals(publish, client.readAll());
                    Rig.await("the end", () -> probe.closed == 1);
                    assertEquals(2, probe.packets.size());
                    assertEquals("closed by the peer without DISCONNECT", probe.cause);
                }
            }
        }
    }

    /** TLS by hand, so that what is written together goes in one write. */
    private static final class Client implements AutoCloseable {
        final Socket socket = new Socket();
        private final SSLEngine engine;
        private final ByteBuffer out = ByteBuffer.allocate(BYTES);
        private final ByteBuffer in = ByteBuffer.allocate(BYTES).flip();
        private final ByteBuffer plain = ByteBuffer.allocate(BYTES);
        private final ByteArrayOutputStream read = new ByteArrayOutputStream();

        Client(Rig rig, SSLContext context, String protocol) throws IOException {
            socket.connect(rig.address);
            socket.setSoTimeout((int) Rig.WAIT_MILLIS);
            engine = context.createSSLEngine("localhost", rig.address.getPort());
            engine.setUseClientMode(true);
            engine.setEnabledProtocols(new String[] {protocol});
        }

        void wrap(ByteBuffer data) throws IOException {
            do {
                assertEquals(Status.OK, engine.wrap(data, out).getStatus());
            } while (data.hasRemaining());
        }

        void send() throws IOException {
            socket.getOutputStream().write(out.array(), 0, out.position());
            out.clear();
        }

        /** Sends all of it but the last words of the client, if those are the last. */
        void handshake() throws IOException {
            engine.beginHandshake();
            while (engine.getHandshakeStatus() != HandshakeStatus.NOT_HANDSHAKING) {
                switch (engine.getHandshakeStatus()) {
                    case NEED_TASK -> engine.getDelegatedTask().run();
                    case NEED_WRAP -> wrap(NOTHING.duplicate());
                    default -> {
                        send();
                        assertTrue(unwrap(), "the broker ended in the middle of the handshake");
                    }
                }
            }
        }

        /** @return false at the end */
        private boolean unwrap() throws IOException {
            while (true) {
                plain.clear();
                SSLEngineResult result = engine.unwrap(in, plain);
                read.write(plain.array(), 0, plain.position());
                if (result.getStatus() == Status.CLOSED) {
                    return false;
                }
                if (result.getStatus() == Status.OK) {
                    return true;
                }
                in.compact();
                int bytes = socket.getInputStream().read(in.array(), in.position(), in.remaining());
                in.position(in.position() + Math.max(bytes, 0)).flip();
                if (bytes < 0) {
                    return false;
                }
            }
        }

        byte[] readAll() throws IOException {
            boolean more = true;
            while (more) {
                more = unwrap();
            }
            return read.toByteArray();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
