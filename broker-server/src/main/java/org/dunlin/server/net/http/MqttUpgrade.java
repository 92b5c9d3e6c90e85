package org.dunlin.server.net.http;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.LastHttpContent;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.dunlin.server.http.Request;
import org.dunlin.server.net.Layer;
import org.dunlin.server.net.Listeners;

/** Any thread. Makes a connection of HTTP one of MQTT over WebSocket, once its request has been let in. */
public final class MqttUpgrade {
    private static final long BETWEEN_LOOKS_MILLIS = 1000;

    private final Listeners.Adoption adoption;
    private final Layer webSocket;
    private final Predicate<Request> stands;

    /**
     * @param webSocket reads the same request again, and answers it
     * @param stands whether what let a request in would let it in still; asked by a thread that may wait
     */
    public MqttUpgrade(Listeners.Adoption adoption, Layer webSocket, Predicate<Request> stands) {
        this.adoption = adoption;
        this.webSocket = webSocket;
        this.stands = stands;
    }

    /**
     * On the loop of HTTP, with the input held.
     *
     * @param asked the same request, by which the connection is there
     * @param workers that may wait
     */
    void begin(ChannelHandlerContext http, HttpRequest request, Request asked, Executor workers) {
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
            watch(channel, asked, workers);
        });
    }

    /** Closes the connection soon after whoever asked for it may not be there any more. */
    private void watch(Channel channel, Request asked, Executor workers) {
        channel.eventLoop().schedule(() -> look(channel, asked, workers), BETWEEN_LOOKS_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void look(Channel channel, Request asked, Executor workers) {
        if (!channel.isOpen()) {
            return;
        }
        try {
            workers.execute(() -> {
                boolean stays = false;
                try {
                    stays = stands.test(asked);
                } finally {
                    if (stays) {
                        watch(channel, asked, workers);
                    } else {
                        channel.close();
                    }
                }
            });
        } catch (RejectedExecutionException full) {
            watch(channel, asked, workers);
        }
    }
}
