package org.dunlin.server.net.tls;

import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import io.netty.util.ReferenceCountUtil;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.jspecify.annotations.Nullable;

/**
 * Thread of the channel's loop; {@link #step} runs on a thread for handshakes. The handshake of a native engine, which
 * left to itself would sign and check certificates where it is called: here each record of the client is handed to a
 * task, as Java's engine does with its long steps, and what the engine answers is kept for the loop to write. While a
 * task runs the engine is the task's alone.
 */
final class NativeHandshake implements NativeStage {
    /** Kind of record, in the clear. */
    private static final int HANDSHAKE = 22;

    /** More than a record can carry. */
    private static final int PLAIN_BYTES = 1 << 15;

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
    /** What Netty says instead of why the handshake failed, which it has as the cause. */
    private static final String NO_REASON = "General OpenSslEngine problem";

    private enum Phase {
        /** The engine is the loop's. */
        QUIET,
        /** A record waits for a thread. */
        READY,
        RUNNING,
        RELEASED
    }

    private final ReferenceCountedOpenSslEngine engine;
    /** For a certificate, which takes long to check. */
    private final boolean asks;

    private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.QUIET);

    // Whoever the engine belongs to has these, too.
    private @Nullable ByteBuffer record;
    private @Nullable ByteBuffer output;
    private @Nullable SSLException failure;
    private boolean greeted;
    private boolean finished;

    // The loop's alone.
    private boolean closing;
    private boolean closed;

    NativeHandshake(ReferenceCountedOpenSslEngine engine) {
        this.engine = engine;
        this.asks = engine.getNeedClientAuth() || engine.getWantClientAuth();
    }

    /** @return who has the calls from now on; null while that is still this */
    @Nullable
    NativeRecords records() {
        if (phase.get() != Phase.QUIET) {
            return null;
        }
        boolean well = finished && failure == null && !closed;
        if (!well || hasOutput() || engine.getHandshakeStatus() != HandshakeStatus.NOT_HANDSHAKING) {
            if (closing) { // was asked for while it was a task's
                closeOutbound();
            }
            return null;
        }
        NativeRecords next = NativeRecords.takeOver(engine);
        if (closing) {
            next.closeOutbound();
        }
        return next;
    }

    /** Only while it is the loop's. */
    private boolean hasOutput() {
        ByteBuffer waiting = output;
        return waiting != null && waiting.hasRemaining();
    }

    private boolean isElsewhere() {
        Phase now = phase.get();
        return now == Phase.READY || now == Phase.RUNNING;
    }

    // ------------------------------------------------------------------------------------------------- on the loop

    /** Hands the record out, to a thread for handshakes. @throws SSLException if the handshake has failed */
    @Override
    public SSLEngineResult unwrap(ByteBuffer source, ByteBuffer[] targets, int offset, int length) throws SSLException {
        if (isElsewhere()) {
            return new SSLEngineResult(Status.OK, HandshakeStatus.NEED_TASK, 0, 0);
        }
        if (hasOutput()) {
            return new SSLEngineResult(Status.OK, HandshakeStatus.NEED_WRAP, 0, 0);
        }
        SSLException failed = failure;
        if (failed != null) {
            throw failed;
        }
        int bytes = NativeRecords.recordLength(source);
        if (source.remaining() < bytes) {
            return new SSLEngineResult(Status.BUFFER_UNDERFLOW, HandshakeStatus.NEED_UNWRAP, 0, 0);
        }
        ByteBuffer taken = source.slice(source.position(), bytes);
        source.position(source.position() + bytes);
        if (closed) { // what still comes is for nobody
            return new SSLEngineResult(Status.OK, HandshakeStatus.NEED_UNWRAP, bytes, 0);
        }
        ByteBuffer copy = ByteBuffer.allocate(bytes).put(taken).flip();
        record = copy;
        boolean light = !asks && copy.get(0) != HANDSHAKE;
        phase.compareAndSet(Phase.QUIET, Phase.READY);
        return light ? takeHere(bytes) : new SSLEngineResult(Status.OK, HandshakeStatus.NEED_TASK, bytes, 0);
    }

    /**
     * What a client without a certificate ends a handshake of TLS 1.3 with costs little: less than the way to another
     * thread and back.
     */
    private SSLEngineResult takeHere(int length) throws SSLException {
        step();
        SSLException failed = failure;
        if (hasOutput()) {
            return new SSLEngineResult(Status.OK, HandshakeStatus.NEED_WRAP, length, 0);
        }
        if (failed != null) {
            throw failed;
        }
        return new SSLEngineResult(
                Status.OK, finished ? HandshakeStatus.FINISHED : HandshakeStatus.NEED_UNWRAP, length, 0);
    }

    /** Gives what the engine has answered; nothing of the application goes before the handshake is over. */
    @Override
    public SSLEngineResult wrap(ByteBuffer[] sources, int offset, int length, ByteBuffer target) throws SSLException {
        if (isElsewhere()) {
            return new SSLEngineResult(Status.OK, HandshakeStatus.NEED_TASK, 0, 0);
        }
        ByteBuffer waiting = output;
        if (waiting == null || !waiting.hasRemaining()) {
            return failure == null
                    ? engine.wrap(NOTHING, target)
                    : new SSLEngineResult(Status.CLOSED, HandshakeStatus.NEED_UNWRAP, 0, 0);
        }
        int bytes = Math.min(waiting.remaining(), target.remaining());
        if (bytes == 0) {
            return new SSLEngineResult(Status.BUFFER_OVERFLOW, HandshakeStatus.NEED_WRAP, 0, 0);
        }
        target.put(waiting.slice(waiting.position(), bytes));
        waiting.position(waiting.position() + bytes);
        if (waiting.hasRemaining()) {
            return new SSLEngineResult(Status.OK, HandshakeStatus.NEED_WRAP, 0, bytes);
        }
        output = null;
        boolean well = finished && failure == null;
        return new SSLEngineResult(Status.OK, well ? HandshakeStatus.FINISHED : HandshakeStatus.NEED_UNWRAP, 0, bytes);
    }

    @Override
    public HandshakeStatus status() {
        if (isElsewhere()) {
            return HandshakeStatus.NEED_TASK;
        }
        if (hasOutput()) {
            return HandshakeStatus.NEED_WRAP;
        }
        return failure == null ? engine.getHandshakeStatus() : HandshakeStatus.NEED_UNWRAP;
    }

    @Override
    public @Nullable Runnable task() {
        return phase.get() == Phase.READY ? this::step : null;
    }

    @Override
    public void closeOutbound() {
        closing = true;
        if (!isElsewhere() && !closed) {
            closed = true;
            engine.closeOutbound();
        }
    }

    @Override
    public void closeInbound() throws SSLException {
        if (!isElsewhere()) {
            engine.closeInbound();
        }
    }

    @Override
    public boolean isOutboundDone() {
        return !isElsewhere() && !hasOutput() && engine.isOutboundDone();
    }

    @Override
    public boolean isInboundDone() {
        return !isElsewhere() && engine.isInboundDone();
    }

    /** Once. The memory of the engine goes now, or when the task that has it is through. */
    void release() {
        Phase before = phase.getAndSet(Phase.RELEASED);
        if (before == Phase.QUIET || before == Phase.READY) {
            ReferenceCountUtil.release(engine);
        }
    }

    // ------------------------------------------------------------------------------- on a thread for handshakes

    private void step() {
        if (!phase.compareAndSet(Phase.READY, Phase.RUNNING)) {
            return;
        }
        try {
            take();
            drain();
            // Before the first record it says the same of itself.
            finished |= engine.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING && !isEnded();
        } catch (SSLException | RuntimeException e) {
            failure = told(e);
            drainFarewell();
        } finally {
            ClientHello.CURRENT.remove();
            if (!phase.compareAndSet(Phase.RUNNING, Phase.QUIET)) {
                ReferenceCountUtil.release(engine);
            }
        }
    }

    private boolean isEnded() {
        return engine.isInboundDone() || engine.isOutboundDone();
    }

    private void take() throws SSLException {
        ByteBuffer in = record;
        record = null;
        if (in == null) {
            return;
        }
        greet(in);
        ByteBuffer plain = ByteBuffer.allocate(PLAIN_BYTES);
        while (in.hasRemaining()) {
            SSLEngineResult result = engine.unwrap(in, plain);
            finished |= result.getHandshakeStatus() == HandshakeStatus.FINISHED;
            boolean more = runTasks() | drain();
            if (plain.position() > 0) {
                throw new SSLException("data in the middle of the handshake");
            }
            if (result.getStatus() == Status.CLOSED && !finished) {
                throw new SSLException("the client has ended in the middle of the handshake");
            }
            if (result.bytesConsumed() == 0 && !more) {
                return;
            }
        }
    }

    private void greet(ByteBuffer in) {
        if (!greeted) {
            greeted = true;
            ClientHello.CURRENT.set(ClientHello.read(in));
        }
    }

    private boolean runTasks() {
        boolean any = false;
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
            any = true;
        }
        return any;
    }

    /** Keeps what the engine wants written. @return whether there was anything */
    private boolean drain() throws SSLException {
        boolean any = false;
        ByteBuffer chunk = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        while (true) {
            SSLEngineResult result = engine.wrap(NOTHING, chunk.clear());
            finished |= result.getHandshakeStatus() == HandshakeStatus.FINISHED;
            if (result.bytesProduced() == 0) {
                return any;
            }
            any = true;
            keep(chunk.flip());
        }
    }

    private void keep(ByteBuffer chunk) {
        ByteBuffer before = output;
        int kept = before == null ? 0 : before.remaining();
        ByteBuffer both = ByteBuffer.allocate(kept + chunk.remaining());
        if (before != null) {
            both.put(before);
        }
        output = both.put(chunk).flip();
    }

    /** The alert that tells the client why. */
    private void drainFarewell() {
        try {
            drain();
        } catch (SSLException | RuntimeException same) {
            // it is known already
        }
    }

    /** What people are told: Java's reason for what Java has refused, else the library's in words. */
    static SSLException told(Exception failed) {
        String text = String.valueOf(failed.getMessage());
        Throwable cause = failed.getCause();
        while (text.equals(NO_REASON) && cause != null) {
            text = String.valueOf(cause.getMessage());
            cause = cause.getCause();
        }
        int named = text.lastIndexOf(':');
        if (text.startsWith("error:") && named > 0) {
            text = text.substring(named + 1).toLowerCase(Locale.ROOT).replace('_', ' ');
        }
        SSLException told = new SSLHandshakeException(text);
        told.initCause(failed);
        return told;
    }
}
