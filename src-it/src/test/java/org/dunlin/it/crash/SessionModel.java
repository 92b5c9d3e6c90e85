package org.dunlin.it.crash;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.dunlin.mqtt.Qos;
import org.jspecify.annotations.Nullable;

/** One thread. What one client may expect of its session in the broker, from what it has sent and seen. */
final class SessionModel {
    /** The broker may take a crash for a second earlier than it was, and both clocks and machines are slow at times. */
    private static final long SLACK_NANOS = TimeUnit.SECONDS.toNanos(2);

    /** By then the effects of a DISCONNECT outlive a crash. */
    private static final long SETTLED_NANOS = TimeUnit.SECONDS.toNanos(1);

    enum Expected {
        PRESENT,
        ABSENT,
        EITHER
    }

    private final String client;
    private Expected made = Expected.ABSENT;
    private Set<Long> expiries = new TreeSet<>();
    /** When its last connection ended, at the earliest and at the latest. */
    private long goneNanos;

    private long goneUntilNanos;
    private boolean connected;

    private boolean connecting;
    private boolean cleanStart;
    private long askedExpiry;
    private long connectingNanos;

    private boolean leaving;
    private @Nullable Publication will;
    private @Nullable Publication deletedWill;
    /** Of a connection that the end of the broker, or of the way to it, has cut. */
    private @Nullable Publication cutWill;

    private long deletedNanos;
    private boolean crashedSinceLeft;
    private long expiryBeforeLeaving = -1;

    private int epoch;
    private Reception reception;

    private final Map<String, Reception.Span> certain = new HashMap<>();
    private final Map<String, Reception.Span> possible = new LinkedHashMap<>();

    SessionModel(String client) {
        this.client = client;
        this.reception = new Reception(client);
    }

    /** Where its messages go, but for those of a shared subscription. */
    Reception reception() {
        return reception;
    }

    boolean isConnected() {
        return connected;
    }

    // ---- connections

    void connecting(Event.Connecting event, long nanos, @Nullable Publication itsWill, int at) {
        cutWill = null;
        connecting = true;
        cleanStart = event.cleanStart();
        askedExpiry = event.expirySeconds();
        connectingNanos = nanos;
        leaving = false;
        if (will != null && will.how.delaySeconds() > 0 && will.acknowledgedAt != Publication.NEVER) {
            will.mayVanish = true; // the client may be back before the delay is over
        }
        will = itsWill;
        if (cleanStart) {
            close(certain, at);
        }
    }

    /** @return what is wrong, or null; a session that is not there any more begins anew either way */
    @Nullable
    Violation connected(boolean sessionPresent, long nanos, int at) {
        Expected expected = expected(nanos);
        boolean wrong =
                expected == Expected.PRESENT && !sessionPresent || expected == Expected.ABSENT && sessionPresent;
        String text = client + ": session present " + sessionPresent + ", expected " + expected + "; expiry " + expiries
                + " s, away for " + TimeUnit.NANOSECONDS.toMillis(nanos - goneNanos) + " ms";
        if (!sessionPresent || cleanStart) {
            begin(at, !wrong);
        } else if (expected == Expected.EITHER) { // it may be another one than that of before
            close(certain, at);
            reception.forgive(at);
        }
        connecting = false;
        connected = true;
        crashedSinceLeft = false;
        expiryBeforeLeaving = -1;
        made = Expected.PRESENT;
        expiries = new TreeSet<>(Set.of(askedExpiry));
        return wrong ? new Violation(Violation.Kind.SESSION_PRESENT, text) : null;
    }

    private void begin(int at, boolean rightly) {
        close(certain, at);
        close(possible, at);
        if (rightly) {
            reception.forgive(at);
        }
        epoch++;
        reception = new Reception(client + "/" + epoch);
    }

    private Expected expected(long nanos) {
        if (cleanStart) {
            return Expected.ABSENT;
        }
        if (made != Expected.PRESENT) {
            return made;
        }
        Set<Expected> all = new TreeSet<>();
        for (long expiry : expiries) {
            long limit = TimeUnit.SECONDS.toNanos(expiry);
            if (expiry == 0 || connectingNanos - goneUntilNanos > limit + SLACK_NANOS) {
                all.add(Expected.ABSENT);
            } else if (nanos - goneNanos < limit - SLACK_NANOS) {
                all.add(Expected.PRESENT);
            } else {
                all.add(Expected.EITHER);
            }
        }
        return all.size() == 1 ? all.iterator().next() : Expected.EITHER;
    }

    void leaving(long expirySeconds) {
        leaving = true;
        if (!connected && cutWill != null) {
            cutWill.mayVanish = true; // its DISCONNECT may have come through in the last moment
        }
        if (expirySeconds >= 0 && !expiries.contains(expirySeconds)) {
            expiryBeforeLeaving = expiries.iterator().next();
            expiries.add(expirySeconds);
        }
    }

    /** The connection has ended; if orderly, by the broker's answer to DISCONNECT. */
    void ended(boolean orderly, long nanos, int at) {
        if (connecting && !connected) {
            unanswered(nanos);
        }
        if (!connected) {
            return;
        }
        connected = false;
        goneNanos = nanos;
        goneUntilNanos = nanos;
        if (orderly && leaving && expiryBeforeLeaving >= 0) {
            expiries.remove(expiryBeforeLeaving);
        }
        Publication itsWill = will;
        if (itsWill == null) {
            return;
        }
        if (!leaving) {
            itsWill.acknowledgedAt = at;
        } else if (orderly) {
            itsWill.forbidden = true;
            deletedWill = itsWill;
            deletedNanos = nanos;
        }
    }

    void willMayVanish(boolean may) {
        if (may && will != null) {
            will.mayVanish = true;
        }
    }

    /** CONNECT may have been acted on or not. */
    private void unanswered(long nanos) {
        connecting = false;
        goneUntilNanos = nanos;
        if (cleanStart || made != Expected.PRESENT) {
            made = Expected.EITHER;
        }
        expiries.add(askedExpiry);
    }

    /** The broker ends; its clients notice later. */
    void brokerEnds(boolean orderly, long nanos, int at) {
        // its client may be back already
        if (deletedWill != null && nanos - deletedNanos < SETTLED_NANOS) {
            deletedWill.forbidden = false;
        }
        if (connected) {
            Publication itsWill = will;
            ended(false, nanos, at);
            cutWill = itsWill;
            if (orderly && itsWill != null) {
                itsWill.mayVanish = true;
            }
            return;
        }
        // the end of the connection was no acknowledgement of what DISCONNECT changed
        if (leaving && expiryBeforeLeaving >= 0 && !crashedSinceLeft) {
            expiries.add(expiryBeforeLeaving);
            crashedSinceLeft = true;
        }
    }

    // ---- subscriptions

    void subscribing(Reception to, String filter, Qos qos, int at) {
        if (!possible.containsKey(filter)) {
            possible.put(filter, to.open(filter, qos, at, false));
        }
    }

    void subscribed(Reception to, String filter, Qos granted, int at) {
        if (!certain.containsKey(filter)) {
            certain.put(filter, to.open(filter, granted, at, true));
        }
    }

    void unsubscribing(String filter, int at) {
        Reception.Span span = certain.remove(filter);
        if (span != null) {
            span.to = at;
        }
    }

    void unsubscribed(String filter, int at) {
        Reception.Span span = possible.remove(filter);
        if (span != null) {
            span.to = at;
        }
    }

    private static void close(Map<String, Reception.Span> spans, int at) {
        spans.values().forEach(span -> span.to = at);
        spans.clear();
    }
}
