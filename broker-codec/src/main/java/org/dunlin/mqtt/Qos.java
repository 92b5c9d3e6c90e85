package org.dunlin.mqtt;

/** Quality of service of an application message or a subscription. */
public enum Qos {
    AT_MOST_ONCE,
    AT_LEAST_ONCE,
    EXACTLY_ONCE;

    private static final Qos[] BY_VALUE = values();

    /** The number on the wire: 0, 1 or 2. */
    public int value() {
        return ordinal();
    }

    /** @param value 0, 1 or 2; anything else is a fault of the caller, who has checked the wire before */
    public static Qos of(int value) {
        return BY_VALUE[value];
    }

    /** The lower of the two: what a subscriber gets of a message [MQTT-3.8.4-8]. */
    public static Qos min(Qos a, Qos b) {
        return a.ordinal() <= b.ordinal() ? a : b;
    }

    public static Qos max(Qos a, Qos b) {
        return a.ordinal() >= b.ordinal() ? a : b;
    }
}
