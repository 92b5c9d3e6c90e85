package org.dunlin.core.client;

import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.session.Acknowledgements.Verdict;
import org.dunlin.core.session.InboundWindow;
import org.dunlin.core.session.Publishing;
import org.dunlin.core.session.Session;
import org.dunlin.core.session.Shard;
import org.dunlin.core.spi.Connection;
import org.dunlin.core.spi.DropReason;
import org.dunlin.core.spi.Loop;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/**
 * What a client publishes: checks, special topics, hand-over to the shard, PUBREL. On the thread of the client's shard only.
 * A QoS 2 message is passed on at its PUBLISH; the identifier is remembered until PUBREL [MQTT-4.3.3-10].
 */
final class PublishFlow {
    private static final String DELAYED = "$delayed/";

    private final ClientHandler handler;
    private final Shard shard;
    private final Session session;
    private final ProtocolVersion version;
    /** Null if it may publish what it can. */
    private final @Nullable Pace pace;
    /** It is held for its pace. */
    private boolean slowed;

    PublishFlow(ClientHandler handler, Session session) {
        this.handler = handler;
        this.shard = session.shard();
        this.session = session;
        this.version = session.version();
        Limits limits = handler.limits();
        long messages = limits.publishRatePerSecond();
        long bytes = limits.fairness().publishBytesPerSecond();
        this.pace = messages == 0 && bytes == 0 ? null : new Pace(messages, bytes);
    }

    void publish(Publish packet) {
        Message message = packet.message();
        Limits limits = handler.limits();
        if (message.qos().value() > limits.maxQos().value()) { // [MQTT-3.2.2-11]
            dropped(message, DropReason.PROTOCOL_ERROR);
            handler.end(
                    ReasonCode.QOS_NOT_SUPPORTED,
                    "the QoS of a PUBLISH is above " + limits.maxQos().value() + "; see limits.max-qos");
            return;
        }
        if (message.retain() && !limits.retainAvailable()) { // [MQTT-3.2.2-14]
            dropped(message, DropReason.PROTOCOL_ERROR);
            handler.end(ReasonCode.RETAIN_NOT_SUPPORTED, "a PUBLISH asks to be retained; see limits.retain-available");
            return;
        }
        if (pace != null && pace.spend(weight(message)) && !slowed) {
            slowDown(pace);
        }
        if (message.qos() == Qos.AT_MOST_ONCE) {
            accept(packet, limits);
        } else if (!session.inbound().isEnding() && checkWindow(packet, limits)) {
            accept(packet, limits);
            holdIfTooManyWait();
        }
    }

    private void accept(Publish packet, Limits limits) {
        Message message = packet.message();
        TopicName topic = message.topic();
        if (topic.levelCount() > limits.maxTopicLevels()) {
            deny(
                    packet,
                    DropReason.INVALID_TOPIC,
                    ReasonCode.TOPIC_NAME_INVALID,
                    "more than " + limits.maxTopicLevels() + " levels; see limits.max-topic-levels");
            return;
        }
        if (topic.startsWithDollar()) {
            if (Publishing.isReserved(topic)) {
                deny(packet, DropReason.RESERVED_TOPIC, ReasonCode.TOPIC_NAME_INVALID, "$SYS is the broker's own");
                return;
            }
            if (topic.text().startsWith(DELAYED)) {
                publishLater(packet);
                return;
            }
        }
        if (!mayPublish(packet, topic)) {
            return;
        }
        if (isRefused(message)) {
            refuse(packet);
            return;
        }
        if (message.qos() == Qos.AT_MOST_ONCE) {
            if (!shard.publishing().publishQos0(message)) {
                dropped(message, DropReason.RETAINED_LIMIT);
            }
            return;
        }
        if (!shard.publishing().publish(session, message, packet.packetId())) {
            dropped(message, DropReason.RETAINED_LIMIT);
            shard.publishing().acknowledge(session, message, packet.packetId(), ReasonCode.QUOTA_EXCEEDED, null);
        }
    }

    /** @return false if the client has no right to, and has been told so as far as its version can */
    private boolean mayPublish(Publish packet, TopicName topic) {
        Message message = packet.message();
        String refusal = session.rights().refusesPublish(topic, message.qos(), message.retain());
        if (refusal == null) {
            return true;
        }
        if (version.isV5() || !handler.closesOnDeniedPublish()) {
            deny(packet, DropReason.NOT_AUTHORIZED, ReasonCode.NOT_AUTHORIZED, refusal);
        } else {
            dropped(message, DropReason.NOT_AUTHORIZED);
            handler.end(ReasonCode.NOT_AUTHORIZED, "PUBLISH " + topic + ": " + refusal);
        }
        return false;
    }

    /** Whether there is no memory for it. A retained message that is cleared gives some back. */
    private boolean isRefused(Message message) {
        MemoryBudget memory = shard.shards().memory();
        return memory.isExhausted()
                && memory.isRefusing(shard.loop().nowMillis())
                && !(message.retain() && message.payload().length == 0);
    }

    private void refuse(Publish packet) {
        Message message = packet.message();
        dropped(message, DropReason.MEMORY_BUDGET);
        if (message.qos() != Qos.AT_MOST_ONCE) {
            shard.publishing().acknowledge(session, message, packet.packetId(), ReasonCode.QUOTA_EXCEEDED, null);
        }
    }

    private void dropped(Message message, DropReason reason) {
        shard.shards().events().dropped(session.clientId(), message.topic(), reason);
    }

    /** @return false if the packet has been dealt with */
    private boolean checkWindow(Publish packet, Limits limits) {
        InboundWindow window = session.inbound();
        Message message = packet.message();
        if (window.isReceived(packet.packetId())) {
            if (message.qos() == Qos.EXACTLY_ONCE) { // a repetition: PUBREC again, nothing else [MQTT-4.3.3-10]
                if (!window.repeats(packet.packetId())) {
                    shard.publishing().acknowledge(session, message, packet.packetId(), ReasonCode.SUCCESS, null);
                    holdIfTooManyWait();
                }
                return false;
            }
            if (version.isV5()) { // E092
                dropped(message, DropReason.PROTOCOL_ERROR);
                shard.publishing()
                        .acknowledge(session, message, packet.packetId(), ReasonCode.PACKET_IDENTIFIER_IN_USE, null);
                holdIfTooManyWait();
                return false;
            }
            return true;
        }
        if (version.isV5() && window.open() >= limits.receiveMaximum()) { // [MQTT-3.3.4-7]
            dropped(message, DropReason.PROTOCOL_ERROR);
            handler.end(
                    ReasonCode.RECEIVE_MAXIMUM_EXCEEDED,
                    "more than " + limits.receiveMaximum() + " PUBLISH packets are open; see limits.receive-maximum");
            return false;
        }
        return true;
    }

    /**
     * Says no to one PUBLISH: v5 gets the reason in its acknowledgement; 3.x, which has none, an acknowledgement as ever
     * [MQTT-3.3.5-2 of 3.1.1]; QoS 0 nothing. It is counted and logged in any case.
     */
    private void deny(Publish packet, DropReason drop, ReasonCode reason, String detail) {
        Message message = packet.message();
        dropped(message, drop);
        shard.shards().events().denied(handler.peer(), "PUBLISH " + message.topic(), reason, detail);
        if (message.qos() != Qos.AT_MOST_ONCE) {
            shard.publishing()
                    .acknowledge(
                            session, message, packet.packetId(), version.isV5() ? reason : ReasonCode.SUCCESS, detail);
        }
    }

    // ---- $delayed/<seconds>/topic

    private void publishLater(Publish packet) {
        Message message = packet.message();
        String text = message.topic().text();
        int slash = text.indexOf('/', DELAYED.length());
        long seconds = slash < 0 ? -1 : seconds(text.substring(DELAYED.length(), slash));
        String inner = slash < 0 ? "" : text.substring(slash + 1);
        Limits limits = handler.limits();
        if (seconds < 0 || TopicName.fault(inner) != null || inner.startsWith(DELAYED)) {
            deny(
                    packet,
                    DropReason.INVALID_TOPIC,
                    ReasonCode.TOPIC_NAME_INVALID,
                    "a delayed message has a topic of the form $delayed/<seconds>/<topic>");
            return;
        }
        if (seconds > limits.maxDelaySeconds()) {
            deny(
                    packet,
                    DropReason.INVALID_TOPIC,
                    ReasonCode.TOPIC_NAME_INVALID,
                    "a delay of more than " + limits.maxDelaySeconds() + " seconds; see limits.max-delay");
            return;
        }
        TopicName topic = TopicName.of(inner);
        if (Publishing.isReserved(topic)) {
            deny(packet, DropReason.RESERVED_TOPIC, ReasonCode.TOPIC_NAME_INVALID, "$SYS is the broker's own");
            return;
        }
        if (!mayPublish(packet, topic)) {
            return;
        }
        if (isRefused(message)) {
            refuse(packet);
            return;
        }
        Message later = new Message(
                message.id(),
                message.publisher(),
                topic,
                message.payload(),
                message.qos(),
                message.retain(),
                message.expiresAtMillis(),
                message.properties());
        if (!shard.publishing().publishLater(session, later, packet.packetId(), seconds * 1000)) {
            dropped(later, DropReason.DELAYED_LIMIT);
            if (message.qos() != Qos.AT_MOST_ONCE) {
                shard.publishing().acknowledge(session, message, packet.packetId(), ReasonCode.QUOTA_EXCEEDED, null);
            }
        }
    }

    /** @return -1 if it is no number of seconds that a clock could hold */
    private static long seconds(String digits) {
        if (digits.isEmpty() || digits.length() > 12) {
            return -1;
        }
        long value = 0;
        for (int i = 0; i < digits.length(); i++) {
            char digit = digits.charAt(i);
            if (digit < '0' || digit > '9') {
                return -1;
            }
            value = value * 10 + digit - '0';
        }
        return value;
    }

    // ---- pace

    /** 3.x has no Receive Maximum: reading stops while as many acknowledgements wait. */
    private void holdIfTooManyWait() {
        if (session.inbound().waiting() >= handler.limits().receiveMaximum()) {
            if (session.isOwedAcks()) {
                // what it owes us may be what its own messages wait for: two such clients must not stop each other
                session.inbound().giveUpHeld();
            }
            if (session.inbound().waiting() >= handler.limits().receiveMaximum()) {
                handler.hold(ClientHandler.Hold.ACKNOWLEDGEMENTS);
            }
        }
    }

    void acknowledged() {
        InboundWindow window = session.inboundIfAny();
        if (window == null || window.waiting() * 2 <= handler.limits().receiveMaximum()) {
            handler.release(ClientHandler.Hold.ACKNOWLEDGEMENTS);
        }
    }

    private static long weight(Message message) {
        return message.payload().length
                + message.properties().length
                + message.topic().text().length();
    }

    /** Stops reading while the client has published more than its share. */
    private void slowDown(Pace pace) {
        Connection connection = handler.connection();
        long wait = pace.waitMillis(connection.loop().nowMillis());
        slowed = wait > 0;
        if (slowed) {
            handler.hold(ClientHandler.Hold.RATE);
            connection.loop().schedule(() -> goOn(pace), wait);
        }
    }

    /**
     * A second has passed. A client that owes us acknowledgements is read from in any case, since others may wait for them: they
     * are late by a second at most.
     */
    private void goOn(Pace pace) {
        Loop loop = handler.connection().loop();
        long wait = pace.waitMillis(loop.nowMillis());
        if (wait > 0 && handler.isConnected() && !session.isOwedAcks()) {
            loop.schedule(() -> goOn(pace), wait);
        } else {
            slowed = false;
            handler.release(ClientHandler.Hold.RATE);
        }
    }

    // ---- PUBREL

    /** PUBREL: PUBCOMP once the identifier's end is on record; an unknown one is answered, too [MQTT-4.3.3-11]. */
    Verdict release(int packetId) {
        Connection connection = handler.connection();
        if (session.inbound().isUnderWay(packetId)) {
            handler.end(ReasonCode.PROTOCOL_ERROR, "PUBREL for a PUBLISH that has had no PUBREC");
            return Verdict.DONE;
        }
        if (!shard.publishing().release(session, packetId)) {
            connection.sendAck(
                    PacketType.PUBCOMP,
                    packetId,
                    version.isV5() ? ReasonCode.PACKET_IDENTIFIER_NOT_FOUND : ReasonCode.SUCCESS);
            return Verdict.DONE;
        }
        shard.turn().afterCommit(session, failure -> {
            if (failure == null) {
                connection.sendAck(PacketType.PUBCOMP, packetId, ReasonCode.SUCCESS);
            } else {
                shard.publishing().keepUnreleased(session, packetId);
                handler.end(ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR, "PUBREL could not be stored: " + failure);
            }
        });
        return Verdict.DONE;
    }
}
