package org.dunlin.mqtt;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * CONNECT. What a version lacks stands at the value that means the same there: for 3.x the session expiry is 0 with
 * clean session 1 and {@link #NO_EXPIRY} with 0.
 *
 * @param cleanStart Clean Start, or Clean Session of 3.x
 * @param keepAliveSeconds 0 to 65,535; 0 turns it off
 * @param sessionExpirySeconds 0 to 4,294,967,295, the last meaning never
 * @param receiveMaximum 1 to 65,535, which is also the default
 * @param maximumPacketSize in bytes of the whole packet; {@link Long#MAX_VALUE} if the client named none
 * @param topicAliasMaximum 0 to 65,535; 0 if the client takes none
 */
public record Connect(
        ProtocolVersion version,
        String clientId,
        boolean cleanStart,
        int keepAliveSeconds,
        @Nullable Will will,
        @Nullable String userName,
        byte @Nullable [] password,
        long sessionExpirySeconds,
        int receiveMaximum,
        long maximumPacketSize,
        int topicAliasMaximum,
        boolean requestResponseInformation,
        boolean requestProblemInformation,
        @Nullable String authenticationMethod,
        byte @Nullable [] authenticationData,
        List<UserProperty> userProperties)
        implements Packet {

    /** Session Expiry Interval of a session that never expires. */
    public static final long NO_EXPIRY = 0xFFFF_FFFFL;

    public static final int DEFAULT_RECEIVE_MAXIMUM = 65_535;

    @Override
    public PacketType type() {
        return PacketType.CONNECT;
    }

    /** Leaves out the password. */
    @Override
    public String toString() {
        return "Connect[" + version + " clientId=" + clientId + " cleanStart=" + cleanStart + " keepAlive="
                + keepAliveSeconds + " will=" + (will != null) + " userName=" + userName + " expiry="
                + sessionExpirySeconds + "]";
    }

    public static Builder builder(ProtocolVersion version, String clientId) {
        return new Builder(version, clientId);
    }

    /** Not thread safe; clean start 1, keep alive 0 and nothing else unless said. */
    public static final class Builder {
        private final ProtocolVersion version;
        private String clientId;
        private boolean cleanStart = true;
        private int keepAliveSeconds;
        private @Nullable Will will;
        private @Nullable String userName;
        private byte @Nullable [] password;
        private @Nullable Long sessionExpirySeconds;
        private int receiveMaximum = DEFAULT_RECEIVE_MAXIMUM;
        private long maximumPacketSize = Long.MAX_VALUE;
        private int topicAliasMaximum;
        private boolean requestResponseInformation;
        private boolean requestProblemInformation = true;
        private @Nullable String authenticationMethod;
        private byte @Nullable [] authenticationData;
        private List<UserProperty> userProperties = List.of();

        private Builder(ProtocolVersion version, String clientId) {
            this.version = version;
            this.clientId = clientId;
        }

        public Builder clientId(String value) {
            clientId = value;
            return this;
        }

        public Builder cleanStart(boolean value) {
            cleanStart = value;
            return this;
        }

        public Builder keepAliveSeconds(int value) {
            keepAliveSeconds = value;
            return this;
        }

        public Builder will(@Nullable Will value) {
            will = value;
            return this;
        }

        public Builder userName(@Nullable String value) {
            userName = value;
            return this;
        }

        public Builder password(byte @Nullable [] value) {
            password = value;
            return this;
        }

        public Builder sessionExpirySeconds(long value) {
            sessionExpirySeconds = value;
            return this;
        }

        public Builder receiveMaximum(int value) {
            receiveMaximum = value;
            return this;
        }

        public Builder maximumPacketSize(long value) {
            maximumPacketSize = value;
            return this;
        }

        public Builder topicAliasMaximum(int value) {
            topicAliasMaximum = value;
            return this;
        }

        public Builder requestResponseInformation(boolean value) {
            requestResponseInformation = value;
            return this;
        }

        public Builder requestProblemInformation(boolean value) {
            requestProblemInformation = value;
            return this;
        }

        public Builder authentication(@Nullable String method, byte @Nullable [] data) {
            authenticationMethod = method;
            authenticationData = data;
            return this;
        }

        public Builder userProperties(List<UserProperty> value) {
            userProperties = value;
            return this;
        }

        public Connect build() {
            Long asked = sessionExpirySeconds;
            long expiry = version.isV5() ? (asked == null ? 0 : asked) : (cleanStart ? 0 : NO_EXPIRY);
            return new Connect(
                    version,
                    clientId,
                    cleanStart,
                    keepAliveSeconds,
                    will,
                    userName,
                    password,
                    expiry,
                    receiveMaximum,
                    maximumPacketSize,
                    topicAliasMaximum,
                    requestResponseInformation,
                    requestProblemInformation,
                    authenticationMethod,
                    authenticationData,
                    userProperties);
        }
    }
}
