package org.dunlin.server.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/** Any thread that owns the buffers. Bytes that have come and are not decoded yet, in as little memory as they need. */
final class Undecoded {
    private static final int SMALLEST_BUFFER = 256;

    private Undecoded() {}

    /** What was kept and what has come behind it, in one buffer that takes over both references. */
    static ByteBuf join(ByteBufAllocator allocator, ByteBuf kept, ByteBuf in) {
        int bytes = in.readableBytes();
        ByteBuf joined = kept;
        if (kept.isReadOnly() || kept.refCnt() > 1 || kept.maxWritableBytes() < bytes) {
            joined = allocator.buffer(kept.readableBytes() + bytes);
            joined.writeBytes(kept);
            kept.release();
        }
        joined.writeBytes(in);
        in.release();
        return joined;
    }

    /** The same bytes, taking over the reference: a few of them must not keep a whole receive buffer. */
    static ByteBuf compact(ByteBuf in) {
        int bytes = in.readableBytes();
        if (bytes > in.capacity() / 2) {
            return in;
        }
        ByteBuf small = in.alloc().buffer(Math.max(SMALLEST_BUFFER, 2 * bytes));
        small.writeBytes(in);
        in.release();
        return small;
    }
}
