package org.dunlin.server.net;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;

/** Thread of the channel's loop only. How a connection ends that has had its say: both sides know that all was said. */
final class Farewell {
    private Farewell() {}

    /**
     * Says goodbye in every layer, shuts down the output and lets the handler read the rest to nowhere: a socket closed
     * with unread input resets the connection, and the peer would lose what it was sent last.
     *
     * @param saidAll run when the peer's socket has all, or never will: from then on the end of its input is the end
     */
    static void say(ChannelHandlerContext ctx, MqttChannelHandler input, Runnable saidAll) {
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
            saidAll.run();
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
