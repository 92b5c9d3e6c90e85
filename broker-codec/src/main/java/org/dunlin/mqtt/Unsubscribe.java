package org.dunlin.mqtt;

import java.util.List;

/** UNSUBSCRIBE: at least one filter, as the client wrote it. */
public record Unsubscribe(int packetId, List<String> filters, List<UserProperty> userProperties) implements Packet {

    @Override
    public PacketType type() {
        return PacketType.UNSUBSCRIBE;
    }
}
