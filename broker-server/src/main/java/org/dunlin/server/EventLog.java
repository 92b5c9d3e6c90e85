package org.dunlin.server;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.dunlin.core.DropLedger;
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
    private static final Logger BROKER = LoggerFactory.getLogger("dunlin");
    private static final long SECOND_NANOS = 1_000_000_000L;

    private final DropLedger drops;
    private final Map<DropReason, Pace> dropLines = new EnumMap<>(DropReason.class);
    private final Map<ReasonCode, Pace> denialLines = new EnumMap<>(ReasonCode.class);
    private final Map<ReasonCode, LongAdder> denials = new EnumMap<>(ReasonCode.class);
    private final Map<ReasonCode, LongAdder> refusals = new EnumMap<>(ReasonCode.class);
    private final Map<ReasonCode, LongAdder> disconnects = new EnumMap<>(ReasonCode.class);
    private final LongAdder connects = new LongAdder();

    /** @param drops is told of every message that is lost */
    EventLog(DropLedger drops) {
        this.drops = drops;
        for (DropReason reason : DropReason.values()) {
            dropLines.put(reason, new Pace());
        }
        for (ReasonCode reason : ReasonCode.values()) {
            denialLines.put(reason, new Pace());
            denials.put(reason, new LongAdder());
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

    /** The memory budget is used up, or not any more. */
    void memory(boolean exhausted, long usedBytes, long limitBytes) {
        LoggingEventBuilder line = BROKER.atLevel(exhausted ? Level.WARN : Level.INFO)
                .addKeyValue("used", usedBytes)
                .addKeyValue("budget", limitBytes);
        if (exhausted) {
            line.log("The memory budget is used up: publishers wait, and are refused if that does not help; see"
                    + " memory.budget and who takes too little ($SYS/broker/dropped/#)");
        } else {
            line.log("There is memory again: publishers are served");
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
        drops.record(clientId, topic, reason, 1);
        long leftOut = pace(dropLines, reason).leftOut(1);
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
        drops.record(clientId, null, reason, messages);
        long leftOut = pace(dropLines, reason).leftOut(messages);
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
        count(denials, reason).increment();
        long leftOut = pace(denialLines, reason).leftOut(1);
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

    long denials(ReasonCode reason) {
        return count(denials, reason).sum();
    }

    long refusals(ReasonCode reason) {
        return count(refusals, reason).sum();
    }

    long disconnects(ReasonCode reason) {
        return count(disconnects, reason).sum();
    }

    private static <K extends Enum<K>> Pace pace(Map<K, Pace> lines, K reason) {
        Pace pace = lines.get(reason);
        assert pace != null;
        return pace;
    }

    private static LongAdder count(Map<ReasonCode, LongAdder> counts, ReasonCode reason) {
        LongAdder count = counts.get(reason);
        assert count != null;
        return count;
    }

    /** When something was last logged, and how often it has happened since. */
    private static final class Pace {
        private final LongAdder leftOut = new LongAdder();
        private final AtomicLong nextLineNanos = new AtomicLong(System.nanoTime());

        /** It has happened again. @return how many were not logged since the last line, if one is due now; else -1 */
        long leftOut(long times) {
            long now = System.nanoTime();
            long due = nextLineNanos.get();
            if (now - due >= 0 && nextLineNanos.compareAndSet(due, now + SECOND_NANOS)) {
                return leftOut.sumThenReset();
            }
            leftOut.add(times);
            return -1;
        }
    }
}
