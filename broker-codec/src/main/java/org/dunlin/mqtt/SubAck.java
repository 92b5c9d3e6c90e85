package org.dunlin.mqtt;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** SUBACK: one code for each filter, in their order. An encoder for 3.x writes any error as 0x80. */
public record SubAck(
        int packetId, List<ReasonCode> reasons, @Nullable String reasonString, List<UserProperty> userProperties)
        implements Packet {

    public SubAck(int packetId, List<ReasonCode> reasons) {
        this(packetId, reasons, null, List.of());
    }

    @Override
    public PacketType type() {
        return PacketType.SUBACK;
    }
}
