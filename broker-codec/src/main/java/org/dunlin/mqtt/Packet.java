package org.dunlin.mqtt;

/**
 * A control packet. The four acknowledgements of PUBLISH share a record, the two pings an enum, every other kind has a
 * record of its own; what of MQTT 5 an older version lacks stands at its default there. Arrays in packets are shared
 * and must not be written to; records that have some are equal only if the arrays are the same. Any thread.
 */
public sealed interface Packet
        permits Connect, ConnAck, Publish, Ack, Subscribe, SubAck, Unsubscribe, UnsubAck, Ping, Disconnect, Auth {

    PacketType type();
}
