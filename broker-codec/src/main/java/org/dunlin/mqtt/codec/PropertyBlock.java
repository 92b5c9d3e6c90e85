package org.dunlin.mqtt.codec;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.mqtt.UserProperty;
import org.jspecify.annotations.Nullable;

/**
 * Thread of the connection only. The properties of one packet on its way out: gathered, measured, thinned out if the packet
 * would be too large for its receiver, and written. What is null is absent.
 */
final class PropertyBlock {
    private record Entry(
            Property property, long number, @Nullable String text, byte @Nullable [] bytes) {}

    private final List<Entry> entries = new ArrayList<>(0);
    private int size;
    private @Nullable String reasonString;
    private List<UserProperty> droppable = List.of();
    private List<UserProperty> userProperties = List.of();
    private byte @Nullable [] encoded;

    PropertyBlock number(Property property, @Nullable Number value) {
        if (value != null) {
            long number = value.longValue();
            entries.add(new Entry(property, number, null, null));
            size += 1
                    + switch (property.kind()) {
                        case BIT -> 1;
                        case U16, U16_NOT_ZERO, ALIAS -> 2;
                        case U32, U32_NOT_ZERO -> 4;
                        case VBI_NOT_ZERO -> Wire.vbiSize((int) number);
                        case TEXT, TOPIC, BINARY, PAIR ->
                            throw new IllegalArgumentException(property.label() + " is no number");
                    };
        }
        return this;
    }

    /** The value if the condition holds. */
    PropertyBlock when(boolean condition, Property property, long value) {
        return condition ? number(property, value) : this;
    }

    PropertyBlock text(Property property, @Nullable String value) {
        if (value != null) {
            entries.add(new Entry(property, 0, value, null));
            size += 1 + Wire.textSize(value);
        }
        return this;
    }

    PropertyBlock binary(Property property, byte @Nullable [] value) {
        if (value != null) {
            entries.add(new Entry(property, 0, null, value));
            size += 1 + Wire.binarySize(value);
        }
        return this;
    }

    /** User Properties that belong to what the packet says and are never left out. */
    PropertyBlock users(List<UserProperty> values) {
        userProperties = values;
        size += sizeOf(values);
        return this;
    }

    /** Properties in wire form. */
    PropertyBlock encoded(byte[] properties) {
        encoded = properties;
        size += properties.length;
        return this;
    }

    /** Reason String and User Properties that only explain, and that {@link #thinOutToFit} may leave out. */
    PropertyBlock explanation(@Nullable String reason, List<UserProperty> users) {
        reasonString = reason;
        droppable = users;
        size += (reason == null ? 0 : 1 + Wire.textSize(reason)) + sizeOf(users);
        return this;
    }

    private static int sizeOf(List<UserProperty> users) {
        int sum = 0;
        for (UserProperty user : users) {
            sum += 1 + Wire.textSize(user.name()) + Wire.textSize(user.value());
        }
        return sum;
    }

    /** Leaves out the Reason String, or, if it is gone, the explaining User Properties. @return false if nothing was left */
    private boolean thinOut() {
        String reason = reasonString;
        if (reason != null) {
            size -= 1 + Wire.textSize(reason);
            reasonString = null;
            return true;
        }
        if (!droppable.isEmpty()) {
            size -= sizeOf(droppable);
            droppable = List.of();
            return true;
        }
        return false;
    }

    /**
     * Leaves out what only explains until the packet fits, the Reason String first [MQTT-3.2.2-19] [MQTT-3.2.2-20] and
     * likewise for the other packets.
     *
     * @param rest bytes of the packet after its length beside these properties
     * @return false if it cannot be made to fit
     */
    boolean thinOutToFit(long rest, long maximumPacketSize) {
        while (!Wire.fits(rest + wireSize(), maximumPacketSize)) {
            if (!thinOut()) {
                return false;
            }
        }
        return true;
    }

    boolean isEmpty() {
        return size == 0;
    }

    /** Bytes with the property length. */
    int wireSize() {
        return Wire.vbiSize(size) + size;
    }

    /** Writes the property length and the properties [MQTT-2.2.2-1]. */
    void write(ByteBuf out) {
        Wire.writeVbi(out, size);
        for (Entry entry : entries) {
            write(out, entry);
        }
        String reason = reasonString;
        if (reason != null) {
            out.writeByte(Property.REASON_STRING.id());
            Wire.writeText(out, reason);
        }
        write(out, droppable);
        write(out, userProperties);
        byte[] ready = encoded;
        if (ready != null) {
            out.writeBytes(ready);
        }
    }

    private static void write(ByteBuf out, Entry entry) {
        out.writeByte(entry.property.id());
        String text = entry.text;
        byte[] bytes = entry.bytes;
        if (text != null) {
            Wire.writeText(out, text);
        } else if (bytes != null) {
            Wire.writeBinary(out, bytes);
        } else {
            switch (entry.property.kind()) {
                case BIT -> out.writeByte((int) entry.number);
                case U16, U16_NOT_ZERO, ALIAS -> out.writeShort((int) entry.number);
                case U32, U32_NOT_ZERO -> out.writeInt((int) entry.number);
                default -> Wire.writeVbi(out, (int) entry.number);
            }
        }
    }

    private static void write(ByteBuf out, List<UserProperty> users) {
        for (UserProperty user : users) {
            out.writeByte(Property.USER_PROPERTY.id());
            Wire.writeText(out, user.name());
            Wire.writeText(out, user.value());
        }
    }
}
