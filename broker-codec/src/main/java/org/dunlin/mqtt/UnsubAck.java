package org.dunlin.mqtt;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * UNSUBACK: one code for each filter, in their order. For 3.x the packet identifier is all, and a decoder leaves the
 * list empty.
 */
public record UnsubAck(
        int packetId, List<ReasonCode> reasons, @Nullable String reasonString, List<UserProperty> userProperties)
        implements Packet {

    public UnsubAck(int packetId, List<ReasonCode> reasons) {
        this(packetId, reasons, null, List.of());
    }

    @Override
    public PacketType type() {
        return PacketType.UNSUBACK;
    }
}
