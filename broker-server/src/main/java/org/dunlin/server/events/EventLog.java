package org.dunlin.server.events;

import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.dunlin.core.DropLedger;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.core.spi.DropReason;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.dunlin.server.ban.LoginGuard;
import org.dunlin.server.events.RecentEvents.Kind;
import org.dunlin.server.metrics.EventCounts;
import org.dunlin.server.share.AddressBlock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * Any thread. Counts every event by its reason and logs it as one line, as far as the share in the log goes that each client or
 * address has; the number of those left out is in the next line of the kind.
 */
public final class EventLog implements BrokerEvents, LoginGuard.Told, EventCounts {
    private static final Logger LOG = LoggerFactory.getLogger("dunlin.clients");
    private static final Logger BROKER = LoggerFactory.getLogger("dunlin");

    private static final int USER_SHOWN = 64;

    private final DropLedger drops;
    private final RecentEvents recent;
    private final LongSupplier nanoTime;
    private final LogShare connectedLines;
    private final LogShare refusedLines;
    private final LogShare disconnectedLines;
    private final LogShare deniedLines;
    private final LogShare droppedLines;
    private final LogShare contestedLines;
    private final LogShare bannedLines;
    private final Map<ReasonCode, LongAdder> denials = new EnumMap<>(ReasonCode.class);
    private final Map<ReasonCode, LongAdder> refusals = new EnumMap<>(ReasonCode.class);
    private final Map<ReasonCode, LongAdder> disconnects = new EnumMap<>(ReasonCode.class);
    private final LongAdder connects = new LongAdder();
    private final LongAdder contested = new LongAdder();
    private final LongAdder bans = new LongAdder();

    /** What has happened, by whom: lines that say the same. */
    private record Cause(Object reason, @Nullable Object who) {}

    /**
     * @param drops is told of every message that is lost
     * @param recent is told of all else
     */
    public EventLog(DropLedger drops, RecentEvents recent) {
        this(drops, recent, System::nanoTime);
    }

    EventLog(DropLedger drops, RecentEvents recent, LongSupplier nanoTime) {
        this.drops = drops;
        this.recent = recent;
        this.nanoTime = nanoTime;
        Duration second = Duration.ofSeconds(1);
        connectedLines = new LogShare(second, 20, 100, nanoTime);
        disconnectedLines = new LogShare(second, 20, 100, nanoTime);
        refusedLines = new LogShare(second, 20, 50, nanoTime);
        deniedLines = new LogShare(second, 1, 10, nanoTime);
        droppedLines = new LogShare(second, 1, 10, nanoTime);
        contestedLines = new LogShare(Duration.ofMinutes(1), 1, 10, nanoTime);
        bannedLines = new LogShare(second, 20, 50, nanoTime);
        for (ReasonCode reason : ReasonCode.values()) {
            denials.put(reason, new LongAdder());
            refusals.put(reason, new LongAdder());
            disconnects.put(reason, new LongAdder());
        }
    }

    @Override
    public void connected(Peer peer, boolean sessionPresent, int keepAliveSeconds, long sessionExpirySeconds) {
        connects.increment();
        note(Kind.CONNECTED, peer, "", sessionPresent ? "to its session" : "with a new session");
        long leftOut = connectedLines.leftOut(new Cause("", peer.clientId()), 1);
        if (leftOut >= 0) {
            line(Level.INFO, peer, leftOut)
                    .addKeyValue("session-present", sessionPresent)
                    .addKeyValue("keep-alive", keepAliveSeconds)
                    .addKeyValue("session-expiry", sessionExpirySeconds)
                    .log("Connected");
        }
    }

    /** The memory budget is used up, or not any more. */
    public void memory(boolean exhausted, long usedBytes, long limitBytes) {
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
        note(Kind.REFUSED, peer, reason.toString(), detail);
        // its address: anybody can say another client identifier each time
        InetAddress address = AddressBlock.ofPeer(peer.address());
        Object who = address == null ? peer.address() : AddressBlock.source(address);
        long leftOut = refusedLines.leftOut(new Cause(reason, who), 1);
        if (leftOut >= 0) {
            line(Level.INFO, peer, leftOut)
                    .addKeyValue("reason", reason)
                    .addKeyValue("detail", detail)
                    .log("Refused");
        }
    }

    @Override
    public void disconnected(Peer peer, String by, ReasonCode reason, String detail) {
        count(disconnects, reason).increment();
        note(Kind.DISCONNECTED, peer, reason.toString(), "by " + by + (detail.isEmpty() ? "" : ": " + detail));
        long leftOut = disconnectedLines.leftOut(new Cause(reason, peer.clientId()), 1);
        if (leftOut >= 0) {
            line(Level.INFO, peer, leftOut)
                    .addKeyValue("by", by)
                    .addKeyValue("reason", reason)
                    .addKeyValue("detail", detail)
                    .log("Disconnected");
        }
    }

    @Override
    public void dropped(String clientId, TopicName topic, DropReason reason) {
        long now = nanoTime.getAsLong();
        drops.record(clientId, topic, reason, 1, now);
        if (isDenied(reason)) {
            return;
        }
        long leftOut = droppedLines.leftOut(new Cause(reason, clientId), 1, now);
        if (leftOut >= 0) {
            LOG.atWarn()
                    .addKeyValue("client", clientId)
                    .addKeyValue("topic", topic)
                    .addKeyValue("reason", reason)
                    .addKeyValue("others-not-logged", leftOut)
                    .log("Dropped");
        }
    }

    /** Whether another line tells of it, with more to say: the denial of a PUBLISH. */
    private static boolean isDenied(DropReason reason) {
        return reason == DropReason.NOT_AUTHORIZED
                || reason == DropReason.RESERVED_TOPIC
                || reason == DropReason.INVALID_TOPIC;
    }

    @Override
    public void discarded(String clientId, long messages, DropReason reason) {
        long now = nanoTime.getAsLong();
        drops.record(clientId, null, reason, messages, now);
        long leftOut = droppedLines.leftOut(new Cause(reason, clientId), messages, now);
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
        note(Kind.DENIED, peer, reason.toString(), what + ": " + detail);
        long leftOut = deniedLines.leftOut(new Cause(reason, peer.clientId()), 1);
        if (leftOut >= 0) {
            line(Level.WARN, peer, leftOut)
                    .addKeyValue("what", what)
                    .addKeyValue("reason", reason)
                    .addKeyValue("detail", detail)
                    .log("Denied");
        }
    }

    @Override
    public void contested(Peer former, Peer next) {
        contested.increment();
        note(Kind.CONTESTED, next, "", "in place of " + former.address());
        long leftOut = contestedLines.leftOut(new Cause("", next.clientId()), 1);
        if (leftOut >= 0) {
            line(Level.WARN, next, leftOut)
                    .addKeyValue("former-user", user(former.userName()))
                    .addKeyValue("former-address", former.address())
                    .addKeyValue(
                            "detail",
                            "two clients use this identifier and send each other away; give each its own, see"
                                    + " limits.takeover-policy")
                    .log("Contested client identifier");
        }
    }

    @Override
    public void banned(AddressBlock source, @Nullable String user, Instant until, int failures, String key) {
        bans.increment();
        recent.add(
                Kind.BANNED,
                null,
                user == null ? null : user(user),
                source.toString(),
                "",
                "",
                "until " + until + " after " + failures + " failed logins; see " + key);
        long leftOut = bannedLines.leftOut(source, 1);
        if (leftOut >= 0) {
            LoggingEventBuilder line = LOG.atWarn()
                    .addKeyValue("address", source)
                    .addKeyValue("user", user(user))
                    .addKeyValue("until", until)
                    .addKeyValue("failed-logins", failures)
                    .addKeyValue("key", key);
            withLeftOut(line, leftOut).log("Banned");
        }
    }

    private void note(Kind kind, Peer peer, String reason, String detail) {
        String name = peer.userName();
        recent.add(
                kind,
                peer.clientId(),
                name == null ? null : user(name),
                peer.address(),
                peer.listener(),
                reason,
                detail);
    }

    private static LoggingEventBuilder withLeftOut(LoggingEventBuilder line, long leftOut) {
        return leftOut == 0 ? line : line.addKeyValue("others-not-logged", leftOut);
    }

    private static LoggingEventBuilder line(Level level, Peer peer, long leftOut) {
        return withLeftOut(line(level, peer), leftOut);
    }

    private static LoggingEventBuilder line(Level level, Peer peer) {
        return LOG.atLevel(level)
                .addKeyValue("client", shown(peer.clientId()))
                .addKeyValue("user", user(peer.userName()))
                .addKeyValue("address", peer.address())
                .addKeyValue("listener", peer.listener())
                .addKeyValue("version", peer.version() == null ? "-" : peer.version());
    }

    /** A long one may be a token, which is as good as a password: enough of it to know whose it is, too little to use it. */
    private static String user(@Nullable String name) {
        return name == null || name.length() <= USER_SHOWN ? shown(name) : name.substring(0, USER_SHOWN / 4) + "...";
    }

    private static String shown(@Nullable String text) {
        return text == null ? "-" : text;
    }

    @Override
    public long connects() {
        return connects.sum();
    }

    @Override
    public long contested() {
        return contested.sum();
    }

    @Override
    public long bans() {
        return bans.sum();
    }

    @Override
    public long denials(ReasonCode reason) {
        return count(denials, reason).sum();
    }

    @Override
    public long refusals(ReasonCode reason) {
        return count(refusals, reason).sum();
    }

    @Override
    public long disconnects(ReasonCode reason) {
        return count(disconnects, reason).sum();
    }

    private static LongAdder count(Map<ReasonCode, LongAdder> counts, ReasonCode reason) {
        LongAdder count = counts.get(reason);
        assert count != null;
        return count;
    }
}
