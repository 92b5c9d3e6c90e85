package org.dunlin.core.limits;

import org.dunlin.mqtt.Qos;

/**
 * Every bound of the broker in one place; the configuration sets them. Any thread.
 *
 * @param maxPacketSizeBytes of a packet from a client, fixed header included; announced to v5
 * @param receiveMaximum QoS 1 and 2 PUBLISH of one client that may be open; announced to v5
 * @param topicAliasMaximum in both directions; announced to v5
 * @param maxKeepAliveSeconds what a v5 client gets as Server Keep Alive if it asks for more or for none; 0 for no bound
 * @param maxQos highest QoS a client may publish with or is granted
 * @param sessionExpiryMaxSeconds cap for v5, value for clean session 0 of 3.x
 * @param connectTimeoutMillis that a client has until CONNACK, beside what the broker takes, and for each 1024 bytes of a packet
 * @param connectRatePerSecond CONNECTs accepted a second by the whole broker; 0 for no bound
 * @param publishRatePerSecond PUBLISHes a second of one client, beyond which it is slowed; 0 for no bound
 * @param maxInflight QoS 1 and 2 PUBLISH to one client that may be open, whatever its Receive Maximum
 * @param outboundBufferBytes bytes written to a connection and not taken by its peer before it counts as slow
 */
public record Limits(
        int maxPacketSizeBytes,
        int receiveMaximum,
        int topicAliasMaximum,
        int maxKeepAliveSeconds,
        Qos maxQos,
        boolean retainAvailable,
        boolean wildcardSubscriptions,
        boolean sharedSubscriptions,
        long sessionExpiryMaxSeconds,
        int maxConnections,
        int maxSessions,
        int maxTopicLevels,
        int maxClientIdLength,
        long connectTimeoutMillis,
        int connectRatePerSecond,
        int publishRatePerSecond,
        int maxInflight,
        int maxSubscriptionsPerClient,
        int maxRetained,
        long maxRetainedBytes,
        int maxDelayed,
        long maxDelaySeconds,
        int maxUserProperties,
        int outboundBufferBytes,
        Fairness fairness) {

    public static final Limits DEFAULTS = new Limits(
            10 * 1024 * 1024,
            1024,
            64,
            3600,
            Qos.EXACTLY_ONCE,
            true,
            true,
            true,
            7 * 24 * 3600,
            100_000,
            1_000_000,
            128,
            1024,
            10_000,
            50_000,
            1_000_000,
            64,
            10_000,
            1_000_000,
            1L << 30,
            100_000,
            30 * 24 * 3600,
            100,
            1024 * 1024,
            Fairness.DEFAULTS);

    /**
     * These, but for what clients are told when they connect: for one that was told otherwise that counts as long as it is connected.
     */
    public Limits announcedAs(Limits told) {
        return new Limits(
                told.maxPacketSizeBytes,
                told.receiveMaximum,
                told.topicAliasMaximum,
                told.maxKeepAliveSeconds,
                told.maxQos,
                told.retainAvailable,
                told.wildcardSubscriptions,
                told.sharedSubscriptions,
                sessionExpiryMaxSeconds,
                maxConnections,
                maxSessions,
                maxTopicLevels,
                maxClientIdLength,
                connectTimeoutMillis,
                connectRatePerSecond,
                publishRatePerSecond,
                maxInflight,
                maxSubscriptionsPerClient,
                maxRetained,
                maxRetainedBytes,
                maxDelayed,
                maxDelaySeconds,
                maxUserProperties,
                outboundBufferBytes,
                fairness);
    }
}
