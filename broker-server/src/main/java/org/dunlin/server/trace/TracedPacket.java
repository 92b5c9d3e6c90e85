package org.dunlin.server.trace;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One packet that was seen, or what became of its connection. Immutable; any thread. Texts are as clients have sent them, cut if
 * they are long: who shows them escapes them.
 *
 * @param time of day, in UTC
 * @param leftOut packets before this one that are not shown, since the reader did not keep up
 * @param direction "in" from the client, "out" to it, "-" for what is no packet
 * @param clientId null as long as it is not known
 * @param packet in the standard's words, like PUBLISH; or "opened", "closed", "malformed"
 * @param packetId null where there is none
 * @param flags like "qos 1", "retain", "clean start"
 * @param reason by its name and number; null where there is none
 * @param details filters of SUBSCRIBE and UNSUBSCRIBE, reasons of SUBACK and UNSUBACK, all properties
 * @param payloadBytes null if there is no payload
 * @param payload its beginning, as text or in hexadecimal; null if none is to be shown
 * @param payloadIsHex whether it is no text
 */
public record TracedPacket(
        String time,
        int leftOut,
        String direction,
        @Nullable String clientId,
        String address,
        String packet,
        @Nullable Integer packetId,
        List<String> flags,
        @Nullable String topic,
        @Nullable String reason,
        List<String> details,
        @Nullable Integer payloadBytes,
        @Nullable String payload,
        boolean payloadIsHex) {
    public TracedPacket {
        flags = List.copyOf(flags);
        details = List.copyOf(details);
    }

    /** Bytes that it takes of a ring, about. */
    int weight() {
        int weight = 300 + length(topic) + length(payload) + length(reason);
        for (String detail : details) {
            weight += 60 + 2 * detail.length();
        }
        return weight;
    }

    private static int length(@Nullable String text) {
        return text == null ? 0 : 2 * text.length();
    }

    TracedPacket behind(int leftOut) {
        return new TracedPacket(
                time,
                leftOut,
                direction,
                clientId,
                address,
                packet,
                packetId,
                flags,
                topic,
                reason,
                details,
                payloadBytes,
                payload,
                payloadIsHex);
    }
}
