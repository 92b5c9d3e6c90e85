package org.dunlin.mqtt;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** AUTH of MQTT 5: one step of an enhanced authentication. */
public record Auth(
        ReasonCode reason,
        String method,
        byte @Nullable [] data,
        @Nullable String reasonString,
        List<UserProperty> userProperties)
        implements Packet {

    public Auth(ReasonCode reason, String method, byte @Nullable [] data) {
        this(reason, method, data, null, List.of());
    }

    @Override
    public PacketType type() {
        return PacketType.AUTH;
    }
}
