package org.dunlin.server;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.dunlin.core.Broker;
import org.dunlin.core.figures.ShardFigures;
import org.dunlin.core.spi.DropReason;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.dunlin.server.metrics.EventCounts;
import org.dunlin.server.metrics.LoadAverage;
import org.dunlin.server.metrics.Sources;
import org.dunlin.server.net.Traffic;
import org.dunlin.server.net.tls.TlsLayer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes what the broker counts under $SYS/broker, retained, with mosquitto's names where it has some. By the thread of
 * a clock.
 */
final class SysTopics implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SysTopics.class);
    private static final String ROOT = "$SYS/broker/";
    private static final String[] WINDOWS = {"1min", "5min", "15min"};

    private final Sources sources;
    private final Broker broker;
    private final EventCounts events;
    private final long startedNanos = System.nanoTime();
    private final ScheduledExecutorService clock;
    private @Nullable ScheduledFuture<?> running;
    private long intervalMillis;
    private boolean closed;
    // the rest is the clock's thread's
    private final Set<TopicName> published = new LinkedHashSet<>();
    private final Map<String, LoadAverage> loads = new LinkedHashMap<>();
    private long lookedNanos = startedNanos;
    private int mostConnections;

    /** @param clock of one thread; what it was given is over when it is shut down */
    SysTopics(Sources sources, ScheduledExecutorService clock) {
        this.sources = sources;
        this.broker = sources.broker();
        this.events = sources.events();
        this.clock = clock;
    }

    /**
     * Begins, or goes on at another pace.
     *
     * @param millis 0 to end: what was published is taken away, since nobody could tell that it is old
     */
    synchronized void every(long millis) {
        if (millis == intervalMillis || closed) {
            return;
        }
        boolean begins = intervalMillis == 0;
        intervalMillis = millis;
        if (running != null) {
            running.cancel(false);
            running = null;
        }
        if (millis == 0) {
            clock.execute(this::clear);
            return;
        }
        if (begins) {
            clock.execute(() -> put("version", "Dunlin " + sources.version()));
        }
        running = clock.scheduleAtFixedRate(this::publishSafely, 0, millis, TimeUnit.MILLISECONDS);
    }

    private void clear() {
        broker.clearRetained(List.copyOf(published));
        published.clear();
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
        long now = System.nanoTime();
        put("uptime", TimeUnit.NANOSECONDS.toSeconds(now - startedNanos) + " seconds");
        Broker.Status status = broker.status();
        state(status, broker.figures().shards());
        Traffic.Reading traffic = sources.loops().traffic();
        traffic(traffic);
        loads(traffic, Math.max(now - lookedNanos, 1) / 1e9);
        lookedNanos = now;
        put("memory/budget", sources.memory().limitBytes());
        put("memory/used", sources.memory().usedBytes());
        put("connects/total", events.connects());
        put("takeovers/contested", events.contested());
        put("bans/total", events.bans());
        for (TlsLayer.Status certificate : sources.certificates().get()) {
            String listener = "listeners/" + certificate.listener() + "/certificate/";
            long left = certificate.endsAtMillis() - System.currentTimeMillis();
            put(listener + "days-left", TimeUnit.MILLISECONDS.toDays(left));
            put(listener + "files-refused", certificate.refusals());
        }
        for (DropReason reason : DropReason.values()) {
            put("dropped/" + reason, sources.drops().total(reason));
        }
        for (ReasonCode reason : ReasonCode.values()) {
            putIfAny("refused/", reason, events.refusals(reason));
            putIfAny("disconnected/", reason, events.disconnects(reason));
            putIfAny("denied/", reason, events.denials(reason));
        }
    }

    private void state(Broker.Status status, ShardFigures.Reading shards) {
        mostConnections = Math.max(mostConnections, status.connections());
        put("clients/connected", status.connections());
        put("clients/maximum", mostConnections);
        put("clients/total", status.sessions());
        put("clients/disconnected", Math.max(0, status.sessions() - status.connections()));
        put("subscriptions/count", shards.subscriptions());
        put("filters/count", status.filters());
        put("retained messages/count", status.retained());
        put("retained messages/bytes", status.retainedBytes());
        long waiting = shards.sessions().messages() + shards.groups().messages();
        put("messages/inflight", shards.inflight());
        put("messages/stored", status.retained() + waiting);
        put("store/messages/count", status.retained() + waiting);
        put(
                "store/messages/bytes",
                status.retainedBytes()
                        + shards.sessions().bytes()
                        + shards.groups().bytes());
        Runtime java = Runtime.getRuntime();
        put("heap/current", java.totalMemory() - java.freeMemory());
        put("heap/maximum", java.maxMemory());
    }

    private void traffic(Traffic.Reading traffic) {
        put("bytes/received", traffic.bytesReceived());
        put("bytes/sent", traffic.bytesSent());
        put("messages/received", traffic.packetsReceived());
        put("messages/sent", traffic.packetsSent());
        put("publish/messages/received", traffic.messagesReceived());
        put("publish/messages/sent", traffic.messagesSent());
        put("publish/messages/dropped", sources.drops().total());
        put("publish/bytes/received", traffic.payloadReceived());
        put("publish/bytes/sent", traffic.payloadSent());
    }

    private void loads(Traffic.Reading traffic, double seconds) {
        load("bytes/received", traffic.bytesReceived(), seconds);
        load("bytes/sent", traffic.bytesSent(), seconds);
        load("messages/received", traffic.packetsReceived(), seconds);
        load("messages/sent", traffic.packetsSent(), seconds);
        load("publish/received", traffic.messagesReceived(), seconds);
        load("publish/sent", traffic.messagesSent(), seconds);
        load("publish/dropped", sources.drops().total(), seconds);
        load("connections", events.connects(), seconds);
        load("sockets", traffic.opened(), seconds);
    }

    private void load(String what, long total, double seconds) {
        LoadAverage load = loads.computeIfAbsent(what, name -> new LoadAverage());
        load.update(total, seconds);
        for (int i = 0; i < WINDOWS.length; i++) {
            put("load/" + what + "/" + WINDOWS[i], String.format(Locale.ROOT, "%.2f", load.perMinute(i)));
        }
    }

    /** Most of the reasons never happen; a topic is made for those that do. */
    private void putIfAny(String kind, ReasonCode reason, long count) {
        if (count > 0) {
            put(kind + EventCounts.word(reason), count);
        }
    }

    private void put(String topic, long value) {
        put(topic, Long.toString(value));
    }

    private void put(String topic, String value) {
        TopicName name = TopicName.of(ROOT + topic);
        published.add(name);
        broker.publish(name, value, Qos.AT_MOST_ONCE, true);
    }

    @Override
    public synchronized void close() {
        if (running != null) {
            running.cancel(false);
        }
        closed = true;
    }
}
