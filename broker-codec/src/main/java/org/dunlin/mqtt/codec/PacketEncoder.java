package org.dunlin.mqtt.codec;

import io.netty.buffer.ByteBuf;
import java.util.function.LongSupplier;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Auth;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.UnsubAck;
import org.dunlin.mqtt.Unsubscribe;
import org.dunlin.mqtt.codec.PacketDecoder.Role;

/**
 * One thread only. Turns packets into bytes in the version and within the size that the peer takes; it keeps nothing from one
 * packet to the next, so one can serve any number of connections if it is told of each. It trusts its caller that a packet makes
 * sense; messages to subscribers leave by {@link PublishWriter}.
 */
public final class PacketEncoder {
    private final Role role;
    private ProtocolVersion version = ProtocolVersion.MQTT_5;
    private long maximumPacketSize = Long.MAX_VALUE;
    private boolean problemInformation = true;
    private LongSupplier nowMillis = System::currentTimeMillis;

    /** For a server. */
    public PacketEncoder() {
        this(Role.SERVER);
    }

    /** @param role which side we are */
    public PacketEncoder(Role role) {
        this.role = role;
    }

    /** Initially MQTT 5. A CONNECT is written in its own version. */
    public PacketEncoder version(ProtocolVersion spoken) {
        version = spoken;
        return this;
    }

    /** The peer's Maximum Packet Size in bytes; initially without bound. */
    public PacketEncoder maximumPacketSize(long bytes) {
        maximumPacketSize = bytes;
        return this;
    }

    /** False leaves out Reason String and User Properties but in CONNACK, DISCONNECT and PUBLISH [MQTT-3.1.2-29]. */
    public PacketEncoder problemInformation(boolean wanted) {
        problemInformation = wanted;
        return this;
    }

    /** The clock of {@link org.dunlin.mqtt.Message#expiresAtMillis()}; initially the wall clock. */
    public PacketEncoder clock(LongSupplier millis) {
        nowMillis = millis;
        return this;
    }

    /**
     * Appends a packet. A Reason String and then the User Properties that explain an answer are left out if the
     * packet would exceed the peer's Maximum Packet Size [MQTT-3.1.2-24].
     *
     * @return false if it does not fit even so, or the version has no such packet or code (a DISCONNECT of a 3.x
     *     server, AUTH, most refusals in CONNACK); then nothing was written
     * @throws IllegalArgumentException if a string or binary field exceeds 65,535 bytes; nothing was written
     */
    public boolean encode(Packet packet, ByteBuf out) {
        boolean v5 = version.isV5();
        long maximum = maximumPacketSize;
        boolean explain = problemInformation;
        return switch (packet.type()) {
            case CONNECT -> ConnectCodec.encode((Connect) packet, maximum, out);
            case CONNACK -> ConnectCodec.encode((ConnAck) packet, version, maximum, out);
            case PUBLISH -> PublishCodec.encode((Publish) packet, v5, maximum, nowMillis.getAsLong(), out);
            case PUBACK, PUBREC, PUBREL, PUBCOMP -> AckCodec.encode((Ack) packet, v5, explain, maximum, out);
            case SUBSCRIBE -> SubscribeCodec.encode((Subscribe) packet, v5, maximum, out);
            case SUBACK -> SubscribeCodec.encode((SubAck) packet, v5, explain, maximum, out);
            case UNSUBSCRIBE -> SubscribeCodec.encode((Unsubscribe) packet, v5, maximum, out);
            case UNSUBACK -> SubscribeCodec.encode((UnsubAck) packet, v5, explain, maximum, out);
            case PINGREQ, PINGRESP -> ping(packet.type(), out);
            case DISCONNECT -> DisconnectAuthCodec.encode((Disconnect) packet, v5, role, maximum, out);
            case AUTH -> DisconnectAuthCodec.encode((Auth) packet, v5, explain, maximum, out);
        };
    }

    private boolean ping(PacketType type, ByteBuf out) {
        if (!Wire.fits(0, maximumPacketSize)) {
            return false;
        }
        Wire.writeHeader(out, type, 0);
        return true;
    }

    /**
     * Appends PUBACK, PUBREC, PUBREL or PUBCOMP in its shortest form: four bytes, and in MQTT 5 one more for a
     * failure.
     */
    public void ack(PacketType type, int packetId, ReasonCode reason, ByteBuf out) {
        AckCodec.writeLean(type, packetId, reason, version.isV5(), out);
    }
}
