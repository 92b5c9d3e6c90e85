package org.dunlin.server.net;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;

/** Thread of the channel's loop only. How a connection ends that has had its say: both sides know that all was said. */
final class Farewell {
    private final ChannelHandlerContext ctx;
    private final MqttChannelHandler input;
    private boolean saidAll;

    Farewell(ChannelHandlerContext ctx, MqttChannelHandler input) {
        this.ctx = ctx;
        this.input = input;
    }

    /**
     * Says goodbye in every layer, shuts down the output and lets the handler read the rest to nowhere: a socket closed
     * with unread input resets the connection, and the peer would lose what it was sent last.
     */
    void say() {
        Channel channel = ctx.channel();
        if (!channel.isActive()) {
            return;
        }
        input.drain();
        ctx.pipeline().fireUserEventTriggered(Layer.Goodbye.INSTANCE);
        SslHandler tls = ctx.pipeline().get(SslHandler.class);
        if (tls != null) {
            tls.closeOutbound();
        }
        markTaken(channel).addListener(done -> {
            saidAll = true;
            if (done.isSuccess() && channel instanceof DuplexChannel duplex && !input.isEnded()) {
                duplex.shutdownOutput().addListener(shut -> {
                    if (!shut.isSuccess()) {
                        channel.close();
                    }
                });
            } else {
                channel.close();
            }
        });
    }

    /** The peer sends no more while we wait for that; it may still have something to read. */
    void heardAll() {
        if (saidAll) {
            ctx.channel().close();
        }
    }

    /**
     * What is kept when the peer's socket has taken all that was written so far, or never will; on the loop that the channel
     * lives on then, since the promise has no executor of its own.
     */
    static ChannelPromise markTaken(Channel channel) {
        ChannelPromise promise = channel.newPromise();
        Channel.Unsafe socket = channel.unsafe();
        socket.write(Unpooled.EMPTY_BUFFER, promise);
        socket.flush();
        return promise;
    }
}
