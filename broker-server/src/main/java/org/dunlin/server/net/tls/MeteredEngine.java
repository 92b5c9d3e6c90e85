package org.dunlin.server.net.tls;

import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.ReferenceCounted;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.BiFunction;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * One thread at a time. An engine whose peer cannot keep it busy with records that carry nothing: updates of keys, which
 * a client may ask for as often as it likes, and empty ones.
 */
final class MeteredEngine extends SSLEngine implements ReferenceCounted {
    /** A handshake has some ten, and who talks on updates its keys once in many gigabytes. */
    static final int IDLE_RECORDS_A_SECOND = 100;

    private static final long SECOND_NANOS = 1_000_000_000L;

    private final SSLEngine engine;
    /** Null for an engine of Java, which does all of that itself. */
    private final @Nullable NativeHandshake handshake;

    private @Nullable NativeRecords records;

    private long since = System.nanoTime();
    private int idleRecords;

    private MeteredEngine(SSLEngine engine, @Nullable NativeHandshake handshake) {
        super(engine.getPeerHost(), engine.getPeerPort());
        this.engine = engine;
        this.handshake = handshake;
    }

    static MeteredEngine ofJava(SSLEngine engine) {
        return new MeteredEngine(engine, null);
    }

    /** Takes over the reference: whoever has this one releases it. */
    static MeteredEngine ofNative(SSLEngine engine) {
        return new MeteredEngine(engine, new NativeHandshake((ReferenceCountedOpenSslEngine) engine));
    }

    /** Where calls have to go; null for an engine of Java. */
    private @Nullable NativeStage stage() {
        NativeRecords current = records;
        if (current == null && handshake != null) {
            current = handshake.records();
            records = current;
        }
        return current == null ? handshake : current;
    }

    @Override
    public SSLEngineResult unwrap(ByteBuffer source, ByteBuffer[] targets, int offset, int length) throws SSLException {
        NativeStage stage = stage();
        SSLEngineResult result = stage == null
                ? engine.unwrap(source, targets, offset, length)
                : stage.unwrap(source, targets, offset, length);
        if (result.bytesConsumed() > 0 && result.bytesProduced() == 0) {
            long now = System.nanoTime();
            if (now - since > SECOND_NANOS) {
                since = now;
                idleRecords = 0;
            }
            if (++idleRecords > IDLE_RECORDS_A_SECOND) {
                throw new SSLException("more than " + IDLE_RECORDS_A_SECOND
                        + " records within a second that carry nothing, such as updates of keys");
            }
        }
        return result;
    }

    @Override
    public SSLEngineResult wrap(ByteBuffer[] sources, int offset, int length, ByteBuffer target) throws SSLException {
        NativeStage current = stage();
        return current == null
                ? engine.wrap(sources, offset, length, target)
                : current.wrap(sources, offset, length, target);
    }

    @Override
    public @Nullable Runnable getDelegatedTask() {
        NativeStage current = stage();
        return current == null ? engine.getDelegatedTask() : current.task();
    }

    @Override
    public void closeInbound() throws SSLException {
        NativeStage current = stage();
        if (current == null) {
            engine.closeInbound();
        } else {
            current.closeInbound();
        }
    }

    @Override
    public boolean isInboundDone() {
        NativeStage current = stage();
        return current == null ? engine.isInboundDone() : current.isInboundDone();
    }

    @Override
    public void closeOutbound() {
        NativeStage current = stage();
        if (current == null) {
            engine.closeOutbound();
        } else {
            current.closeOutbound();
        }
    }

    @Override
    public boolean isOutboundDone() {
        NativeStage current = stage();
        return current == null ? engine.isOutboundDone() : current.isOutboundDone();
    }

    @Override
    public String[] getSupportedCipherSuites() {
        return engine.getSupportedCipherSuites();
    }

    @Override
    public String[] getEnabledCipherSuites() {
        return engine.getEnabledCipherSuites();
    }

    @Override
    public void setEnabledCipherSuites(String[] suites) {
        engine.setEnabledCipherSuites(suites);
    }

    @Override
    public String[] getSupportedProtocols() {
        return engine.getSupportedProtocols();
    }

    @Override
    public String[] getEnabledProtocols() {
        return engine.getEnabledProtocols();
    }

    @Override
    public void setEnabledProtocols(String[] protocols) {
        engine.setEnabledProtocols(protocols);
    }

    @Override
    public SSLSession getSession() {
        return engine.getSession();
    }

    @Override
    public SSLSession getHandshakeSession() {
        return engine.getHandshakeSession();
    }

    @Override
    public void beginHandshake() throws SSLException {
        if (records != null) {
            throw new SSLException("a connection has one handshake");
        }
        engine.beginHandshake();
    }

    @Override
    public SSLEngineResult.HandshakeStatus getHandshakeStatus() {
        NativeStage current = stage();
        return current == null ? engine.getHandshakeStatus() : current.status();
    }

    @Override
    public void setUseClientMode(boolean mode) {
        engine.setUseClientMode(mode);
    }

    @Override
    public boolean getUseClientMode() {
        return engine.getUseClientMode();
    }

    @Override
    public void setNeedClientAuth(boolean need) {
        engine.setNeedClientAuth(need);
    }

    @Override
    public boolean getNeedClientAuth() {
        return engine.getNeedClientAuth();
    }

    @Override
    public void setWantClientAuth(boolean want) {
        engine.setWantClientAuth(want);
    }

    @Override
    public boolean getWantClientAuth() {
        return engine.getWantClientAuth();
    }

    @Override
    public void setEnableSessionCreation(boolean flag) {
        engine.setEnableSessionCreation(flag);
    }

    @Override
    public boolean getEnableSessionCreation() {
        return engine.getEnableSessionCreation();
    }

    @Override
    public SSLParameters getSSLParameters() {
        return engine.getSSLParameters();
    }

    @Override
    public void setSSLParameters(SSLParameters parameters) {
        engine.setSSLParameters(parameters);
    }

    @Override
    public String getApplicationProtocol() {
        return engine.getApplicationProtocol();
    }

    @Override
    public String getHandshakeApplicationProtocol() {
        return engine.getHandshakeApplicationProtocol();
    }

    @Override
    public void setHandshakeApplicationProtocolSelector(BiFunction<SSLEngine, List<String>, String> selector) {
        engine.setHandshakeApplicationProtocolSelector(selector);
    }

    @Override
    public BiFunction<SSLEngine, List<String>, String> getHandshakeApplicationProtocolSelector() {
        return engine.getHandshakeApplicationProtocolSelector();
    }

    // ------------------------------------------------------------------------------------ the memory of native ones

    @Override
    public int refCnt() {
        return handshake == null ? 1 : ReferenceCountUtil.refCnt(engine);
    }

    @Override
    public boolean release() {
        if (records != null) {
            records.free();
        }
        if (handshake != null) {
            handshake.release();
        }
        return true;
    }

    /** Has one owner. */
    @Override
    public boolean release(int decrement) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ReferenceCounted retain() {
        throw new UnsupportedOperationException();
    }

    @Override
    public ReferenceCounted retain(int increment) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ReferenceCounted touch() {
        return this;
    }

    @Override
    public ReferenceCounted touch(Object hint) {
        return this;
    }
}
