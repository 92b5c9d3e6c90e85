package org.dunlin.mqtt;

/** The fifteen kinds of control packet; the ordinal plus one is the type on the wire. */
public enum PacketType {
    CONNECT(0),
    CONNACK(0),
    PUBLISH(-1),
    PUBACK(0),
    PUBREC(0),
    PUBREL(2),
    PUBCOMP(0),
    SUBSCRIBE(2),
    SUBACK(0),
    UNSUBSCRIBE(2),
    UNSUBACK(0),
    PINGREQ(0),
    PINGRESP(0),
    DISCONNECT(0),
    AUTH(0);

    private static final PacketType[] BY_ORDINAL = values();

    private final int flags;

    PacketType(int flags) {
        this.flags = flags;
    }

    /** The type on the wire, 1 to 15: the upper four bits of the first byte. */
    public int value() {
        return ordinal() + 1;
    }

    /** The lower four bits of the first byte [MQTT-2.1.3-1]; -1 for PUBLISH, where they carry DUP, QoS and RETAIN. */
    public int flags() {
        return flags;
    }

    /** @param value 1 to 15 */
    public static PacketType of(int value) {
        return BY_ORDINAL[value - 1];
    }
}
