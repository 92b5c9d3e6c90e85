package org.dunlin.server.net.tls;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.ReferenceCountUtil;
import java.nio.ByteBuffer;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A client of Java and an engine of BoringSSL in memory: its handshake is computed by tasks, its records end apart. */
@EnabledOnOs(OS.LINUX)
class NativeHandshakeTest {
    private static final int BYTES = 1 << 17;

    private SslContext context;
    private SSLEngine inner;
    private MeteredEngine server;
    private SSLEngine client;
    private final ByteBuffer toServer = ByteBuffer.allocate(BYTES);
    private final ByteBuffer toClient = ByteBuffer.allocate(BYTES);
    private final ByteBuffer plain = ByteBuffer.allocate(BYTES);
    private int tasks;
    private boolean begun;

    @BeforeEach
    void open() throws Exception {
        Pair pair = Pair.make("server");
        context = SslContextBuilder.forServer(pair.key(), pair.certificate())
                .sslProvider(SslProvider.OPENSSL_REFCNT)
                .option(OpenSslContextOption.USE_TASKS, false)
                .protocols("TLSv1.2", "TLSv1.3")
                .build();
        inner = context.newEngine(UnpooledByteBufAllocator.DEFAULT);
        server = MeteredEngine.ofNative(inner);
        client = Pair.client(null).createSSLEngine();
        client.setUseClientMode(true);
    }

    @AfterEach
    void close() {
        if (ReferenceCountUtil.refCnt(inner) > 0) {
            server.release();
        }
        assertEquals(0, ReferenceCountUtil.refCnt(inner));
        assertEquals(1, ReferenceCountUtil.refCnt(context));
        ReferenceCountUtil.release(context);
    }

    private void clientTurn() throws SSLException {
        if (!begun) {
            begun = true;
            client.beginHandshake();
        }
        for (int i = 0; i < 20; i++) {
            for (Runnable task = client.getDelegatedTask(); task != null; task = client.getDelegatedTask()) {
                task.run();
            }
            switch (client.getHandshakeStatus()) {
                case NEED_WRAP -> client.wrap(ByteBuffer.allocate(0), toServer);
                case NEED_UNWRAP -> {
                    toClient.flip();
                    SSLEngineResult result = client.unwrap(toClient, plain.clear());
                    toClient.compact();
                    if (result.getStatus() == Status.BUFFER_UNDERFLOW) {
                        return;
                    }
                }
                default -> {
                    if (client.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING) {
                        return;
                    }
                }
            }
        }
    }

    /** @return the status that it ends with: nothing more to take, or over */
    private HandshakeStatus serverTurn() throws SSLException {
        for (int i = 0; i < 40; i++) {
            HandshakeStatus status = server.getHandshakeStatus();
            SSLEngineResult result;
            if (status == HandshakeStatus.NEED_TASK) {
                Runnable task = server.getDelegatedTask();
                assertNotNull(task);
                int before = toClient.position();
                assertEquals(
                        0, server.unwrap(ByteBuffer.allocate(0), plain.clear()).bytesConsumed());
                assertEquals(0, server.wrap(ByteBuffer.allocate(0), toClient).bytesProduced());
                assertEquals(before, toClient.position());
                task.run();
                tasks++;
                continue;
            } else if (status == HandshakeStatus.NEED_WRAP) {
                result = server.wrap(ByteBuffer.allocate(0), toClient);
            } else {
                toServer.flip();
                try {
                    result = server.unwrap(toServer, plain.clear());
                } finally {
                    toServer.compact();
                }
            }
            if (result.getHandshakeStatus() == HandshakeStatus.FINISHED
                    || server.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING) {
                return HandshakeStatus.FINISHED;
            }
            if (result.getStatus() == Status.BUFFER_UNDERFLOW) {
                return HandshakeStatus.NEED_UNWRAP;
            }
        }
        throw new AssertionError("it turns round and round");
    }

    private void handshake(String protocol) throws SSLException {
        client.setEnabledProtocols(new String[] {protocol});
        HandshakeStatus status = HandshakeStatus.NEED_UNWRAP;
        for (int i = 0; i < 10 && status != HandshakeStatus.FINISHED; i++) {
            clientTurn();
            status = serverTurn();
        }
        assertEquals(HandshakeStatus.FINISHED, status);
        clientTurn();
        assertTrue(tasks >= (protocol.equals("TLSv1.3") ? 1 : 2), "tasks: " + tasks);
        assertEquals(protocol, server.getSession().getProtocol());
        assertNull(server.getDelegatedTask());
    }

    private SSLEngineResult fromClient(byte[] data) throws SSLException {
        client.wrap(ByteBuffer.wrap(data), toServer);
        return taken();
    }

    /** Of the next record for the server. */
    private SSLEngineResult taken() throws SSLException {
        toServer.flip();
        try {
            return server.unwrap(toServer, plain.clear());
        } finally {
            toServer.compact();
        }
    }

    /** What the client reads of all that is there for it. */
    private byte[] toClient() throws SSLException {
        toClient.flip();
        plain.clear();
        SSLEngineResult result;
        do {
            result = client.unwrap(toClient, plain);
        } while (result.getStatus() == Status.OK && toClient.hasRemaining());
        toClient.compact();
        return java.util.Arrays.copyOf(plain.array(), plain.position());
    }

    private static byte[] data(int bytes) {
        byte[] data = new byte[bytes];
        new java.util.Random(bytes).nextBytes(data);
        return data;
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void handshake_isComputedByTasks_andDataGoesRightThroughAfterwards(String protocol) throws Exception {
        handshake(protocol);
        byte[] data = {1, 2, 3};
        assertEquals(data.length, fromClient(data).bytesProduced());
        assertArrayEquals(data, java.util.Arrays.copyOf(plain.array(), plain.position()));
        server.wrap(ByteBuffer.wrap(data), toClient);
        assertArrayEquals(data, toClient());
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void closeNotifyOfTheClient_endsItsDirectionAlone(String protocol) throws Exception {
        handshake(protocol);
        client.closeOutbound();
        client.wrap(ByteBuffer.allocate(0), toServer);
        assertEquals(Status.CLOSED, taken().getStatus());
        assertTrue(server.isInboundDone());
        assertFalse(server.isOutboundDone());
        byte[] data = data(1000);
        assertEquals(Status.OK, server.wrap(ByteBuffer.wrap(data), toClient).getStatus());
        assertArrayEquals(data, toClient());
        server.closeOutbound();
        assertEquals(
                Status.CLOSED, server.wrap(ByteBuffer.allocate(0), toClient).getStatus());
        assertTrue(server.isOutboundDone());
        toClient();
        assertTrue(client.isInboundDone());
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void closeNotifyOfOurs_leavesTheOtherDirectionOpen(String protocol) throws Exception {
        handshake(protocol);
        toClient.clear(); // tickets
        byte[] data = data(1000);
        client.wrap(ByteBuffer.wrap(data), toServer);
        server.closeOutbound();
        SSLEngineResult said = server.wrap(ByteBuffer.wrap(data), toClient);
        assertEquals(Status.CLOSED, said.getStatus());
        assertEquals(0, said.bytesConsumed());
        assertTrue(said.bytesProduced() > 0);
        SSLEngineResult taken = taken();
        assertEquals(Status.OK, taken.getStatus());
        assertEquals(data.length, taken.bytesProduced());
    }

    @Test
    void data_ofAnySizeInAnyBuffers_isByteExact() throws Exception {
        handshake("TLSv1.3");
        for (int size : new int[] {1, 500, 16_384, 16_385, 40_000}) {
            byte[] data = data(size);
            ByteBuffer direct = ByteBuffer.allocateDirect(size + 7).position(7);
            direct.put(data).position(7);
            ByteBuffer[] parts = {ByteBuffer.wrap(data, 0, size / 3), ByteBuffer.wrap(data, size / 3, size - size / 3)};
            for (ByteBuffer[] sources : List.of(new ByteBuffer[] {direct}, parts)) {
                long left = size;
                while (left > 0) {
                    SSLEngineResult result = server.wrap(sources, toClient);
                    assertEquals(Math.min(left, 16_384), result.bytesConsumed());
                    left -= result.bytesConsumed();
                }
                assertArrayEquals(data, toClient());
            }
            for (int from = 0; from < size; from += 16_000) {
                byte[] part = java.util.Arrays.copyOfRange(data, from, Math.min(size, from + 16_000));
                client.wrap(ByteBuffer.wrap(part), toServer);
                ByteBuffer source = ByteBuffer.allocateDirect(toServer.position())
                        .put(toServer.flip())
                        .flip();
                toServer.clear();
                ByteBuffer[] targets = {ByteBuffer.allocate(part.length / 2), ByteBuffer.allocateDirect(20_000)};
                assertEquals(part.length, server.unwrap(source, targets).bytesProduced());
                assertFalse(source.hasRemaining());
                byte[] both = new byte[part.length];
                targets[0].flip().get(both, 0, part.length / 2);
                targets[1].flip().get(both, part.length / 2, part.length - part.length / 2);
                assertArrayEquals(part, both);
            }
        }
    }

    @Test
    void buffers_thatAreTooSmall_areLeftAlone() throws Exception {
        handshake("TLSv1.3");
        byte[] data = data(100);
        ByteBuffer source = ByteBuffer.wrap(data);
        assertEquals(
                Status.BUFFER_OVERFLOW,
                server.wrap(source, ByteBuffer.allocate(100)).getStatus());
        assertEquals(100, source.remaining());
        client.wrap(ByteBuffer.wrap(data), toServer);
        toServer.flip();
        int bytes = toServer.remaining();
        assertEquals(
                Status.BUFFER_OVERFLOW,
                server.unwrap(toServer, ByteBuffer.allocate(99)).getStatus());
        assertEquals(
                Status.BUFFER_UNDERFLOW,
                server.unwrap(toServer.slice(0, bytes - 1), plain).getStatus());
        assertEquals(bytes, toServer.remaining());
        assertEquals(100, server.unwrap(toServer, plain.clear()).bytesProduced());
    }

    @Test
    void damagedRecord_fails_withAReasonAndAnAlert() throws Exception {
        handshake("TLSv1.3");
        client.wrap(ByteBuffer.wrap(data(100)), toServer);
        toServer.put(20, (byte) (toServer.get(20) ^ 1));
        SSLException failed = assertThrows(SSLException.class, this::taken);
        assertEquals("bad decrypt", failed.getMessage());
        int before = toClient.position();
        assertEquals(
                Status.CLOSED, server.wrap(ByteBuffer.allocate(0), toClient).getStatus());
        assertTrue(toClient.position() > before, "an alert");
        assertThrows(SSLException.class, this::taken);
    }

    @Test
    void release_ofAConnection_endsItForWhoeverStillAsks() throws Exception {
        handshake("TLSv1.3");
        assertThrows(SSLException.class, server::beginHandshake);
        server.release();
        assertEquals(0, ReferenceCountUtil.refCnt(inner));
        toServer.clear();
        client.wrap(ByteBuffer.wrap(data(100)), toServer);
        assertEquals(Status.CLOSED, taken().getStatus());
        assertEquals(
                Status.CLOSED, server.wrap(ByteBuffer.wrap(data(100)), toClient).getStatus());
        server.closeOutbound();
        server.closeInbound();
        assertTrue(server.isInboundDone() && server.isOutboundDone());
    }

    @Test
    void release_beforeTheTask_letsItDoNothing() throws Exception {
        Runnable task = taskOfFirstRecord();
        server.release();
        assertEquals(0, ReferenceCountUtil.refCnt(inner));
        task.run();
    }

    private Runnable taskOfFirstRecord() throws SSLException {
        clientTurn();
        toServer.flip();
        assertEquals(
                HandshakeStatus.NEED_TASK,
                server.unwrap(toServer, plain.clear()).getHandshakeStatus());
        Runnable task = server.getDelegatedTask();
        assertNotNull(task);
        return task;
    }

    @Test
    void close_whileATaskHasTheEngine_comesAfterIt() throws Exception {
        Runnable task = taskOfFirstRecord();
        server.closeOutbound();
        assertEquals(HandshakeStatus.NEED_TASK, server.getHandshakeStatus());
        task.run();
        for (int i = 0; i < 10 && !server.isOutboundDone(); i++) {
            server.wrap(ByteBuffer.allocate(0), toClient);
        }
        assertTrue(server.isOutboundDone());
    }

    @Test
    void garbage_fails_withAReasonAndAnAlert() throws Exception {
        toServer.put(new byte[] {22, 3, 1, 0, 4, 9, 9, 9, 9});
        SSLException failed = assertThrows(SSLException.class, () -> {
            for (int i = 0; i < 10; i++) {
                serverTurn();
            }
        });
        assertTrue(toClient.position() > 0);
        assertEquals(21, toClient.get(0), "an alert");
        assertTrue(
                List.of("unexpected message", "excessive message size").contains(failed.getMessage()),
                failed::toString);
    }

    /** Refused when the first record is looked at, and when the rest is. */
    @Test
    void noCommonSuite_fails_withAReasonAndAnAlert() throws Exception {
        client.setEnabledProtocols(new String[] {"TLSv1.2"});
        client.setEnabledCipherSuites(new String[] {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"});
        clientTurn();
        SSLException failed = assertThrows(SSLException.class, () -> {
            for (int i = 0; i < 10; i++) {
                serverTurn();
            }
        });
        assertEquals("no shared cipher", failed.getMessage());
        assertEquals(7, toClient.position());
        assertEquals(21, toClient.get(0), "an alert");
    }
}
