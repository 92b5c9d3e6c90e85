package org.dunlin.it.figures;

import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler;
import io.netty.handler.codec.http.websocketx.WebSocketVersion;
import io.netty.handler.ssl.SslHandler;
import java.net.URI;
import javax.net.ssl.SSLEngine;
import org.jspecify.annotations.Nullable;

/**
 * A way in to the broker, with its port. Any thread.
 *
 * @param trust null for one in the clear
 * @param resumes whether a lane's next TLS session resumes its last, or each handshake is a full one
 */
record Door(
        String name, int port, boolean webSocket, @Nullable Trust trust, String tlsVersion, boolean resumes) {
    private static final int FRAME_BYTES_MAX = 16 << 20;
    private static final int DEADLINE_MILLIS = 60_000;

    static Door tcp(int port) {
        return new Door("tcp", port, false, null, "", false);
    }

    /** Whether something has to be agreed on before CONNECT. */
    boolean greets() {
        return webSocket || trust != null;
    }

    /** @param lane whose sessions of TLS belong together */
    void open(ChannelPipeline pipeline, int lane) {
        Trust trusted = trust;
        if (trusted != null) {
            SSLEngine engine = resumes
                    ? trusted.context().createSSLEngine("lane-" + lane, port)
                    : trusted.context().createSSLEngine(); // without a name there is nothing to find a session by
            engine.setUseClientMode(true);
            engine.setEnabledProtocols(new String[] {tlsVersion});
            SslHandler handler = new SslHandler(engine);
            handler.setHandshakeTimeoutMillis(DEADLINE_MILLIS);
            pipeline.addLast(handler);
        }
        if (webSocket) {
            WebSocketClientProtocolConfig config = WebSocketClientProtocolConfig.newBuilder()
                    .webSocketUri(URI.create((trusted == null ? "ws" : "wss") + "://127.0.0.1:" + port + "/mqtt"))
                    .version(WebSocketVersion.V13)
                    .subprotocol("mqtt")
                    .customHeaders(new DefaultHttpHeaders())
                    .maxFramePayloadLength(FRAME_BYTES_MAX)
                    .handshakeTimeoutMillis(DEADLINE_MILLIS)
                    .withUTF8Validator(false)
                    .build();
            pipeline.addLast(
                    new HttpClientCodec(),
                    new HttpObjectAggregator(8192),
                    new WebSocketClientProtocolHandler(config),
                    new Unframing());
        }
    }
}
