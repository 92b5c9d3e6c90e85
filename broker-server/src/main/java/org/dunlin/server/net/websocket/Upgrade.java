package org.dunlin.server.net.websocket;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import org.dunlin.server.net.Layer;
import org.jspecify.annotations.Nullable;

/**
 * Thread of the channel's loop only. Answers the one request of HTTP that a connection begins with: it becomes a
 * WebSocket, or is told why not and ends. How long that may take is MQTT's matter, which waits for CONNECT.
 */
final class Upgrade extends ChannelInboundHandlerAdapter {
    /** Names of MQTT as a subprotocol; the second is what MQTT 3.1 clients called it. */
    private static final List<String> SUBPROTOCOLS = List.of("mqtt", "mqttv3.1");

    private static final String ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private static final int KEY_BYTES = 16;

    private final String path;
    private final List<String> origins;
    private final int maxFrameBytes;
    private @Nullable Accepted accepted;
    private boolean refused;

    Upgrade(String path, List<String> origins, int maxFrameBytes) {
        this.path = path;
        this.origins = origins;
        this.maxFrameBytes = maxFrameBytes;
    }

    private record Accepted(String key, String subprotocol) {}

    /** A request that is answered by a status other than 101. */
    private record Refusal(HttpResponseStatus status, String text) {}

    @Override
    public void channelRead(ChannelHandlerContext context, Object part) {
        try {
            if (refused) {
                return;
            }
            if (part instanceof HttpRequest request) {
                Refusal refusal = refusal(request);
                if (refusal != null) {
                    refuse(context, refusal);
                }
            }
            Accepted answer = accepted;
            if (part instanceof LastHttpContent && answer != null) {
                accept(context, answer);
            }
        } finally {
            ReferenceCountUtil.release(part);
        }
    }

    private @Nullable Refusal refusal(HttpRequest request) {
        HttpHeaders headers = request.headers();
        if (request.decoderResult().isFailure()) {
            return new Refusal(HttpResponseStatus.BAD_REQUEST, "This is no request of HTTP, or too long a one.");
        }
        if (!pathOf(request.uri()).equals(path)) {
            return new Refusal(HttpResponseStatus.NOT_FOUND, "There is nothing here; MQTT is at " + path + ".");
        }
        if (!headers.containsValue(HttpHeaderNames.UPGRADE, "websocket", true)
                || !headers.containsValue(HttpHeaderNames.CONNECTION, "upgrade", true)) {
            return new Refusal(
                    HttpResponseStatus.UPGRADE_REQUIRED, "This is for MQTT over WebSocket; use an MQTT client.");
        }
        if (!"13".equals(headers.get(HttpHeaderNames.SEC_WEBSOCKET_VERSION))) {
            return new Refusal(HttpResponseStatus.UPGRADE_REQUIRED, "The version of WebSocket has to be 13.");
        }
        if (!request.method().equals(HttpMethod.GET)
                || request.protocolVersion().compareTo(HttpVersion.HTTP_1_1) < 0
                || HttpUtil.isTransferEncodingChunked(request)
                || HttpUtil.getContentLength(request, 0L) != 0) {
            return new Refusal(HttpResponseStatus.BAD_REQUEST, "A WebSocket begins with GET, HTTP/1.1 and no body.");
        }
        String key = headers.get(HttpHeaderNames.SEC_WEBSOCKET_KEY);
        if (key == null || !isKey(key.strip())) {
            return new Refusal(HttpResponseStatus.BAD_REQUEST, "Sec-WebSocket-Key has to be 16 bytes in Base64.");
        }
        String origin = headers.get(HttpHeaderNames.ORIGIN);
        if (origin != null && !origins.isEmpty() && origins.stream().noneMatch(origin::equalsIgnoreCase)) {
            return new Refusal(
                    HttpResponseStatus.FORBIDDEN, "Pages of this origin may not connect; see allowed-origins.");
        }
        String subprotocol = subprotocol(headers.getAll(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL));
        if (subprotocol == null) {
            return new Refusal(HttpResponseStatus.BAD_REQUEST, "Offer the subprotocol mqtt (Sec-WebSocket-Protocol).");
        }
        accepted = new Accepted(key.strip(), subprotocol);
        return null;
    }

    private static String pathOf(String uri) {
        int query = uri.indexOf('?');
        return query < 0 ? uri : uri.substring(0, query);
    }

    private static boolean isKey(String text) {
        try {
            return Base64.getDecoder().decode(text).length == KEY_BYTES;
        } catch (IllegalArgumentException notBase64) {
            return false;
        }
    }

    /** The first that is offered and known [MQTT-6.0.0-3] [MQTT-6.0.0-4]. */
    private static @Nullable String subprotocol(List<String> offers) {
        for (String line : offers) {
            for (String offer : line.split(",")) {
                if (SUBPROTOCOLS.contains(offer.strip())) {
                    return offer.strip();
                }
            }
        }
        return null;
    }

    private void refuse(ChannelHandlerContext context, Refusal refusal) {
        refused = true;
        ByteBuf text = Unpooled.copiedBuffer(refusal.text() + "\n", StandardCharsets.UTF_8);
        DefaultFullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, refusal.status(), text);
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, "text/plain; charset=utf-8")
                .set(HttpHeaderNames.CONTENT_LENGTH, text.readableBytes())
                .set(HttpHeaderNames.CONNECTION, "close");
        if (refusal.status().equals(HttpResponseStatus.UPGRADE_REQUIRED)) {
            response.headers()
                    .set(HttpHeaderNames.UPGRADE, "websocket")
                    .set(HttpHeaderNames.SEC_WEBSOCKET_VERSION, "13");
        }
        context.writeAndFlush(response);
        context.fireUserEventTriggered(new Layer.Violated("no WebSocket: answered " + refusal.status()));
    }

    /** What has come behind the request is handed on when the decoder goes, which has to be last. */
    private void accept(ChannelHandlerContext context, Accepted answer) {
        DefaultFullHttpResponse response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1, HttpResponseStatus.SWITCHING_PROTOCOLS, Unpooled.EMPTY_BUFFER);
        response.headers()
                .set(HttpHeaderNames.UPGRADE, "websocket")
                .set(HttpHeaderNames.CONNECTION, "upgrade")
                .set(HttpHeaderNames.SEC_WEBSOCKET_ACCEPT, proof(answer.key()))
                .set(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL, answer.subprotocol());
        context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        ChannelPipeline pipeline = context.pipeline();
        pipeline.replace(this, "websocket", new Frames(maxFrameBytes));
        pipeline.remove(HttpResponseEncoder.class);
        pipeline.remove(HttpRequestDecoder.class);
    }

    private static String proof(String key) {
        try {
            // SHA-1 as RFC 6455 has it; it shows that the request was understood and protects nothing.
            byte[] digest = MessageDigest.getInstance("SHA-1")
                    .digest((key + ACCEPT_SUFFIX).getBytes(StandardCharsets.US_ASCII));
            return Base64.getEncoder().encodeToString(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
