package org.dunlin.server.net.http;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.LastHttpContent;
import org.dunlin.server.net.Layer;
import org.dunlin.server.net.Listeners;

/** Any thread. Makes a connection of HTTP one of MQTT over WebSocket, once its request has been let in. */
public final class MqttUpgrade {
    private final Listeners.Adoption adoption;
    private final Layer webSocket;

    /** @param webSocket reads the same request again, and answers it */
    public MqttUpgrade(Listeners.Adoption adoption, Layer webSocket) {
        this.adoption = adoption;
        this.webSocket = webSocket;
    }

    /** On the loop of HTTP, with the input held. */
    void begin(ChannelHandlerContext http, HttpRequest request) {
        Channel channel = http.channel();
        adoption.take(channel, () -> {
            ChannelPipeline pipeline = channel.pipeline();
            String before = http.name();
            for (ChannelHandler handler : webSocket.handlers(channel.alloc())) {
                pipeline.addAfter(before, null, handler);
                before = pipeline.context(handler).name();
            }
            pipeline.remove(http.handler());
            pipeline.remove(HttpServerCodec.class);
            ChannelHandlerContext decoder = pipeline.context(HttpRequestDecoder.class);
            pipeline.context(before).fireChannelActive();
            decoder.fireChannelRead(request);
            decoder.fireChannelRead(LastHttpContent.EMPTY_LAST_CONTENT);
            channel.config().setAutoRead(true);
        });
    }
}
