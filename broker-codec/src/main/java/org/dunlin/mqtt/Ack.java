package org.dunlin.mqtt;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * PUBACK, PUBREC, PUBREL or PUBCOMP, which differ in nothing but their type. For 3.x the packet identifier is all.
 *
 * @param packetId 1 to 65,535
 */
public record Ack(
        PacketType type,
        int packetId,
        ReasonCode reason,
        @Nullable String reasonString,
        List<UserProperty> userProperties)
        implements Packet {

    public Ack(PacketType type, int packetId, ReasonCode reason) {
        this(type, packetId, reason, null, List.of());
    }

    public Ack(PacketType type, int packetId) {
        this(type, packetId, ReasonCode.SUCCESS, null, List.of());
    }
}
