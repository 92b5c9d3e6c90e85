package org.dunlin.mqtt;

/**
 * The will of a CONNECT. Arrays are shared and must not be written to.
 *
 * @param properties those that go to the receivers, in wire form as in {@link Message#properties()}
 * @param expirySeconds Message Expiry Interval, counted from publication [MQTT-3.3.2-6]; -1 if there is none
 * @param delaySeconds Will Delay Interval, 0 to 4,294,967,295
 */
public record Will(
        TopicName topic,
        byte[] payload,
        Qos qos,
        boolean retain,
        byte[] properties,
        long expirySeconds,
        long delaySeconds) {}
