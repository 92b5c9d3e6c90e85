package org.dunlin.it.clients;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A message as any client library sees it. Any thread.
 *
 * @param userProperties in turn name and value; MQTT 5 only, as all that follows
 * @param expirySeconds -1 if there is none
 * @param subscriptionIds of a message that was received
 */
record AppMessage(
        String topic,
        byte[] payload,
        int qos,
        boolean retain,
        List<String> userProperties,
        long expirySeconds,
        @Nullable String responseTopic,
        byte @Nullable [] correlationData,
        List<Integer> subscriptionIds) {

    static AppMessage of(String topic, byte[] payload, int qos, boolean retain) {
        return new AppMessage(topic, payload, qos, retain, List.of(), -1, null, null, List.of());
    }

    static AppMessage of(String topic, String payload, int qos) {
        return of(topic, payload.getBytes(StandardCharsets.UTF_8), qos, false);
    }

    AppMessage retained() {
        return of(topic, payload, qos, true);
    }

    String text() {
        return new String(payload, StandardCharsets.UTF_8);
    }
}
