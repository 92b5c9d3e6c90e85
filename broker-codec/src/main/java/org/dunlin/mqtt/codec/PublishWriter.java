package org.dunlin.mqtt.codec;

import io.netty.buffer.ByteBuf;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.jspecify.annotations.Nullable;

/**
 * Thread of the event loop only; one for each loop. Writes a message to its receivers. The first time it is laid out
 * field by field into the receiver's buffer; while the same message goes to further receivers of the same layout, the
 * bytes are copied and only first byte, packet identifier, remaining expiry and alias are changed. Receivers with
 * subscription identifiers, and those told a new alias, get a head of their own.
 */
public final class PublishWriter {
    /** A larger payload is not written here but left to the caller, in bytes. */
    public static final int INLINE_PAYLOAD_MAX = 8 * 1024;

    /** Larger layouts are not kept, which bounds what a loop holds, in bytes. */
    private static final int KEPT_MAX = 2 * INLINE_PAYLOAD_MAX;

    /** What became of it. */
    public enum Result {
        WRITTEN,
        /** All but the payload was written: the caller has to send {@link Message#payload()} right after it. */
        HEADER_WRITTEN,
        /** It exceeds the receiver's Maximum Packet Size; nothing was written [MQTT-3.1.2-24]. */
        TOO_LARGE
    }

    private final Layout[] layouts = new Layout[8];
    private @Nullable Message last;
    private long burst;

    public PublishWriter() {
        for (int i = 0; i < layouts.length; i++) {
            layouts[i] = new Layout();
        }
    }

    /**
     * Appends a PUBLISH.
     *
     * @param qos what the receiver gets it with
     * @param dup not written with QoS 0 [MQTT-3.3.1-2]
     * @param packetId ignored with QoS 0
     * @param subscriptionIds ignored for 3.x
     * @param nowMillis on the clock of {@link Message#expiresAtMillis()}
     */
    public Result write(
            ByteBuf out,
            OutboundTerms to,
            Message message,
            Qos qos,
            boolean retain,
            boolean dup,
            int packetId,
            int[] subscriptionIds,
            long nowMillis) {
        boolean repeated = message == last;
        if (!repeated) {
            last = message;
            burst++;
        }
        boolean v5 = to.version().isV5();
        int[] ids = v5 ? subscriptionIds : PublishCodec.NO_IDS;
        boolean mayAlias = to.mayAlias(message.topic());
        int known = mayAlias ? to.aliasOf(message.topic()) : 0;
        int fresh = mayAlias && known == 0 ? to.freeAlias() : 0;
        int first = PublishCodec.firstByte(qos, retain, dup);
        boolean withId = qos != Qos.AT_MOST_ONCE;
        boolean inline = message.payload().length <= INLINE_PAYLOAD_MAX;
        Layout layout = fresh != 0 || ids.length > 0 ? null : layouts[Layout.index(v5, withId, known != 0)];
        if (layout != null && layout.burst == burst) {
            if (layout.packetSize > to.maximumPacketSize()) {
                return Result.TOO_LARGE;
            }
            layout.write(out, message, first, packetId, known, nowMillis);
            return inline ? Result.WRITTEN : Result.HEADER_WRITTEN;
        }

        int alias = known + fresh;
        long body = PublishCodec.bodySize(message, known == 0, withId, v5, alias, ids);
        if (fresh != 0 && !Wire.fits(body, to.maximumPacketSize())) {
            fresh = 0; // the three bytes of a new alias may be those too many
            alias = 0;
            body = PublishCodec.bodySize(message, true, withId, v5, alias, ids);
        }
        if (!Wire.fits(body, to.maximumPacketSize())) {
            return Result.TOO_LARGE;
        }
        int start = out.writerIndex();
        PublishCodec.writeHead(out, message, first, (int) body, known == 0, packetId, v5, alias, ids, nowMillis);
        if (inline) {
            out.writeBytes(message.payload());
        }
        if (fresh != 0) {
            to.told(message.topic(), fresh);
        }
        if (repeated && layout != null) {
            layout.keep(out, start, message, (int) body, withId, v5, known != 0, burst);
        }
        return inline ? Result.WRITTEN : Result.HEADER_WRITTEN;
    }

    /** Whether {@link #write} would write it. */
    public static boolean fits(OutboundTerms to, Message message, Qos qos, int[] subscriptionIds) {
        boolean v5 = to.version().isV5();
        int known = to.mayAlias(message.topic()) ? to.aliasOf(message.topic()) : 0;
        int[] ids = v5 ? subscriptionIds : PublishCodec.NO_IDS;
        long body = PublishCodec.bodySize(message, known == 0, qos != Qos.AT_MOST_ONCE, v5, known, ids);
        return Wire.fits(body, to.maximumPacketSize());
    }

    /** Lets go of the message; to be called when a burst is over. */
    public void forget() {
        last = null;
        burst++;
    }

    /** One way to lay out the latest message: version, with or without packet identifier, topic or its alias. */
    private static final class Layout {
        private byte[] bytes = Message.NO_BYTES;
        private int size;
        private long burst;
        private long packetSize;
        private int idAt;
        private int expiryAt;
        private int aliasAt;

        private static int index(boolean v5, boolean withId, boolean aliased) {
            return (v5 ? 1 : 0) | (withId ? 2 : 0) | (aliased ? 4 : 0);
        }

        /** Takes over what has just been written, unless it is large. */
        private void keep(
                ByteBuf out,
                int start,
                Message message,
                int body,
                boolean withId,
                boolean v5,
                boolean aliased,
                long ofBurst) {
            int written = out.writerIndex() - start;
            if (written > KEPT_MAX) {
                return;
            }
            if (bytes.length < written) {
                bytes = new byte[Math.max(written, Math.min(2 * bytes.length, KEPT_MAX))];
            }
            out.getBytes(start, bytes, 0, written);
            size = written;
            packetSize = 1L + Wire.vbiSize(body) + body;
            int at = 1 + Wire.vbiSize(body) + 2 + (aliased ? 0 : message.topic().utf8().length);
            idAt = withId ? at : 0;
            at += withId ? 2 : 0;
            expiryAt = 0;
            aliasAt = 0;
            if (v5) {
                while (bytes[at++] < 0) { // the bytes of the property length that say that more follow
                }
                if (message.hasExpiry()) {
                    expiryAt = at + 1;
                    at += 5;
                }
                aliasAt = aliased ? at + 1 : 0;
            }
            burst = ofBurst;
        }

        private void write(ByteBuf out, Message message, int first, int packetId, int alias, long nowMillis) {
            int start = out.writerIndex();
            out.writeBytes(bytes, 0, size);
            out.setByte(start, first);
            if (idAt != 0) {
                out.setShort(start + idAt, packetId);
            }
            if (expiryAt != 0) {
                out.setInt(start + expiryAt, PublishCodec.expiry(message, nowMillis));
            }
            if (aliasAt != 0) {
                out.setShort(start + aliasAt, alias);
            }
        }
    }
}
