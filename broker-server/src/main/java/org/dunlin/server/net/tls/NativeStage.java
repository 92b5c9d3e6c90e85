package org.dunlin.server.net.tls;

import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Thread of the channel's loop. Who serves a native engine: first its handshake, then its records. As {@code SSLEngine} says. */
sealed interface NativeStage permits NativeHandshake, NativeRecords {
    /** Takes one record at most. */
    SSLEngineResult unwrap(ByteBuffer source, ByteBuffer[] targets, int offset, int length) throws SSLException;

    /** Makes one record at most of the sources, behind what the engine itself has to say. */
    SSLEngineResult wrap(ByteBuffer[] sources, int offset, int length, ByteBuffer target) throws SSLException;

    HandshakeStatus status();

    /** @return what takes long, for another thread; null if there is nothing of that */
    @Nullable
    Runnable task();

    void closeOutbound();

    boolean isOutboundDone();

    void closeInbound() throws SSLException;

    boolean isInboundDone();
}
