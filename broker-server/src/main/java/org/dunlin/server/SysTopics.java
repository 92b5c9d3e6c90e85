package org.dunlin.server;

import java.util.Locale;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.dunlin.core.Broker;
import org.dunlin.core.DropLedger;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.spi.DropReason;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.dunlin.server.events.EventLog;
import org.dunlin.server.net.tls.TlsLayer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes what the broker counts under $SYS/broker, retained, with mosquitto's names where it has some. On a thread of its
 * own, which does nothing else.
 */
final class SysTopics implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SysTopics.class);
    private static final String ROOT = "$SYS/broker/";

    private final Broker broker;
    private final MemoryBudget memory;
    private final EventLog events;
    private final DropLedger drops;
    private final Doors doors;
    private final String version;
    private final long startedNanos = System.nanoTime();
    private final ScheduledThreadPoolExecutor clock;
    private @Nullable ScheduledFuture<?> running;

    SysTopics(Broker broker, MemoryBudget memory, EventLog events, DropLedger drops, Doors doors, String version) {
        this.broker = broker;
        this.memory = memory;
        this.events = events;
        this.drops = drops;
        this.doors = doors;
        this.version = version;
        this.clock = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "dunlin-sys");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** @param intervalMillis 1 or more */
    void start(long intervalMillis) {
        put("version", "Dunlin " + version);
        running = clock.scheduleAtFixedRate(this::publishSafely, 0, intervalMillis, TimeUnit.MILLISECONDS);
    }

    /** What a periodic task throws would end it without a word. */
    private void publishSafely() {
        try {
            publish();
        } catch (RuntimeException | Error fault) {
            LOG.error("Publishing $SYS failed; it is tried again when it is due", fault);
        }
    }

    private void publish() {
        Broker.Status status = broker.status();
        put("uptime", TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startedNanos) + " seconds");
        put("clients/connected", status.connections());
        put("clients/total", status.sessions());
        put("clients/disconnected", Math.max(0, status.sessions() - status.connections()));
        put("subscriptions/count", status.filters());
        put("retained messages/count", status.retained());
        put("retained messages/bytes", status.retainedBytes());
        put("memory/budget", memory.limitBytes());
        put("memory/used", memory.usedBytes());
        put("connects/total", events.connects());
        put("takeovers/contested", events.contested());
        put("bans/total", events.bans());
        for (TlsLayer.Status certificate : doors.certificates()) {
            String listener = "listeners/" + certificate.listener() + "/certificate/";
            long left = certificate.endsAtMillis() - System.currentTimeMillis();
            put(listener + "days-left", TimeUnit.MILLISECONDS.toDays(left));
            put(listener + "files-refused", certificate.refusals());
        }
        for (DropReason reason : DropReason.values()) {
            put("dropped/" + reason, drops.total(reason));
        }
        put("publish/messages/dropped", drops.total());
        for (ReasonCode reason : ReasonCode.values()) {
            putIfAny("refused/", reason, events.refusals(reason));
            putIfAny("disconnected/", reason, events.disconnects(reason));
            putIfAny("denied/", reason, events.denials(reason));
        }
    }

    /** Most of the reasons never happen; a topic is made for those that do. */
    private void putIfAny(String kind, ReasonCode reason, long count) {
        if (count > 0) {
            put(kind + reason.name().toLowerCase(Locale.ROOT).replace('_', '-'), count);
        }
    }

    private void put(String topic, long value) {
        put(topic, Long.toString(value));
    }

    private void put(String topic, String value) {
        broker.publish(TopicName.of(ROOT + topic), value, Qos.AT_MOST_ONCE, true);
    }

    @Override
    public void close() {
        if (running != null) {
            running.cancel(false);
        }
        clock.shutdownNow();
    }
}
