package org.dunlin.mqtt.codec;

import org.dunlin.mqtt.ReasonCode;

/**
 * Bytes that are no valid packet, or a packet that may not come here. The only exception that a decoder throws; it
 * carries the reason code for the peer, a text for people that quotes no input unescaped, and no stack trace.
 */
public final class ProtocolError extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ReasonCode reason;

    public ProtocolError(ReasonCode reason, String text) {
        super(text, null, false, false);
        this.reason = reason;
    }

    static ProtocolError malformed(String text) {
        return new ProtocolError(ReasonCode.MALFORMED_PACKET, text);
    }

    static ProtocolError violation(String text) {
        return new ProtocolError(ReasonCode.PROTOCOL_ERROR, text);
    }

    public ReasonCode reason() {
        return reason;
    }

    /** The text for people; never null. */
    public String text() {
        return String.valueOf(getMessage());
    }
}
