package org.dunlin.mqtt;

/** A control packet. Each kind is a record of its own; those of MQTT 5 that older versions lack are left at their defaults there. */
public sealed interface Packet
        permits Connect, ConnAck, Publish, Ack, Subscribe, SubAck, Unsubscribe, UnsubAck, Ping, Disconnect, Auth {

    PacketType type();
}
