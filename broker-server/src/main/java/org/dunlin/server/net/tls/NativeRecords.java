package org.dunlin.server.net.tls;

import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import io.netty.internal.tcnative.Buffer;
import io.netty.internal.tcnative.SSL;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Thread of the channel's loop. What a native engine does once its handshake is over, with one direction independent of the
 * other: Netty's engine ends both when either has said close_notify, so that answers to what came before it would be lost
 * [RFC 8446, 6.1]. From then on that engine only keeps the session and frees the memory: it is asked nothing that concerns
 * records, since what it read and wrote through is replaced here.
 */
final class NativeRecords implements NativeStage {
    static final int HEADER_BYTES = 5;

    private static final int PLAIN_BYTES_MAX = 1 << 14;
    /** What TLS 1.2 allows a record to be longer than what it carries. */
    private static final int EXPANSION_BYTES_MAX = 2048;
    /** Tickets and updates of keys, which leave with the next record. */
    private static final int OWN_WORDS_BYTES = 1 << 14;
    /** What is said while nobody writes: an alert. */
    private static final int UNASKED_BYTES = 2048;

    private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

    private final long ssl;
    /** Of BoringSSL, which frees it with the connection. */
    private final long bio;

    private final int overhead;
    private @Nullable SSLException failure;
    /** Encrypted, for which there was no room. */
    private @Nullable ByteBuffer kept;

    private boolean inboundDone;
    private boolean outboundClosed;
    private boolean freed;

    private NativeRecords(long ssl) {
        this.ssl = ssl;
        this.bio = SSL.bioNewByteBuffer(ssl, UNASKED_BYTES);
        this.overhead = SSL.getMaxWrapOverhead(ssl);
    }

    /** @param engine whose handshake is over, and which has nothing left to write */
    static NativeRecords takeOver(ReferenceCountedOpenSslEngine engine) {
        return new NativeRecords(engine.sslPointer());
    }

    /** The record at the beginning, of which the first bytes are there; more than there are while its length is not. */
    static int recordLength(ByteBuffer source) {
        return source.remaining() < HEADER_BYTES
                ? HEADER_BYTES
                : HEADER_BYTES + (source.getShort(source.position() + HEADER_BYTES - 2) & 0xffff);
    }

    // ------------------------------------------------------------------------------------------------------ reading

    @Override
    public SSLEngineResult unwrap(ByteBuffer source, ByteBuffer[] targets, int offset, int length) throws SSLException {
        SSLException failed = failure;
        if (failed != null) {
            throw failed;
        }
        if (inboundDone || freed) {
            return new SSLEngineResult(Status.CLOSED, status(), 0, 0);
        }
        int record = recordLength(source);
        if (source.remaining() < record) {
            return new SSLEngineResult(Status.BUFFER_UNDERFLOW, status(), 0, 0);
        }
        if (record > HEADER_BYTES + PLAIN_BYTES_MAX + EXPANSION_BYTES_MAX) {
            throw failed("a record of " + record + " bytes");
        }
        if (room(targets, offset, length) < Math.min(record - HEADER_BYTES, PLAIN_BYTES_MAX)) {
            return new SSLEngineResult(Status.BUFFER_OVERFLOW, status(), 0, 0);
        }
        Scratch scratch = SCRATCH.get();
        int plain = decrypt(source, record, scratch);
        scratch.plain.clear().limit(plain);
        for (int i = offset; scratch.plain.hasRemaining(); i++) {
            int bytes = Math.min(targets[i].remaining(), scratch.plain.remaining());
            targets[i].put(scratch.plain.slice(scratch.plain.position(), bytes));
            scratch.plain.position(scratch.plain.position() + bytes);
        }
        return new SSLEngineResult(inboundDone ? Status.CLOSED : Status.OK, status(), record, plain);
    }

    private static int room(ByteBuffer[] targets, int offset, int length) {
        int room = 0;
        for (int i = offset; i < offset + length; i++) {
            room += targets[i].remaining();
        }
        return room;
    }

    /** @return how many bytes there are in {@link Scratch#plain} then */
    private int decrypt(ByteBuffer source, int record, Scratch scratch) throws SSLException {
        long address;
        if (source.isDirect()) {
            address = Buffer.address(source) + source.position();
        } else {
            address = scratch.cipherAddress;
            scratch.cipher.clear().put(source.slice(source.position(), record));
        }
        SSL.bioSetByteBuffer(bio, address, record, false);
        try {
            int plain = SSL.readFromSSL(ssl, scratch.plainAddress, PLAIN_BYTES_MAX);
            if (plain <= 0) {
                int error = SSL.getError(ssl, plain);
                if (error == SSL.SSL_ERROR_ZERO_RETURN) {
                    inboundDone = true;
                } else if (error != SSL.SSL_ERROR_WANT_READ || SSL.bioLengthByteBuffer(bio) > 0) {
                    throw failed(reason(error));
                }
            }
            source.position(source.position() + record); // also keeps it alive until here
            return Math.max(plain, 0);
        } finally {
            SSL.bioClearByteBuffer(bio);
        }
    }

    /** Of the last call, once. */
    private static String reason(int error) {
        int number = SSL.getLastErrorNumber();
        String text = number == 0 ? "TLS ended with error " + error : SSL.getErrorString(number);
        SSL.clearError();
        return text;
    }

    /** The next call says so again. */
    private SSLException failed(String reason) {
        SSLException told = NativeHandshake.told(new SSLException(reason));
        failure = told;
        return told;
    }

    // ------------------------------------------------------------------------------------------------------ writing

    @Override
    public SSLEngineResult wrap(ByteBuffer[] sources, int offset, int length, ByteBuffer target) throws SSLException {
        if (freed) {
            return new SSLEngineResult(Status.CLOSED, HandshakeStatus.NOT_HANDSHAKING, 0, 0);
        }
        int plain = outboundClosed || failure != null ? 0 : Math.min(room(sources, offset, length), PLAIN_BYTES_MAX);
        if (target.remaining() < plain + overhead) {
            return new SSLEngineResult(Status.BUFFER_OVERFLOW, status(), 0, 0);
        }
        if (kept != null) {
            return given(0, give(kept, target));
        }
        Scratch scratch = SCRATCH.get();
        encrypt(sources, offset, plain, scratch);
        return given(plain, give(scratch.cipher, target));
    }

    private SSLEngineResult given(int consumed, int produced) {
        HandshakeStatus status = status();
        boolean over = (outboundClosed || failure != null) && status != HandshakeStatus.NEED_WRAP;
        return new SSLEngineResult(over ? Status.CLOSED : Status.OK, status, consumed, produced);
    }

    /** Fills {@link Scratch#cipher}: what the engine has to say itself, then one record, if there is anything for it. */
    private void encrypt(ByteBuffer[] sources, int offset, int plain, Scratch scratch) throws SSLException {
        ByteBuffer cipher = scratch.cipher.clear();
        SSL.bioSetByteBuffer(bio, scratch.cipherAddress, cipher.capacity(), true);
        try {
            SSL.bioFlushByteBuffer(bio);
            if (plain > 0) {
                int written = write(sources, offset, plain, scratch);
                if (written != plain) {
                    throw failed(written > 0 ? "a record in parts" : reason(SSL.getError(ssl, written)));
                }
            }
            cipher.limit(cipher.capacity() - SSL.bioLengthByteBuffer(bio));
        } finally {
            SSL.bioClearByteBuffer(bio);
        }
    }

    private int write(ByteBuffer[] sources, int offset, int plain, Scratch scratch) {
        ByteBuffer first = sources[offset];
        if (first.isDirect() && first.remaining() >= plain) {
            int written = SSL.writeToSSL(ssl, Buffer.address(first) + first.position(), plain);
            first.position(first.position() + plain);
            return written;
        }
        ByteBuffer all = scratch.plain.clear().limit(plain);
        for (int i = offset; all.hasRemaining(); i++) {
            int bytes = Math.min(sources[i].remaining(), all.remaining());
            all.put(sources[i].slice(sources[i].position(), bytes));
            sources[i].position(sources[i].position() + bytes);
        }
        return SSL.writeToSSL(ssl, scratch.plainAddress, plain);
    }

    /** @return how much of it the target has now; the rest is kept */
    private int give(ByteBuffer from, ByteBuffer target) {
        int bytes = Math.min(from.remaining(), target.remaining());
        target.put(from.slice(from.position(), bytes));
        from.position(from.position() + bytes);
        if (!from.hasRemaining()) {
            kept = null;
        } else if (from != kept) {
            kept = ByteBuffer.allocate(from.remaining()).put(from).flip();
        }
        return bytes;
    }

    @Override
    public HandshakeStatus status() {
        return !freed && (kept != null || SSL.bioLengthNonApplication(bio) > 0)
                ? HandshakeStatus.NEED_WRAP
                : HandshakeStatus.NOT_HANDSHAKING;
    }

    @Override
    public @Nullable Runnable task() {
        return null;
    }

    // -------------------------------------------------------------------------------------------------------- ends

    /** Says close_notify; what the peer still sends can be read. */
    @Override
    public void closeOutbound() {
        if (!outboundClosed) {
            outboundClosed = true;
            if (!freed && failure == null && SSL.shutdownSSL(ssl) < 0) {
                SSL.clearError();
            }
        }
    }

    @Override
    public boolean isOutboundDone() {
        return outboundClosed && status() != HandshakeStatus.NEED_WRAP;
    }

    @Override
    public void closeInbound() {
        inboundDone = true;
    }

    @Override
    public boolean isInboundDone() {
        return inboundDone || freed;
    }

    /** The engine is about to free its memory. */
    void free() {
        freed = true;
        kept = null;
    }

    /** Memory that BoringSSL reads and writes while a call lasts: one for each thread that has connections. */
    private static final class Scratch {
        final ByteBuffer cipher =
                ByteBuffer.allocateDirect(HEADER_BYTES + PLAIN_BYTES_MAX + EXPANSION_BYTES_MAX + OWN_WORDS_BYTES);
        final ByteBuffer plain = ByteBuffer.allocateDirect(PLAIN_BYTES_MAX);
        final long cipherAddress = Buffer.address(cipher);
        final long plainAddress = Buffer.address(plain);
    }
}
