package org.dunlin.mqtt;

import java.util.List;

/**
 * PUBLISH: a message and what is of this one transmission. A decoder has resolved a topic alias already, so that the
 * message always has its topic; an encoder that is given an alias writes both.
 *
 * @param packetId 1 to 65,535; 0 with QoS 0
 * @param topicAlias 0 if there is none
 * @param subscriptionIds Subscription Identifiers, only from server to client
 */
public record Publish(Message message, int packetId, boolean dup, int topicAlias, List<Integer> subscriptionIds)
        implements Packet {

    public Publish(Message message, int packetId, boolean dup) {
        this(message, packetId, dup, 0, List.of());
    }

    @Override
    public PacketType type() {
        return PacketType.PUBLISH;
    }
}
