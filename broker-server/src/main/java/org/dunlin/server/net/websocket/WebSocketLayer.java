package org.dunlin.server.net.websocket;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandler;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponseEncoder;
import java.util.List;
import java.util.function.IntSupplier;
import org.dunlin.server.net.Layer;

/** Any thread. MQTT over WebSocket: channels begin with a request of HTTP that asks for it. */
public final class WebSocketLayer implements Layer {
    /** Of the first line of the request, which has the path. */
    private static final int LINE_BYTES = 4096;

    private static final int HEADER_BYTES = 8192;

    /** Frames that hold several small packets are right, however small the largest packet may be. */
    private static final int FRAME_BYTES_AT_LEAST = 64 * 1024;

    private final String path;
    private final List<String> origins;
    private final IntSupplier maxPacketBytes;

    /**
     * @param path of the URL, with its slash
     * @param origins of web pages that may connect; empty for all
     * @param maxPacketBytes of the largest packet that a client may send; asked for each connection
     */
    public WebSocketLayer(String path, List<String> origins, IntSupplier maxPacketBytes) {
        this.path = path;
        this.origins = List.copyOf(origins);
        this.maxPacketBytes = maxPacketBytes;
    }

    @Override
    public List<ChannelHandler> handlers(ByteBufAllocator allocator) {
        HttpDecoderConfig bounds =
                new HttpDecoderConfig().setMaxInitialLineLength(LINE_BYTES).setMaxHeaderSize(HEADER_BYTES);
        int maxFrameBytes = Math.max(maxPacketBytes.getAsInt(), FRAME_BYTES_AT_LEAST);
        return List.of(
                new HttpRequestDecoder(bounds), new HttpResponseEncoder(), new Upgrade(path, origins, maxFrameBytes));
    }
}
