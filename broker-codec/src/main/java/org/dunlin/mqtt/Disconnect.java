package org.dunlin.mqtt;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * DISCONNECT; in 3.x a client sends it without content and a server not at all.
 *
 * @param sessionExpirySeconds null if absent; never set by a server [MQTT-3.14.2-2]
 */
public record Disconnect(
        ReasonCode reason,
        @Nullable Long sessionExpirySeconds,
        @Nullable String reasonString,
        @Nullable String serverReference,
        List<UserProperty> userProperties)
        implements Packet {

    public Disconnect(ReasonCode reason) {
        this(reason, null, null, null, List.of());
    }

    public Disconnect(ReasonCode reason, @Nullable String reasonString) {
        this(reason, null, reasonString, null, List.of());
    }

    @Override
    public PacketType type() {
        return PacketType.DISCONNECT;
    }
}
