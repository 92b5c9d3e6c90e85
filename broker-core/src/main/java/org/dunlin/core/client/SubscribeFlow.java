package org.dunlin.core.client;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.routing.Subscription;
import org.dunlin.core.session.Delivery;
import org.dunlin.core.session.Session;
import org.dunlin.core.session.Shard;
import org.dunlin.core.spi.Connection;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.UnsubAck;
import org.dunlin.mqtt.Unsubscribe;
import org.jspecify.annotations.Nullable;

/**
 * One SUBSCRIBE or UNSUBSCRIBE of a client. On the thread of its shard only. Each filter counts by itself, in order, as if it
 * had come in a packet of its own [MQTT-3.8.4-5]; SUBACK leaves when all are in force and on record, retained messages after it.
 */
final class SubscribeFlow {
    /** How often a client may subscribe anew to what it has before the retained messages have gone out. */
    private static final int REPETITIONS_MOST = 256;

    private final ClientHandler handler;
    private final Shard shard;
    private final Session session;
    private final ProtocolVersion version;

    SubscribeFlow(ClientHandler handler, Session session) {
        this.handler = handler;
        this.shard = session.shard();
        this.session = session;
        this.version = session.version();
    }

    void subscribe(Subscribe packet) {
        if (!checkAll(packet)) {
            return;
        }
        new Request(packet).begin();
    }

    /** What is against the protocol and not only refused: nothing of the packet takes effect. */
    private boolean checkAll(Subscribe packet) {
        if (version == ProtocolVersion.MQTT_3_1) {
            return checkSayable(packet);
        }
        Limits limits = handler.limits();
        for (Subscribe.Entry entry : packet.entries()) {
            if (TopicFilter.fault(entry.filter()) != null) {
                continue;
            }
            TopicFilter filter = TopicFilter.of(entry.filter());
            if (filter.isShared() && entry.noLocal()) { // [MQTT-3.8.3-4]
                handler.end(ReasonCode.PROTOCOL_ERROR, "No Local on a shared subscription");
                return false;
            }
            if (!version.isV5()) {
                continue;
            }
            if (filter.isShared() && !limits.sharedSubscriptions()) {
                handler.end(
                        ReasonCode.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED,
                        "shared subscriptions are off; see limits.shared-subscriptions");
                return false;
            }
            if (filter.hasWildcard() && !limits.wildcardSubscriptions()) {
                handler.end(
                        ReasonCode.WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED,
                        "wildcards are off; see limits.wildcard-subscriptions");
                return false;
            }
        }
        return true;
    }

    /**
     * SUBACK of MQTT 3.1 has no failure code. A missing right it keeps to itself, as that version demands; what else would be
     * refused ends the connection, rather than let the client wait for messages that never come.
     */
    private boolean checkSayable(Subscribe packet) {
        Set<String> added = new HashSet<>();
        for (Subscribe.Entry entry : packet.entries()) {
            boolean valid = TopicFilter.fault(entry.filter()) == null;
            ReasonCode refusal =
                    valid ? refusal(entry, TopicFilter.of(entry.filter()), added) : ReasonCode.TOPIC_FILTER_INVALID;
            if (refusal != null && refusal != ReasonCode.NOT_AUTHORIZED) {
                String cause = valid ? cure(refusal, entry) : "a topic filter is not valid";
                handler.end(refusal, cause + "; SUBACK of MQTT 3.1 cannot say so");
                return false;
            }
            if (refusal == null && session.subscription(entry.filter()) == null) {
                added.add(entry.filter());
            }
        }
        return true;
    }

    /**
     * Why one filter is refused, or null.
     *
     * @param added new subscriptions that stand before it and are not in force yet
     */
    private @Nullable ReasonCode refusal(Subscribe.Entry entry, TopicFilter filter, Set<String> added) {
        Limits limits = handler.limits();
        if (filter.levelCount() > limits.maxTopicLevels()) {
            return ReasonCode.TOPIC_FILTER_INVALID;
        }
        if (filter.isShared() && !limits.sharedSubscriptions()) {
            return ReasonCode.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED;
        }
        if (filter.hasWildcard() && !limits.wildcardSubscriptions()) { // [MQTT-3.8.3-2 of 3.1.1]
            return ReasonCode.WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED;
        }
        if (session.rights().refusesSubscribe(filter, entry.qos()) != null) {
            return ReasonCode.NOT_AUTHORIZED;
        }
        if (session.subscription(filter.text()) == null
                && !added.contains(filter.text())
                && (session.subscriptionCount() + added.size() >= limits.maxSubscriptionsPerClient()
                        || isOutOfMemory())) {
            return ReasonCode.QUOTA_EXCEEDED;
        }
        return null;
    }

    private boolean isOutOfMemory() {
        return shard.shards().memory().isRefusing(shard.loop().nowMillis());
    }

    private String cure(ReasonCode refusal, Subscribe.Entry entry) {
        Limits limits = handler.limits();
        return switch (refusal) {
            case TOPIC_FILTER_INVALID ->
                "the filter has more than " + limits.maxTopicLevels() + " levels; see limits.max-topic-levels";
            case NOT_AUTHORIZED ->
                String.valueOf(session.rights().refusesSubscribe(TopicFilter.of(entry.filter()), entry.qos()));
            case QUOTA_EXCEEDED ->
                isOutOfMemory()
                        ? "there is no memory for another subscription; see memory.budget"
                        : "more than " + limits.maxSubscriptionsPerClient()
                                + " subscriptions; see limits.max-subscriptions-per-client";
            case SHARED_SUBSCRIPTIONS_NOT_SUPPORTED -> "shared subscriptions are off; see limits.shared-subscriptions";
            default -> "wildcards are off; see limits.wildcard-subscriptions";
        };
    }

    /**
     * In a task of its own: what was acknowledged to its publisher before has been handed to this shard by then, and is
     * delivered as it should be.
     */
    void unsubscribe(Unsubscribe packet) {
        handler.hold(ClientHandler.Hold.UNSUBSCRIBE);
        shard.loop().execute(() -> {
            try {
                if (handler.isConnected()) {
                    remove(packet);
                }
            } finally {
                handler.release(ClientHandler.Hold.UNSUBSCRIBE);
            }
        });
    }

    private void remove(Unsubscribe packet) {
        List<ReasonCode> reasons = new ArrayList<>(packet.filters().size());
        for (String filter : packet.filters()) { // compared as text alone [MQTT-3.10.4-1]
            reasons.add(shard.unsubscribe(session, filter) ? ReasonCode.SUCCESS : ReasonCode.NO_SUBSCRIPTION_EXISTED);
        }
        Connection connection = handler.connection();
        shard.turn().afterCommit(session, failure -> {
            if (failure == null) {
                connection.send(new UnsubAck(packet.packetId(), reasons));
            } else {
                handler.end(ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR, "the change could not be stored: " + failure);
            }
        });
    }

    /** One SUBSCRIBE under way: shared filters are put in force by other shards. */
    private final class Request {
        private final Subscribe packet;
        private final ReasonCode[] reasons;
        private final @Nullable Subscription[] replays;
        private @Nullable String refused;
        /** Filters that are not in force yet, and the store, which does not know of them yet. */
        private int open = 1;

        private @Nullable String failure;

        Request(Subscribe packet) {
            this.packet = packet;
            this.reasons = new ReasonCode[packet.entries().size()];
            this.replays = new @Nullable Subscription[reasons.length];
            Arrays.fill(reasons, ReasonCode.UNSPECIFIED_ERROR);
        }

        void begin() {
            for (int i = 0; i < reasons.length; i++) {
                put(i, packet.entries().get(i));
            }
            // in the turn whose batch has them: other shards may answer in a later one
            shard.turn().afterCommit(session, cause -> {
                failure = cause;
                inForce();
            });
        }

        private void put(int i, Subscribe.Entry entry) {
            String fault = TopicFilter.fault(entry.filter());
            if (fault != null) {
                refuse(i, entry, ReasonCode.TOPIC_FILTER_INVALID, "the filter " + fault);
                return;
            }
            TopicFilter filter = TopicFilter.of(entry.filter());
            ReasonCode refusal = refusal(entry, filter, Set.of());
            if (refusal != null) {
                refuse(i, entry, refusal, refused == null ? cure(refusal, entry) : "as another filter of the packet");
                return;
            }
            Qos granted = Qos.min(entry.qos(), handler.limits().maxQos());
            Subscription subscription = new Subscription(
                    session,
                    filter,
                    granted,
                    entry.noLocal(),
                    entry.retainAsPublished(),
                    packet.subscriptionId() == 0 ? Subscription.NO_IDS : new int[] {packet.subscriptionId()},
                    session.guardOf(filter));
            reasons[i] = ReasonCode.granted(granted);
            open++;
            shard.subscribe(session, subscription, isNew -> {
                boolean replay = switch (entry.retainHandling()) {
                    case SEND -> true;
                    case SEND_IF_NEW -> isNew;
                    case DO_NOT_SEND -> false;
                };
                if (replay && !filter.isShared()) { // [MQTT-3.3.1-9..11]
                    replays[i] = subscription;
                }
                inForce();
            });
        }

        private void refuse(int i, Subscribe.Entry entry, ReasonCode reason, String detail) {
            boolean sayable = version != ProtocolVersion.MQTT_3_1;
            reasons[i] = sayable
                    ? reason
                    : ReasonCode.granted(Qos.min(entry.qos(), handler.limits().maxQos()));
            if (refused == null) { // one text for the packet: that of its first refusal
                refused = detail;
            }
            shard.shards().events().denied(handler.peer(), "SUBSCRIBE " + entry.filter(), reason, detail);
        }

        private void inForce() {
            if (--open == 0) {
                answer();
            }
        }

        private void answer() {
            if (failure != null) {
                handler.end(
                        ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR, "the subscription could not be stored: " + failure);
                return;
            }
            if (!handler.isConnected()) {
                return;
            }
            handler.connection().send(new SubAck(packet.packetId(), List.of(reasons), refused, List.of()));
            for (Subscription subscription : replays) {
                // one that was replaced since, even by a later filter of this packet, was in force all the same
                if (subscription != null
                        && session.subscription(subscription.filter().text()) != null) {
                    Delivery delivery = session.deliveryIfAny();
                    if (delivery == null && shard.shards().retained().hasNothingFor(subscription.filter())) {
                        continue; // and need not have what it delivers with
                    }
                    session.delivery().replay(subscription);
                    if (!keepsUp()) {
                        return;
                    }
                }
            }
        }

        private boolean keepsUp() {
            if (session.delivery().replaying() <= session.subscriptionCount() + REPETITIONS_MOST) {
                return true;
            }
            // not reading would not do: it is the client's acknowledgements that they wait for
            handler.end(
                    ReasonCode.QUOTA_EXCEEDED,
                    "the client subscribes again and again without taking the retained messages");
            return false;
        }
    }
}
