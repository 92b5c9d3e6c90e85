package org.dunlin.server.trace;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Auth;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.UnsubAck;
import org.dunlin.mqtt.Unsubscribe;
import org.dunlin.mqtt.UserProperty;
import org.dunlin.mqtt.Will;
import org.jspecify.annotations.Nullable;

/** A packet in words, bounded, without what proves a client. One thread. */
final class PacketText {
    private static final int TEXT_CHARS = 500;
    private static final int ITEMS = 50;
    /** No name that somebody is known by, but what a machine has made to be kept secret. */
    private static final Pattern TOKEN = Pattern.compile("[\\w-]+\\.[\\w-]+\\.[\\w-]*|.{65,}", Pattern.DOTALL);

    private final String address;
    private final @Nullable String clientId;
    private final String direction;
    private final List<String> flags = new ArrayList<>(3);
    private final List<String> details = new ArrayList<>(2);
    private @Nullable Integer packetId;
    private @Nullable String topic;
    private @Nullable String reason;
    private @Nullable Integer payloadBytes;
    private @Nullable String payload;
    private boolean payloadIsHex;

    PacketText(String address, @Nullable String clientId, String direction) {
        this.address = address;
        this.clientId = clientId;
        this.direction = direction;
    }

    TracedPacket build(String packet) {
        return new TracedPacket(
                Instant.now().truncatedTo(ChronoUnit.MILLIS).toString(),
                0,
                direction,
                clientId == null ? null : cut(clientId),
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

    TracedPacket of(Packet packet, int payloadMost, boolean showsUserNames) {
        switch (packet.type()) {
            case CONNECT -> connect((Connect) packet, payloadMost, showsUserNames);
            case CONNACK -> connAck((ConnAck) packet);
            case PUBLISH -> {
                Publish publish = (Publish) packet;
                Message message = publish.message();
                property("Topic Alias", publish.topicAlias() == 0 ? null : publish.topicAlias());
                return publish(
                        message, message.qos(), message.retain(), publish.dup(), publish.packetId(), payloadMost);
            }
            case PUBACK, PUBREC, PUBREL, PUBCOMP -> {
                Ack ack = (Ack) packet;
                packetId = ack.packetId();
                reason = ack.reason().toString();
                explained(ack.reasonString(), ack.userProperties());
            }
            case SUBSCRIBE -> subscribe((Subscribe) packet);
            case SUBACK -> {
                SubAck ack = (SubAck) packet;
                answers(ack.packetId(), ack.reasons());
                explained(ack.reasonString(), ack.userProperties());
            }
            case UNSUBSCRIBE -> {
                Unsubscribe unsubscribe = (Unsubscribe) packet;
                packetId = unsubscribe.packetId();
                some(unsubscribe.filters());
                explained(null, unsubscribe.userProperties());
            }
            case UNSUBACK -> {
                UnsubAck ack = (UnsubAck) packet;
                answers(ack.packetId(), ack.reasons());
                explained(ack.reasonString(), ack.userProperties());
            }
            case PINGREQ, PINGRESP -> {}
            case DISCONNECT -> {
                Disconnect disconnect = (Disconnect) packet;
                reason = disconnect.reason().toString();
                property("Session Expiry Interval", disconnect.sessionExpirySeconds());
                property("Server Reference", disconnect.serverReference());
                explained(disconnect.reasonString(), disconnect.userProperties());
            }
            case AUTH -> {
                Auth auth = (Auth) packet;
                reason = auth.reason().toString();
                property("Authentication Method", auth.method());
                secret("Authentication Data", auth.data() != null);
                explained(auth.reasonString(), auth.userProperties());
            }
        }
        return build(packet.type().toString());
    }

    TracedPacket publish(Message message, Qos qos, boolean retain, boolean dup, int id, int payloadMost) {
        packetId = qos == Qos.AT_MOST_ONCE ? null : id;
        flags.add("qos " + qos.value());
        flag("dup", dup);
        flag("retain", retain);
        topic = cut(message.topic().text());
        WireProperties.add(message.properties(), this);
        payload(message.payload(), payloadMost);
        return build("PUBLISH");
    }

    private void connect(Connect connect, int payloadMost, boolean showsUserNames) {
        flags.add(connect.version().toString());
        flag(connect.version().isV5() ? "clean start" : "clean session", connect.cleanStart());
        property("Client Identifier", connect.clientId());
        property("Keep Alive", connect.keepAliveSeconds());
        String user = connect.userName();
        if (user != null) {
            boolean shown = showsUserNames && !TOKEN.matcher(user).matches();
            property("User Name", shown ? user : "(not shown)");
        }
        secret("Password", connect.password() != null);
        if (connect.version().isV5()) {
            property("Session Expiry Interval", connect.sessionExpirySeconds());
            if (connect.receiveMaximum() != Connect.DEFAULT_RECEIVE_MAXIMUM) {
                property("Receive Maximum", connect.receiveMaximum());
            }
            if (connect.maximumPacketSize() != Long.MAX_VALUE) {
                property("Maximum Packet Size", connect.maximumPacketSize());
            }
            property("Topic Alias Maximum", connect.topicAliasMaximum() == 0 ? null : connect.topicAliasMaximum());
            property("Request Response Information", connect.requestResponseInformation() ? 1 : null);
            property("Request Problem Information", connect.requestProblemInformation() ? null : 0);
            property("Authentication Method", connect.authenticationMethod());
            secret("Authentication Data", connect.authenticationData() != null);
            explained(null, connect.userProperties());
        }
        Will will = connect.will();
        if (will != null) {
            topic = cut(will.topic().text());
            flags.add("will qos " + will.qos().value());
            flag("will retain", will.retain());
            property("Will Delay Interval", will.delaySeconds() == 0 ? null : will.delaySeconds());
            property("Will Message Expiry Interval", will.expirySeconds() < 0 ? null : will.expirySeconds());
            WireProperties.add(will.properties(), this);
            payload(will.payload(), payloadMost);
        }
    }

    private void connAck(ConnAck ack) {
        reason = ack.reason().toString();
        flag("session present", ack.sessionPresent());
        ConnAck.Properties with = ack.properties();
        property("Assigned Client Identifier", with.assignedClientId());
        property("Session Expiry Interval", with.sessionExpirySeconds());
        property("Receive Maximum", with.receiveMaximum());
        property("Maximum QoS", with.maximumQos());
        property("Retain Available", with.noRetain() ? 0 : null);
        property("Maximum Packet Size", with.maximumPacketSize());
        property("Topic Alias Maximum", with.topicAliasMaximum());
        property("Wildcard Subscription Available", with.noWildcardSubscriptions() ? 0 : null);
        property("Subscription Identifiers Available", with.noSubscriptionIdentifiers() ? 0 : null);
        property("Shared Subscription Available", with.noSharedSubscriptions() ? 0 : null);
        property("Server Keep Alive", with.serverKeepAliveSeconds());
        property("Response Information", with.responseInformation());
        property("Server Reference", with.serverReference());
        property("Authentication Method", with.authenticationMethod());
        secret("Authentication Data", with.authenticationData() != null);
        explained(with.reasonString(), with.userProperties());
    }

    private void subscribe(Subscribe subscribe) {
        packetId = subscribe.packetId();
        List<String> filters = new ArrayList<>();
        for (Subscribe.Entry entry : subscribe
                .entries()
                .subList(0, Math.min(ITEMS, subscribe.entries().size()))) {
            String handling = switch (entry.retainHandling()) {
                case SEND -> "";
                case SEND_IF_NEW -> ", retained if new";
                case DO_NOT_SEND -> ", no retained";
            };
            filters.add(cut(entry.filter()) + " (qos " + entry.qos().value() + (entry.noLocal() ? ", no local" : "")
                    + (entry.retainAsPublished() ? ", retain as published" : "") + handling + ")");
        }
        details.addAll(filters);
        more(subscribe.entries().size());
        property("Subscription Identifier", subscribe.subscriptionId() == 0 ? null : subscribe.subscriptionId());
        explained(null, subscribe.userProperties());
    }

    private void answers(int id, List<ReasonCode> reasons) {
        packetId = id;
        some(reasons);
    }

    private void some(List<?> items) {
        for (Object item : items.subList(0, Math.min(ITEMS, items.size()))) {
            details.add(cut(item.toString()));
        }
        more(items.size());
    }

    private void more(int of) {
        if (of > ITEMS) {
            details.add("and " + (of - ITEMS) + " more");
        }
    }

    // ---- parts

    PacketText reason(String text) {
        reason = text;
        return this;
    }

    PacketText detail(@Nullable String text) {
        if (text != null) {
            details.add(cut(text));
        }
        return this;
    }

    void property(String name, @Nullable Object value) {
        if (value != null && details.size() < 2 * ITEMS) {
            details.add(name + ": " + cut(value.toString()));
        }
    }

    PacketText subscriptionIds(int[] ids) {
        property(
                "Subscription Identifier",
                ids.length == 0 ? null : Arrays.toString(ids).replaceAll("[\\[\\]]", ""));
        return this;
    }

    private void flag(String name, boolean set) {
        if (set) {
            flags.add(name);
        }
    }

    private void secret(String name, boolean there) {
        property(name, there ? "(not shown)" : null);
    }

    private void explained(@Nullable String reasonString, List<UserProperty> users) {
        property("Reason String", reasonString);
        for (UserProperty user : users) {
            property("User Property", user.name() + "=" + user.value());
        }
    }

    private void payload(byte[] bytes, int most) {
        payloadBytes = bytes.length;
        if (most > 0) {
            String text = PayloadText.text(bytes, most);
            payloadIsHex = text == null;
            payload = text == null ? PayloadText.hex(bytes, most) : text;
        }
    }

    /** Not in the middle of a character. */
    static String cut(String text) {
        if (text.length() <= TEXT_CHARS) {
            return text;
        }
        int end = Character.isHighSurrogate(text.charAt(TEXT_CHARS - 1)) ? TEXT_CHARS - 1 : TEXT_CHARS;
        return text.substring(0, end) + "...";
    }
}
