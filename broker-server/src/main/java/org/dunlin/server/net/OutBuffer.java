package org.dunlin.server.net;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import org.jspecify.annotations.Nullable;

/**
 * On the thread of its connection's loop only. What waits for one client's socket: what has been gathered for the end of the turn, and
 * what Netty has got and the socket has not taken.
 */
final class OutBuffer {
    private static final int FIRST_BYTES = 512;

    private final ChannelHandlerContext ctx;
    private @Nullable ByteBuf gathered;
    /** Netty has got something that it has not been told to send. */
    private boolean unflushed;

    OutBuffer(ChannelHandlerContext ctx) {
        this.ctx = ctx;
    }

    /** What is next is to be written to its end, before anything else is asked of this. */
    ByteBuf buffer() {
        ByteBuf buffer = gathered;
        if (buffer == null) {
            buffer = ctx.alloc().directBuffer(FIRST_BYTES);
            gathered = buffer;
        }
        return buffer;
    }

    /** Adds bytes without copying them, and releases them when they are sent. Not while the channel moves. */
    void append(ByteBuf bytes) {
        ByteBuf before = gathered;
        gathered = null;
        if (before != null) {
            ctx.write(before, ctx.voidPromise());
        }
        ctx.write(bytes, ctx.voidPromise());
        unflushed = true;
    }

    /** Whether a flush would send nothing more. */
    boolean isEmpty() {
        return gathered == null && !unflushed;
    }

    /** Bytes that the peer's socket has not taken. */
    long pendingBytes() {
        ByteBuf buffer = gathered;
        long ours = buffer == null ? 0 : buffer.readableBytes();
        return ours + writtenBytes();
    }

    /** Those of them that Netty has got: it counts them from then on, and while TLS holds them too. */
    long writtenBytes() {
        ChannelOutboundBuffer waiting = ctx.channel().unsafe().outboundBuffer();
        return waiting == null ? 0 : waiting.totalPendingWriteBytes();
    }

    /** Sends as much as the socket takes. @return false if there was nothing */
    boolean flush() {
        ByteBuf buffer = gathered;
        gathered = null;
        if (buffer != null && !buffer.isReadable()) {
            buffer.release();
            buffer = null;
        }
        if (buffer == null && !unflushed) {
            return false;
        }
        unflushed = false;
        if (buffer == null) {
            ctx.flush();
        } else {
            ctx.writeAndFlush(buffer, ctx.voidPromise());
        }
        return true;
    }

    /** Forgets what has been gathered. */
    void release() {
        ByteBuf buffer = gathered;
        gathered = null;
        if (buffer != null) {
            buffer.release();
        }
    }
}
