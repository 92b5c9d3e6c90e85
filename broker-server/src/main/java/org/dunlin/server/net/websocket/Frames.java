package org.dunlin.server.net.websocket;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import org.dunlin.server.net.Layer;
import org.jspecify.annotations.Nullable;

/**
 * Thread of the channel's loop only. Binary frames to the bytes of MQTT and back [MQTT-6.0.0-1]. Payloads are handed on as
 * they come, however frames and packets lie [MQTT-6.0.0-2]: nothing is kept but the head of a frame and the payload of a
 * control frame, so a length that is announced costs nothing.
 */
final class Frames extends ChannelDuplexHandler {
    private static final int CONTINUATION = 0;
    private static final int TEXT = 1;
    private static final int BINARY = 2;
    private static final int CLOSE = 8;
    private static final int PING = 9;
    private static final int PONG = 10;

    private static final int NORMAL = 1000;
    private static final int PROTOCOL_ERROR = 1002;
    private static final int UNSUPPORTED_DATA = 1003;
    private static final int TOO_BIG = 1009;
    private static final int NO_CODE = 1005;
    private static final int POLICY = 1008;

    /** Pings, pongs and empty frames, which cost us something and carry nothing. */
    static final int IDLE_FRAMES_A_SECOND = 100;

    private static final long SECOND_NANOS = 1_000_000_000L;

    private static final int FIN = 0x80;
    private static final int MASKED = 0x80;
    private static final int HEAD_MAX = 14;
    private static final int CONTROL_MAX = 125;

    private final int maxFrameBytes;
    private final byte[] head = new byte[HEAD_MAX];
    private int headBytes;

    /** Payload of the frame that is still to come; -1 while its head is not complete. */
    private long rest = -1;

    private int opcode;
    private int mask;

    /** The frame brings nothing for MQTT. */
    private boolean idle;

    /** A message has begun whose last frame has not come. */
    private boolean fragmented;

    private final byte[] control = new byte[CONTROL_MAX];
    private int controlBytes;

    /** What the peer sends is no longer looked at, or it has said that it sends no more. */
    private boolean deaf;

    private boolean closeSent;
    private int closeCode = NORMAL;
    private boolean ponged;
    private long since = System.nanoTime();
    private int idleFrames;

    Frames(int maxFrameBytes) {
        this.maxFrameBytes = maxFrameBytes;
    }

    // ------------------------------------------------------------------------------------------------------- input

    /** Payloads are moved together at the front of the buffer that they came in: no copy, one read for MQTT. */
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf in = (ByteBuf) message;
        int start = in.readerIndex();
        int end = start;
        Object event = null;
        while (event == null && !deaf && in.isReadable()) {
            if (rest < 0) {
                event = readHead(in);
                if (event != null || rest < 0) {
                    continue;
                }
            }
            int bytes = (int) Math.min(rest, in.readableBytes());
            if (opcode >= CLOSE) {
                in.readBytes(control, controlBytes, bytes);
                controlBytes += bytes;
            } else {
                unmask(in, bytes, end);
                end += bytes;
            }
            rest -= bytes;
            if (rest == 0) {
                event = endOfFrame(context);
            }
        }
        if (end > start) {
            in.setIndex(start, end);
            context.fireChannelRead(in);
        } else {
            in.release();
        }
        if (event != null) {
            deaf = true;
            context.fireUserEventTriggered(event);
        }
    }

    /** An event, if the frame is not to be. */
    private @Nullable Object readHead(ByteBuf in) {
        while (headBytes < 2 || headBytes < headLength()) {
            if (!in.isReadable()) {
                return null;
            }
            head[headBytes++] = in.readByte();
        }
        headBytes = 0;
        int first = head[0] & 0xff;
        opcode = first & 0x0f;
        boolean last = (first & FIN) != 0;
        int announced = head[1] & 0x7f;
        long length = announced < 126 ? announced : number(2, announced == 126 ? 2 : 8);
        Layer.Violated fault = fault(first, last, announced, length);
        if (fault != null) {
            return fault;
        }
        if (opcode < CLOSE) {
            fragmented = !last;
        }
        mask = (int) number(headLength() - Integer.BYTES, Integer.BYTES);
        controlBytes = 0;
        rest = length;
        idle = opcode > CLOSE || length == 0;
        return null;
    }

    private int headLength() {
        int announced = head[1] & 0x7f;
        return 2 + (announced == 126 ? 2 : announced == 127 ? 8 : 0) + ((head[1] & MASKED) != 0 ? 4 : 0);
    }

    private long number(int from, int bytes) {
        long value = 0;
        for (int i = from; i < from + bytes; i++) {
            value = value << 8 | head[i] & 0xff;
        }
        return value;
    }

    private Layer.@Nullable Violated fault(int first, boolean last, int announced, long length) {
        if ((first & 0x70) != 0) {
            return violated(PROTOCOL_ERROR, "a reserved bit is set, but no extension was agreed on");
        }
        if ((head[1] & MASKED) == 0) {
            return violated(PROTOCOL_ERROR, "a frame is not masked");
        }
        if (opcode >= CLOSE) {
            if (opcode > PONG) {
                return violated(PROTOCOL_ERROR, "opcode " + opcode);
            }
            return last && announced <= CONTROL_MAX
                    ? null
                    : violated(PROTOCOL_ERROR, "a control frame is fragmented or too long");
        }
        if (opcode == TEXT) {
            return violated(UNSUPPORTED_DATA, "a text frame; MQTT takes binary frames");
        }
        if (opcode > BINARY) {
            return violated(PROTOCOL_ERROR, "opcode " + opcode);
        }
        if ((opcode == CONTINUATION) != fragmented) {
            return violated(PROTOCOL_ERROR, "fragments of messages are mixed up");
        }
        if (length < 0 || (announced == 126 && length < 126) || (announced == 127 && length <= 0xffff)) {
            return violated(PROTOCOL_ERROR, "a length that is not written as it has to be");
        }
        return length <= maxFrameBytes
                ? null
                : violated(TOO_BIG, "a frame of " + length + " bytes, more than limits.max-packet-size");
    }

    private Layer.Violated violated(int code, String what) {
        closeCode = code;
        return new Layer.Violated("WebSocket: " + what);
    }

    /** Takes the mask off, and moves to an index that is not behind the bytes. */
    private void unmask(ByteBuf in, int bytes, int to) {
        int from = in.readerIndex();
        long both = (long) mask << 32 | mask & 0xffffffffL;
        int i = 0;
        for (; i + Long.BYTES <= bytes; i += Long.BYTES) {
            in.setLong(to + i, in.getLong(from + i) ^ both);
        }
        for (; i < bytes; i++) {
            in.setByte(to + i, in.getByte(from + i) ^ mask >>> (24 - 8 * (i & 3)));
        }
        mask = Integer.rotateLeft(mask, 8 * (bytes & 3));
        in.skipBytes(bytes);
    }

    private @Nullable Object endOfFrame(ChannelHandlerContext context) {
        rest = -1;
        if (idle && isFlood()) {
            return violated(POLICY, "more than " + IDLE_FRAMES_A_SECOND + " pings or empty frames within a second");
        }
        if (opcode >= CLOSE) {
            for (int i = 0; i < controlBytes; i++) {
                control[i] ^= (byte) (mask >>> (24 - 8 * (i & 3)));
            }
        }
        if (opcode == PING) {
            answerPing(context);
        }
        return opcode == CLOSE ? closed() : null;
    }

    private boolean isFlood() {
        long now = System.nanoTime();
        if (now - since > SECOND_NANOS) {
            since = now;
            idleFrames = 0;
        }
        return ++idleFrames > IDLE_FRAMES_A_SECOND;
    }

    /** Unless pongs pile up already: whoever does not take them gets no more, as RFC 6455 allows. */
    private void answerPing(ChannelHandlerContext context) {
        if (closeSent || !context.channel().isWritable()) {
            return;
        }
        ByteBuf pong = context.alloc().ioBuffer(2 + controlBytes);
        pong.writeByte(FIN | PONG).writeByte(controlBytes).writeBytes(control, 0, controlBytes);
        context.write(pong, context.voidPromise());
        ponged = true;
    }

    private Object closed() {
        if (controlBytes == 0) {
            closeCode = NO_CODE;
            return Layer.EndOfInput.INSTANCE;
        }
        int code = controlBytes == 1 ? 0 : (control[0] & 0xff) << 8 | control[1] & 0xff;
        boolean reserved = code == 1004 || code == NO_CODE || code == 1006 || (code > 1014 && code < 3000);
        if (code < NORMAL || code >= 5000 || reserved) {
            return violated(PROTOCOL_ERROR, "a close frame without a valid code");
        }
        closeCode = code;
        return Layer.EndOfInput.INSTANCE;
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        if (ponged) {
            ponged = false;
            context.flush();
        }
        context.fireChannelReadComplete();
    }

    // ------------------------------------------------------------------------------------------------------ output

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        if (!(message instanceof ByteBuf payload) || !payload.isReadable()) {
            context.write(message, promise);
            return;
        }
        if (closeSent) {
            payload.release();
            promise.trySuccess();
            return;
        }
        int length = payload.readableBytes();
        ByteBuf out = context.alloc().ioBuffer(HEAD_MAX);
        out.writeByte(FIN | BINARY);
        if (length < 126) {
            out.writeByte(length);
        } else if (length <= 0xffff) {
            out.writeByte(126).writeShort(length);
        } else {
            out.writeByte(127).writeLong(length);
        }
        context.write(out, context.voidPromise());
        context.write(payload, promise);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event == Layer.Goodbye.INSTANCE && !closeSent) {
            closeSent = true;
            ByteBuf close = context.alloc().ioBuffer(4);
            close.writeByte(FIN | CLOSE);
            if (closeCode == NO_CODE) {
                close.writeByte(0);
            } else {
                close.writeByte(2).writeShort(closeCode);
            }
            context.writeAndFlush(close, context.voidPromise());
        }
        context.fireUserEventTriggered(event);
    }
}
