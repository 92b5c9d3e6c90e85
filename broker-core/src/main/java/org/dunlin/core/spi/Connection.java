package org.dunlin.core.spi;

import java.security.cert.X509Certificate;
import org.dunlin.mqtt.Ingress;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.jspecify.annotations.Nullable;

/**
 * A transport to one client; it says nothing of TCP. All methods on the thread of {@link #loop()} only. What is sent is
 * gathered and leaves at the end of the loop's turn.
 */
public interface Connection {
    /** The loop it lives on now; changes by {@link #moveTo} alone. */
    Loop loop();

    /**
     * Address of the peer as shown to people, like "127.0.0.1:53211"; of the client, not of a proxy before it, from the
     * first packet on.
     */
    String peer();

    /** Name of the listener that accepted it. */
    String listener();

    /**
     * The client's own certificate as it was verified when the transport was set up; null if it showed none or the
     * transport has none. It does not change; where TLS is spoken it is known when the first packet is received.
     */
    @Nullable
    X509Certificate certificate();

    /** The version that CONNECT names, known even when the rest of it was faulty; null as long as none is known. */
    @Nullable
    ProtocolVersion version();

    /** Called once, when CONNECT has been accepted: from now on packets are read and written by these terms. */
    void agree(Terms terms);

    /** Before {@link #agree} only CONNACK and AUTH, by the version of CONNECT. Optional parts that do not fit the client's Maximum Packet Size are left out; false if it does not fit even so and was not sent. */
    boolean send(Packet packet);

    /** PUBACK, PUBREC, PUBREL or PUBCOMP without properties. */
    void sendAck(PacketType type, int packetId, ReasonCode reason);

    /**
     * Writes a PUBLISH: the topic alias, the remaining expiry and the layout of the version are its business.
     *
     * @param packetId 0 with QoS 0
     * @param subscriptionIds not for 3.x, where they are ignored
     * @return false if it exceeds the client's Maximum Packet Size and nothing was written [MQTT-3.1.2-24]
     */
    boolean deliver(Message message, Qos qos, boolean retain, boolean dup, int packetId, int[] subscriptionIds);

    /** Whether {@link #deliver} would write it: it does not exceed the client's Maximum Packet Size. */
    boolean fits(Message message, Qos qos, int[] subscriptionIds);

    /** False while the client takes less than it is sent: QoS 0 is then dropped and the rest waits in its queue. */
    boolean isWritable();

    /** Neither reads nor decodes until {@link #releaseInput()}; packets decoded already have been handed over. */
    void holdInput();

    void releaseInput();

    /**
     * Goes to another loop, with input held before and after. When it has arrived, {@code arrived} runs there; if it is
     * closed on the way it is not run, and {@link Inbound#closed} is called on the loop that {@link #loop()} names then.
     */
    void moveTo(Loop target, Runnable arrived);

    /** Writes out what was sent, then closes; {@link Inbound#closed} follows. Nothing more is read. May be called again. */
    void close();

    /** What the transport tells of the client, each on the loop's thread. */
    interface Inbound {
        /** A valid packet, in the order they came. */
        void received(Packet packet);

        /** All packets of one read have been handed over; at least one. */
        void readComplete();

        /** Much of a packet is there and not all of it, after every read: input may be held, or the connection ended. */
        void accumulating();

        /** A malformed packet or one against the protocol; the transport reads no more. */
        void violated(ReasonCode reason, String detail);

        /** {@link Connection#isWritable()} has become true again. */
        void writable();

        /** Once, last of all; cause is a word for people, or null if the peer or we closed it in order. */
        void closed(@Nullable String cause);
    }

    /**
     * What CONNECT and CONNACK have settled.
     *
     * @param maximumPacketSizeOut the client's, in bytes; {@link Long#MAX_VALUE} if it named none
     * @param topicAliasMaximumOut aliases that the client takes; 0 for none
     * @param topicAliasMaximumIn aliases that the client may use
     * @param maximumPacketSizeIn what the client may send, in bytes
     * @param problemInformation false if the client wants no Reason String outside of CONNACK and DISCONNECT
     */
    record Terms(
            ProtocolVersion version,
            long maximumPacketSizeOut,
            int topicAliasMaximumOut,
            int topicAliasMaximumIn,
            long maximumPacketSizeIn,
            boolean problemInformation,
            Ingress ingress) {}
}
