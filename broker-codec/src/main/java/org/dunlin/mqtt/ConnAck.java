package org.dunlin.mqtt;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * CONNACK. An encoder for 3.x writes the flags and {@link ReasonCode#v3ConnectReturnCode()} alone, 3.1 without the
 * session present flag. Properties are what is announced beyond the defaults of the standard.
 */
public record ConnAck(boolean sessionPresent, ReasonCode reason, Properties properties) implements Packet {

    public ConnAck(boolean sessionPresent, ReasonCode reason) {
        this(sessionPresent, reason, Properties.NONE);
    }

    @Override
    public PacketType type() {
        return PacketType.CONNACK;
    }

    /**
     * The properties of CONNACK; null or false means that the property is absent.
     *
     * @param maximumQos null, 0 or 1 [MQTT-3.2.2-9]
     * @param noRetain RETAIN is not available; likewise the other three
     */
    public record Properties(
            @Nullable Long sessionExpirySeconds,
            @Nullable Integer receiveMaximum,
            @Nullable Integer maximumQos,
            boolean noRetain,
            @Nullable Long maximumPacketSize,
            @Nullable String assignedClientId,
            @Nullable Integer topicAliasMaximum,
            @Nullable String reasonString,
            List<UserProperty> userProperties,
            boolean noWildcardSubscriptions,
            boolean noSubscriptionIdentifiers,
            boolean noSharedSubscriptions,
            @Nullable Integer serverKeepAliveSeconds,
            @Nullable String responseInformation,
            @Nullable String serverReference,
            @Nullable String authenticationMethod,
            byte @Nullable [] authenticationData) {

        public static final Properties NONE = new Properties(
                null, null, null, false, null, null, null, null, List.of(), false, false, false, null, null, null, null,
                null);

        /** Only a Reason String, for a refusal. */
        public static Properties reason(@Nullable String reasonString) {
            return new Properties(
                    null,
                    null,
                    null,
                    false,
                    null,
                    null,
                    null,
                    reasonString,
                    List.of(),
                    false,
                    false,
                    false,
                    null,
                    null,
                    null,
                    null,
                    null);
        }
    }
}
