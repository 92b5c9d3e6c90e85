package org.dunlin.it.crash;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/**
 * One thread. What one receiver was to get and has got: a client's session from its begin to its end, or all members of a
 * shared subscription together.
 */
final class Reception {
    private static final int SHOWN = 5;

    /** A time during which a filter was subscribed to, from and to exclusive, in positions of the history. */
    static final class Span {
        final TopicFilter filter;
        final Qos qos;
        final int from;
        final boolean certain;
        int to = Publication.NEVER;

        private Span(TopicFilter filter, Qos qos, int from, boolean certain) {
            this.filter = filter;
            this.qos = qos;
            this.from = from;
            this.certain = certain;
        }

        /** The subscription was there all the time that the broker had to route the message. */
        boolean covers(Publication message) {
            return certain && from < message.sentAt && message.acknowledgedAt < to;
        }

        /** It may have been there at some moment of that time. */
        boolean touches(Publication message) {
            return !certain && from < message.routedUntil() && message.sentAt < to;
        }
    }

    private static final class Deliveries {
        private int count;
        private Qos qos = Qos.AT_MOST_ONCE;
        private String connection = "";
        private int onConnection;
        private int mostOnConnection;
    }

    private record Stream(String publisher, String topic, int qos) {}

    private final String name;
    private final List<Span> spans = new ArrayList<>();
    private final Map<MessageKey, Deliveries> deliveries = new HashMap<>();
    private final Map<Stream, Integer> latest = new HashMap<>();
    private int promisedFrom = -1;

    Reception(String name) {
        this.name = name;
    }

    Span open(String filter, Qos qos, int at, boolean certain) {
        Span span = new Span(TopicFilter.of(filter), qos, at, certain);
        spans.add(span);
        return span;
    }

    /** The session may have ended: what was sent to it until then need not come. */
    void forgive(int at) {
        promisedFrom = at;
    }

    /**
     * Notes a delivery.
     *
     * @param ordered whether the order of first deliveries counts
     * @param byQos whether it counts for each QoS on its own
     * @return what is wrong with the order, or null
     */
    @Nullable
    Violation delivered(Event.Delivered event, Publication message, boolean ordered, boolean byQos) {
        Deliveries of = deliveries.computeIfAbsent(event.key(), key -> new Deliveries());
        of.count++;
        of.qos = event.qos();
        String connection = event.client() + "#" + event.connection();
        of.onConnection = connection.equals(of.connection) ? of.onConnection + 1 : 1;
        of.connection = connection;
        of.mostOnConnection = Math.max(of.mostOnConnection, of.onConnection);
        if (!ordered || of.count > 1) {
            return null;
        }
        MessageKey key = event.key();
        Stream stream = new Stream(
                key.publisher(), key.topic(), byQos ? message.how.qos().value() : -1);
        int before = latest.getOrDefault(stream, 0);
        if (before > key.number()) {
            return maySkipFirstCopy(message)
                    ? null
                    : new Violation(
                            Violation.Kind.REORDERED,
                            name + " got " + key + " after #" + before + " (" + message.describe() + ")");
        }
        latest.put(stream, key.number());
        return null;
    }

    /** A QoS 1 message came twice from its publisher, and only the second time, out of order, was there a subscription. */
    private boolean maySkipFirstCopy(Publication message) {
        if (message.transmissions == 1 || message.how.qos() != Qos.AT_LEAST_ONCE) {
            return false;
        }
        TopicName topic = TopicName.of(message.key.topic());
        for (Span span : spans) {
            if (span.certain && span.from < message.sentAt && message.sentAt < span.to && span.filter.matches(topic)) {
                return false;
            }
        }
        return true;
    }

    /** Compares with all messages, by topic in the order in which they were sent. @param online it is connected now */
    void check(Map<String, List<Publication>> messages, boolean online, int[] ends, List<Violation> into) {
        for (Map.Entry<String, List<Publication>> topic : messages.entrySet()) {
            List<Span> matching = new ArrayList<>();
            TopicName topicName = TopicName.of(topic.getKey());
            for (Span span : spans) {
                if (span.filter.matches(topicName)) {
                    matching.add(span);
                }
            }
            List<Publication> missing = new ArrayList<>();
            int lastGot = -1;
            for (Publication message : topic.getValue()) {
                Deliveries got = deliveries.get(message.key);
                if (got != null) {
                    check(message, got, matching, into);
                    lastGot = Math.max(lastGot, message.sentAt);
                } else if (online && message.sentAt > promisedFrom && mustHave(message, matching)) {
                    missing.add(message);
                }
            }
            report(topic.getKey(), missing, lastGot, ends, into);
        }
    }

    private static boolean mustHave(Publication message, List<Span> matching) {
        if (message.mustArrive()) {
            for (Span span : matching) {
                if (span.covers(message)) {
                    return true;
                }
            }
        }
        return false;
    }

    private void check(Publication message, Deliveries got, List<Span> matching, List<Violation> into) {
        Qos least = null;
        Qos most = Qos.AT_MOST_ONCE;
        for (Span span : matching) {
            if (span.touches(message)) {
                least = least == null ? span.qos : Qos.min(least, span.qos);
                most = Qos.max(most, span.qos);
            }
        }
        String what = name + ", " + message.key + " (" + message.describe() + ")";
        if (message.forbidden) {
            into.add(new Violation(Violation.Kind.WILL, what + " came although its client had left by DISCONNECT"));
        } else if (least == null) {
            into.add(new Violation(
                    Violation.Kind.SUBSCRIPTION, what + " came without a subscription, or after UNSUBACK"));
        } else {
            Qos sent = message.how.qos();
            if (sent == Qos.EXACTLY_ONCE && least == Qos.EXACTLY_ONCE && got.count > 1) {
                into.add(new Violation(Violation.Kind.DUPLICATE, what + " came " + got.count + " times"));
            } else if (got.mostOnConnection > (sent == Qos.EXACTLY_ONCE ? 1 : message.transmissions)) {
                into.add(new Violation(
                        Violation.Kind.DUPLICATE, what + " came " + got.mostOnConnection + " times on one connection"));
            }
            if (got.qos != Qos.min(sent, least) && got.qos != Qos.min(sent, most)) {
                into.add(new Violation(Violation.Kind.UNKNOWN, what + " came with " + got.qos));
            }
        }
    }

    /**
     * @param lastGot when the last message of that topic was sent that did come
     * @param ends positions at which the broker was ended
     */
    private void report(String topic, List<Publication> missing, int lastGot, int[] ends, List<Violation> into) {
        if (missing.size() > 1 && missing.get(0).sentAt > lastGot && !topic.startsWith("w/")) {
            into.add(new Violation(
                    Violation.Kind.SUBSCRIPTION,
                    name + " got nothing more of " + topic + ": " + missing.size() + " acknowledged messages from "
                            + missing.get(0).key + " on, which was sent after end "
                            + endsBefore(ends, missing.get(0).sentAt)));
            return;
        }
        for (int i = 0; i < missing.size(); i++) {
            Publication message = missing.get(i);
            String more =
                    i == SHOWN - 1 && missing.size() > SHOWN ? ", and of " + (missing.size() - SHOWN) + " more" : "";
            if (i < SHOWN) {
                into.add(new Violation(
                        lost(message),
                        name + " never got " + message.key + " (" + message.describe()
                                + "), sent after end " + endsBefore(ends, message.sentAt)
                                + " and acknowledged after end "
                                + endsBefore(ends, message.acknowledgedAt) + more));
            }
        }
    }

    /** A lone QoS 2 message missing whose packet identifier had just come free was most likely taken for a repeat. */
    private Violation.Kind lost(Publication message) {
        Publication before = message.identifierBefore;
        if (message.isWill) {
            return Violation.Kind.WILL;
        }
        boolean likely = message.how.qos() == Qos.EXACTLY_ONCE
                && before != null
                && before.completed
                && deliveries.containsKey(before.key);
        return likely && latestOf(message.key) > message.key.number() ? Violation.Kind.IDENTIFIER : Violation.Kind.LOST;
    }

    private int latestOf(MessageKey key) {
        int last = 0;
        for (Map.Entry<Stream, Integer> entry : latest.entrySet()) {
            Stream stream = entry.getKey();
            if (stream.publisher().equals(key.publisher()) && stream.topic().equals(key.topic())) {
                last = Math.max(last, entry.getValue());
            }
        }
        return last;
    }

    static int endsBefore(int[] ends, int at) {
        int count = 0;
        for (int end : ends) {
            if (end < at) {
                count++;
            }
        }
        return count;
    }
}
