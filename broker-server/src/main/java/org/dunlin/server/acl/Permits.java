package org.dunlin.server.acl;

import org.dunlin.mqtt.Qos;

/**
 * Sets of single things that a client may do, as bits: to publish with each QoS, with and without RETAIN, to subscribe with each
 * QoS, to receive. The upper half of an int has the same bits for what is denied. Any thread.
 */
final class Permits {
    static final int ALL_PUBLISH = 0b0_000_111111;
    static final int ALL_SUBSCRIBE = 0b0_111_000000;
    static final int RECEIVE = 0b1_000_000000;
    static final int ALL = ALL_PUBLISH | ALL_SUBSCRIBE | RECEIVE;

    /** How far what is denied is shifted. */
    private static final int DENIED = 16;
    /** Both halves' lower ones cleared by it: what is denied stays. */
    static final int DENIALS_ONLY = ALL << DENIED;

    private static final int SUBSCRIBE_SHIFT = 6;

    private Permits() {}

    static int publish(Qos qos, boolean retain) {
        return 1 << (qos.value() * 2 + (retain ? 1 : 0));
    }

    static int subscribe(Qos qos) {
        return 1 << (SUBSCRIBE_SHIFT + qos.value());
    }

    static int of(Action action) {
        return switch (action) {
            case PUBLISH -> ALL_PUBLISH;
            case SUBSCRIBE -> ALL_SUBSCRIBE;
            case RECEIVE -> RECEIVE;
        };
    }

    /** Those of them that keep to the limits. */
    static int within(int permits, Qos most, boolean retain) {
        int kept = RECEIVE;
        for (int qos = 0; qos <= most.value(); qos++) {
            kept |= subscribe(Qos.of(qos)) | publish(Qos.of(qos), false);
            kept |= retain ? publish(Qos.of(qos), true) : 0;
        }
        return permits & kept;
    }

    /** As a denial of all of them. */
    static int denial(int permits) {
        return permits << DENIED;
    }

    /** What is allowed and not denied. */
    static int effective(int found) {
        return found & ~(found >>> DENIED) & ALL;
    }

    /** What is denied. */
    static int denied(int found) {
        return found >>> DENIED;
    }
}
