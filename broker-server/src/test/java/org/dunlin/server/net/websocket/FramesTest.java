package org.dunlin.server.net.websocket;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.embedded.EmbeddedChannel;
import org.junit.jupiter.api.Test;

/** Frames without a socket, where it can be said how much of what was written has been taken. */
class FramesTest {
    private static ByteBuf ping() {
        return Unpooled.wrappedBuffer(new byte[] {(byte) 0x89, (byte) 0x81, 0, 0, 0, 0, 7});
    }

    @Test
    void ping_whilePongsPileUp_isNotAnswered() {
        EmbeddedChannel channel = new EmbeddedChannel(new Frames(1000));
        channel.config().setWriteBufferWaterMark(new WriteBufferWaterMark(1, 100));
        ByteBuf waiting = Unpooled.wrappedBuffer(new byte[200]);
        channel.unsafe().write(waiting, channel.newPromise());

        channel.pipeline().fireChannelRead(ping()); // written is nothing of it while the first waits

        channel.flushOutbound();
        assertEquals(200, channel.<ByteBuf>readOutbound().readableBytes());
        assertNull(channel.readOutbound());

        channel.writeInbound(ping());
        ByteBuf pong = channel.readOutbound();
        assertNotNull(pong, "answered again");
        assertEquals(0x8a, pong.readUnsignedByte());
        pong.release();
        waiting.release();
        channel.finishAndReleaseAll();
    }
}
