package org.dunlin.it.crash;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.jspecify.annotations.Nullable;

/**
 * One thread. Compares a {@link History} with what the broker has promised: what is acknowledged is neither lost nor undone,
 * QoS 2 comes exactly once, and so on by {@link Violation.Kind}. A message that was not acknowledged may have been taken over
 * or not. What has to have arrived is asked only of clients that are connected at the end of the history.
 *
 * <p>The first level of a topic says what it is for: {@code d/} delayed messages and {@code w/} wills have no order,
 * {@code r/} ones are retained.
 */
final class Checker {
    private static final long EARLY_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private final Victim.Promises promises;
    private final Map<MessageKey, Publication> messages = new HashMap<>();
    private final Map<String, List<Publication>> byTopic = new LinkedHashMap<>();
    private final Map<String, Publication> identifiers = new HashMap<>();
    private final Map<String, SessionModel> sessions = new LinkedHashMap<>();
    private final Map<Reception, SessionModel> receptions = new LinkedHashMap<>();
    private final Map<String, Reception> groups = new LinkedHashMap<>();
    private final Map<String, String> groupOf = new HashMap<>();
    private final RetainedModel retained = new RetainedModel();
    private final List<Violation> violations = new ArrayList<>();
    private final List<Integer> ends = new ArrayList<>();
    private boolean orderlyEnd;

    private Checker(Victim.Promises promises) {
        this.promises = promises;
    }

    /** What of the promises was broken. */
    static List<Violation> check(List<History.Entry> history, Victim.Promises promises) {
        Checker checker = walked(history, promises);
        checker.compare();
        return checker.violations;
    }

    /** The topics that must have a retained message now. */
    static Set<String> retainedForCertain(List<History.Entry> history, Victim.Promises promises) {
        return walked(history, promises).retained.certain();
    }

    private static Checker walked(List<History.Entry> history, Victim.Promises promises) {
        Checker checker = new Checker(promises);
        for (int at = 0; at < history.size(); at++) {
            History.Entry entry = history.get(at);
            if (!checker.publishing(entry.event(), entry.nanos(), at)
                    && !checker.session(entry.event(), entry.nanos(), at)) {
                checker.subscription(entry.event(), at);
            }
        }
        return checker;
    }

    private void compare() {
        int[] endsAt = ends.stream().mapToInt(Integer::intValue).toArray();
        receptions.forEach((reception, session) -> reception.check(byTopic, session.isConnected(), endsAt, violations));
        boolean allOnline =
                groupOf.keySet().stream().allMatch(member -> session(member).isConnected());
        groups.values().forEach(group -> group.check(byTopic, allOnline, endsAt, violations));
    }

    private SessionModel session(String client) {
        return sessions.computeIfAbsent(client, SessionModel::new);
    }

    private Reception reception(String client, @Nullable String filter) {
        if (filter != null && TopicFilter.of(filter).isShared()) {
            groupOf.put(client, filter);
        }
        String group = groupOf.get(client);
        if (group != null) {
            return groups.computeIfAbsent(group, Reception::new);
        }
        SessionModel session = session(client);
        receptions.putIfAbsent(session.reception(), session);
        return session.reception();
    }

    /** @return whether it was an event of publishing or delivering */
    private boolean publishing(Event event, long nanos, int at) {
        if (event instanceof Event.Sent sent) {
            sent(sent, nanos, at);
        } else if (event instanceof Event.SentAgain again) {
            messages.get(again.key()).transmissions++;
        } else if (event instanceof Event.Acknowledged acknowledged) {
            Publication message = messages.get(acknowledged.key());
            if (promises.atPublish() || message.how.qos() == Qos.AT_LEAST_ONCE) {
                message.acknowledgedAt = at;
            }
        } else if (event instanceof Event.Completed completed) {
            Publication message = messages.get(completed.key());
            message.completed = true;
            message.acknowledgedAt = Math.min(message.acknowledgedAt, at);
        } else if (event instanceof Event.GivenUp givenUp) {
            Publication message = messages.get(givenUp.key());
            message.mayVanish = message.acknowledgedAt == Publication.NEVER;
        } else if (event instanceof Event.Delivered delivered) {
            delivered(delivered, nanos);
        } else {
            return false;
        }
        return true;
    }

    private void sent(Event.Sent sent, long nanos, int at) {
        MessageKey key = sent.key();
        Publication message = new Publication(
                key,
                sent.how(),
                at,
                nanos,
                identifiers.get(key.publisher() + "|" + sent.how().packetId()));
        identifiers.put(key.publisher() + "|" + sent.how().packetId(), message);
        add(message);
        if (message.how.retain()) {
            retained.sent(message);
        }
    }

    private void add(Publication message) {
        if (messages.put(message.key, message) != null) {
            throw new IllegalStateException("sent twice as new: " + message.key);
        }
        byTopic.computeIfAbsent(message.key.topic(), topic -> new ArrayList<>()).add(message);
    }

    private void delivered(Event.Delivered event, long nanos) {
        Publication message = messages.get(event.key());
        if (message == null) {
            violations.add(
                    new Violation(Violation.Kind.UNKNOWN, event.client() + " got what nobody sent: " + event.key()));
        } else if (!event.retained()) {
            long due = message.sentNanos + TimeUnit.SECONDS.toNanos(message.how.delaySeconds());
            if (message.how.delaySeconds() > 0 && !message.isWill && nanos < due - EARLY_NANOS) {
                violations.add(new Violation(
                        Violation.Kind.EARLY,
                        event.client() + " got " + event.key() + " " + TimeUnit.NANOSECONDS.toMillis(due - nanos)
                                + " ms before its time"));
            }
            boolean ordered =
                    !groupOf.containsKey(event.client()) && message.how.delaySeconds() == 0 && !message.isWill;
            Violation disorder =
                    reception(event.client(), null).delivered(event, message, ordered, !promises.mixedOrder());
            if (disorder != null) {
                violations.add(disorder);
            }
        }
    }

    /** @return whether it was an event of a connection or of the broker */
    private boolean session(Event event, long nanos, int at) {
        if (event instanceof Event.Connecting connecting) {
            Publication will = connecting.will() == null ? null : will(connecting, nanos, at);
            session(connecting.client()).connecting(connecting, nanos, will, at);
        } else if (event instanceof Event.Connected connected) {
            Violation wrong = session(connected.client()).connected(connected.sessionPresent(), nanos, at);
            if (wrong != null) {
                violations.add(wrong);
            }
        } else if (event instanceof Event.Leaving leaving) {
            session(leaving.client()).leaving(leaving.expirySeconds());
        } else if (event instanceof Event.Left left) {
            session(left.client()).ended(true, nanos, at);
        } else if (event instanceof Event.Broken broken) {
            session(broken.client()).ended(false, nanos, at);
            session(broken.client()).willMayVanish(orderlyEnd);
        } else if (event instanceof Event.Ending ending) {
            ends.add(at);
            orderlyEnd = ending.orderly();
            sessions.values().forEach(session -> session.brokerEnds(ending.orderly(), nanos, at));
        } else if (event instanceof Event.Ready) {
            orderlyEnd = false;
        } else {
            return false;
        }
        return true;
    }

    private Publication will(Event.Connecting connecting, long nanos, int at) {
        Event.Sending how = new Event.Sending(Qos.AT_LEAST_ONCE, 0, false, false, false, connecting.willDelay());
        Publication will = new Publication(connecting.will(), how, at, nanos, null);
        will.isWill = true;
        will.transmissions = Publication.NEVER;
        add(will);
        return will;
    }

    private void subscription(Event event, int at) {
        if (event instanceof Event.Subscribing e) {
            session(e.client()).subscribing(reception(e.client(), e.filter()), e.filter(), e.qos(), at);
        } else if (event instanceof Event.Subscribed e) {
            session(e.client()).subscribed(reception(e.client(), e.filter()), e.filter(), e.granted(), at);
        } else if (event instanceof Event.Unsubscribing e) {
            session(e.client()).unsubscribing(e.filter(), at);
        } else if (event instanceof Event.Unsubscribed e) {
            session(e.client()).unsubscribed(e.filter(), at);
        } else if (event instanceof Event.ReadingRetained e) {
            retained.reading(e.reader(), at);
        } else if (event instanceof Event.RetainedRead e) {
            retained.check(e, violations);
        } else if (event instanceof Event.Fault e) {
            violations.add(new Violation(e.kind(), e.client() + ": " + e.text()));
        }
    }
}
