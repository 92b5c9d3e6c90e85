package org.dunlin.server;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.core.spi.DropReason;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * Any thread. Counts every event by its reason and logs it as one line; what clients can cause many times a second is logged
 * once a second for each reason, with the number of those left out.
 */
final class EventLog implements BrokerEvents {
    private static final Logger LOG = LoggerFactory.getLogger("dunlin.clients");
    private static final long SECOND_NANOS = 1_000_000_000L;

    private final Map<DropReason, Tally> drops = new EnumMap<>(DropReason.class);
    private final Map<ReasonCode, Tally> denials = new EnumMap<>(ReasonCode.class);
    private final Map<ReasonCode, LongAdder> refusals = new EnumMap<>(ReasonCode.class);
    private final Map<ReasonCode, LongAdder> disconnects = new EnumMap<>(ReasonCode.class);
    private final LongAdder connects = new LongAdder();

    EventLog() {
        for (DropReason reason : DropReason.values()) {
            drops.put(reason, new Tally());
        }
        for (ReasonCode reason : ReasonCode.values()) {
            denials.put(reason, new Tally());
            refusals.put(reason, new LongAdder());
            disconnects.put(reason, new LongAdder());
        }
    }

    @Override
    public void connected(Peer peer, boolean sessionPresent, int keepAliveSeconds, long sessionExpirySeconds) {
        connects.increment();
        if (LOG.isInfoEnabled()) {
            line(Level.INFO, peer)
                    .addKeyValue("session-present", sessionPresent)
                    .addKeyValue("keep-alive", keepAliveSeconds)
                    .addKeyValue("session-expiry", sessionExpirySeconds)
                    .log("Connected");
        }
    }

    @Override
    public void refused(Peer peer, ReasonCode reason, String detail) {
        count(refusals, reason).increment();
        if (LOG.isInfoEnabled()) {
            line(Level.INFO, peer)
                    .addKeyValue("reason", reason)
                    .addKeyValue("detail", detail)
                    .log("Refused");
        }
    }

    @Override
    public void disconnected(Peer peer, String by, ReasonCode reason, String detail) {
        count(disconnects, reason).increment();
        if (LOG.isInfoEnabled()) {
            line(Level.INFO, peer)
                    .addKeyValue("by", by)
                    .addKeyValue("reason", reason)
                    .addKeyValue("detail", detail)
                    .log("Disconnected");
        }
    }

    @Override
    public void dropped(String clientId, TopicName topic, DropReason reason) {
        Tally tally = tally(drops, reason);
        long leftOut = tally.count();
        if (leftOut >= 0) {
            LOG.atWarn()
                    .addKeyValue("client", clientId)
                    .addKeyValue("topic", topic)
                    .addKeyValue("reason", reason)
                    .addKeyValue("others-not-logged", leftOut)
                    .log("Dropped");
        }
    }

    @Override
    public void discarded(String clientId, long messages, DropReason reason) {
        long leftOut = tally(drops, reason).count(messages);
        if (leftOut >= 0) {
            LOG.atInfo()
                    .addKeyValue("client", clientId)
                    .addKeyValue("messages", messages)
                    .addKeyValue("reason", reason)
                    .addKeyValue("others-not-logged", leftOut)
                    .log("Discarded");
        }
    }

    @Override
    public void unreadable(String filter, String cause) {
        LOG.atError().addKeyValue("group", filter).addKeyValue("cause", cause).log("Queue cannot be read");
    }

    @Override
    public void denied(Peer peer, String what, ReasonCode reason, String detail) {
        long leftOut = tally(denials, reason).count();
        if (leftOut >= 0) {
            line(Level.WARN, peer)
                    .addKeyValue("what", what)
                    .addKeyValue("reason", reason)
                    .addKeyValue("detail", detail)
                    .addKeyValue("others-not-logged", leftOut)
                    .log("Denied");
        }
    }

    private static LoggingEventBuilder line(Level level, Peer peer) {
        return LOG.atLevel(level)
                .addKeyValue("client", shown(peer.clientId()))
                .addKeyValue("user", shown(peer.userName()))
                .addKeyValue("address", peer.address())
                .addKeyValue("listener", peer.listener())
                .addKeyValue("version", peer.version() == null ? "-" : peer.version());
    }

    private static String shown(@Nullable String text) {
        return text == null ? "-" : text;
    }

    long connects() {
        return connects.sum();
    }

    long drops(DropReason reason) {
        return tally(drops, reason).sum();
    }

    long denials(ReasonCode reason) {
        return tally(denials, reason).sum();
    }

    long refusals(ReasonCode reason) {
        return count(refusals, reason).sum();
    }

    long disconnects(ReasonCode reason) {
        return count(disconnects, reason).sum();
    }

    private static <K extends Enum<K>> Tally tally(Map<K, Tally> tallies, K reason) {
        Tally tally = tallies.get(reason);
        assert tally != null;
        return tally;
    }

    private static LongAdder count(Map<ReasonCode, LongAdder> counts, ReasonCode reason) {
        LongAdder count = counts.get(reason);
        assert count != null;
        return count;
    }

    /** How often something has happened, and when it was last logged. */
    private static final class Tally {
        private final LongAdder total = new LongAdder();
        private final LongAdder leftOut = new LongAdder();
        private final AtomicLong nextLineNanos = new AtomicLong(System.nanoTime());

        /** @return how many were not logged since the last line, if one is due now; else -1 */
        long count() {
            return count(1);
        }

        long count(long times) {
            total.add(times);
            long now = System.nanoTime();
            long due = nextLineNanos.get();
            if (now - due >= 0 && nextLineNanos.compareAndSet(due, now + SECOND_NANOS)) {
                return leftOut.sumThenReset();
            }
            leftOut.add(times);
            return -1;
        }

        long sum() {
            return total.sum();
        }
    }
}
