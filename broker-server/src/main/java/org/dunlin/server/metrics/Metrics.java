package org.dunlin.server.metrics;

import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.List;
import java.util.Locale;
import org.dunlin.core.Broker;
import org.dunlin.core.figures.Depth;
import org.dunlin.core.figures.ShardFigures;
import org.dunlin.core.spi.DropReason;
import org.dunlin.core.spi.Store;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.server.logging.Logging;
import org.dunlin.server.net.Listeners;
import org.dunlin.server.net.LoopLag;
import org.dunlin.server.net.NettyLoop;
import org.dunlin.server.net.Traffic;
import org.dunlin.server.net.tls.TlsLayer;

/**
 * All figures of the broker under the names that docs/metrics.md promises. Any thread but a loop. Nothing is kept here: the values
 * are read where they are counted whenever somebody asks. Values of labels are words of the standard, of the configuration or of
 * this class, never what a client has said.
 */
public final class Metrics {
    private final Sources sources;
    private final OtlpExport.Counts exports;

    /** @param exports what {@link OtlpExport} has done, if there is one */
    public Metrics(Sources sources, OtlpExport.Counts exports) {
        this.sources = sources;
        this.exports = exports;
    }

    public Sources sources() {
        return sources;
    }

    /** The values of this moment. */
    public MetricSnapshots read() {
        Families families = new Families();
        process(families);
        connections(families);
        traffic(families);
        state(families, sources.broker().status(), sources.broker().figures());
        loops(families);
        memory(families);
        store(families, sources.store().status(), sources.store().figures());
        certificates(families);
        JvmMetrics.addTo(families);
        return families.snapshots();
    }

    private void process(Families families) {
        families.info(
                "dunlin_build",
                "The version that runs.",
                "version",
                sources.version(),
                "java",
                Runtime.version().toString());
        families.gauge(
                "dunlin_start_time_seconds",
                "Time of day at which the broker was started, in seconds since 1970.",
                sources.started().toEpochMilli() / 1e3);
        families.gauge(
                "dunlin_ready",
                "1 while clients are served, 0 while the broker starts or stops.",
                sources.serving().getAsBoolean() ? 1 : 0);
        families.counter(
                "dunlin_log_lines_lost",
                "Lines of the log that were lost because the output did not take them.",
                Logging.lostLines());
        families.counter("dunlin_otlp_exports", "Exports by OTLP.", points -> {
            points.add(exports.succeeded(), "result", "success");
            points.add(exports.failed(), "result", "failure");
        });
    }

    private void connections(Families families) {
        EventCounts events = sources.events();
        families.gauge("dunlin_sockets", "Sockets of clients that are open.", points -> {
            for (Listeners.Status listener : sources.listeners().get()) {
                points.add(listener.connections(), "listener", listener.name());
            }
        });
        families.counter("dunlin_connects", "Connections that were accepted with CONNACK 0x00.", events.connects());
        families.counter(
                "dunlin_connections_refused",
                "Connections that were refused or ended before CONNACK 0x00.",
                points -> byReason(points, events::refusals));
        families.counter(
                "dunlin_connections_closed",
                "Connections that ended after CONNACK 0x00, by the reason that DISCONNECT has or would have.",
                points -> byReason(points, events::disconnects));
        families.counter(
                "dunlin_requests_denied",
                "PUBLISH packets and topic filters that were refused within a connection that goes on.",
                points -> byReason(points, events::denials));
        families.counter(
                "dunlin_logins_failed",
                "Connections that were refused for who they said they were: bad-user-name-or-password, not-authorized,"
                        + " banned, bad-authentication-method.",
                events.failedLogins());
        families.counter(
                "dunlin_bans",
                "Addresses, or users from an address, that were banned for failed logins.",
                events.bans());
        families.counter(
                "dunlin_takeovers_contested",
                "Takeovers of client identifiers that more than one client uses.",
                events.contested());
        families.counter("dunlin_messages_dropped", "Messages that did not reach a receiver.", points -> {
            for (DropReason reason : DropReason.values()) {
                points.add(sources.drops().total(reason), "reason", reason.toString());
            }
        });
    }

    private interface ByReason {
        long count(ReasonCode reason);
    }

    /** Every error, so that a rate is right from the first on; the others if they happen. */
    private static void byReason(Families.Points<Number> points, ByReason counts) {
        for (ReasonCode reason : ReasonCode.values()) {
            long count = counts.count(reason);
            if (reason.isError() || count > 0) {
                points.add(count, "reason", EventCounts.word(reason));
            }
        }
    }

    private void traffic(Families families) {
        Traffic.Reading traffic = sources.loops().traffic();
        families.counter("dunlin_sockets_accepted", "Sockets of clients that were accepted.", traffic.opened());
        families.counter(
                "dunlin_received_bytes",
                "Bytes of whole packets that clients have sent, without what TLS and WebSocket add.",
                traffic.bytesReceived());
        families.counter(
                "dunlin_sent_bytes",
                "Bytes of packets that were written for clients, without what TLS and WebSocket add.",
                traffic.bytesSent());
        families.counter("dunlin_packets_received", "Packets that clients have sent.", points -> {
            for (PacketType type : PacketType.values()) {
                points.add(traffic.packetsReceived(type), "type", word(type));
            }
        });
        families.counter("dunlin_packets_sent", "Packets that were written for clients.", points -> {
            for (PacketType type : PacketType.values()) {
                points.add(traffic.packetsSent(type), "type", word(type));
            }
        });
        byQos(
                families,
                "dunlin_messages_received",
                "PUBLISH packets that clients have sent, those sent again included.",
                traffic::messagesReceived);
        byQos(
                families,
                "dunlin_messages_sent",
                "PUBLISH packets that were written for clients, those sent again included.",
                traffic::messagesSent);
        byQos(
                families,
                "dunlin_payload_received_bytes",
                "Bytes of the payloads of those PUBLISH packets that clients have sent.",
                traffic::payloadReceived);
        byQos(
                families,
                "dunlin_payload_sent_bytes",
                "Bytes of the payloads of those PUBLISH packets that were written for clients.",
                traffic::payloadSent);
    }

    private interface ByQos {
        long count(Qos qos);
    }

    private static void byQos(Families families, String name, String help, ByQos counts) {
        families.counter(name, help, points -> {
            for (Qos qos : Qos.values()) {
                points.add(counts.count(qos), "qos", Integer.toString(qos.ordinal()));
            }
        });
    }

    private static String word(PacketType type) {
        return type.name().toLowerCase(Locale.ROOT);
    }

    private static void state(Families families, Broker.Status status, Broker.Figures figures) {
        ShardFigures.Reading shards = figures.shards();
        families.gauge("dunlin_connections", "Clients that are connected.", status.connections());
        families.gauge("dunlin_sessions", "Sessions, of clients that are connected or away.", status.sessions());
        families.gauge(
                "dunlin_subscriptions",
                "Subscriptions of all sessions, each filter of each session counted.",
                shards.subscriptions());
        families.gauge(
                "dunlin_filters",
                "Topic filters that somebody has subscribed to, each counted once.",
                status.filters());
        families.gauge("dunlin_retained_messages", "Retained messages.", status.retained());
        families.gauge("dunlin_retained_bytes", "What retained messages take.", status.retainedBytes());
        families.gauge(
                "dunlin_delayed_messages", "Messages that wait for their time to be published.", figures.delayed());
        families.gauge(
                "dunlin_inflight_messages",
                "QoS 1 and 2 messages that were sent to clients and whose flow is not completed.",
                shards.inflight());
        families.gauge(
                "dunlin_loop_backlog",
                "Deliveries and tasks that event loops have given each other and that are not done.",
                figures.backlog());
        families.gauge("dunlin_queued_messages", "Messages that wait in queues.", points -> {
            depth(
                    points,
                    "session",
                    shards.sessions().inMemory(),
                    shards.sessions().stored());
            depth(points, "group", shards.groups().inMemory(), shards.groups().stored());
        });
        families.gauge("dunlin_queued_bytes", "What messages that wait in queues take.", points -> {
            depth(
                    points,
                    "session",
                    shards.sessions().bytesInMemory(),
                    shards.sessions().bytesStored());
            depth(
                    points,
                    "group",
                    shards.groups().bytesInMemory(),
                    shards.groups().bytesStored());
        });
        families.gauge(
                "dunlin_queues_nearly_full",
                "Queues that have four fifths of the messages or bytes that queue.max-messages and queue.max-bytes let"
                        + " them have.",
                points -> {
                    nearlyFull(points, "session", shards.sessions());
                    nearlyFull(points, "group", shards.groups());
                });
    }

    private static void depth(Families.Points<Number> points, String owner, long inMemory, long stored) {
        points.add(inMemory, "owner", owner, "place", "memory");
        points.add(stored, "owner", owner, "place", "store");
    }

    private static void nearlyFull(Families.Points<Number> points, String owner, Depth.Reading depth) {
        points.add(depth.nearlyFull(), "owner", owner);
    }

    private void loops(Families families) {
        List<LoopLag.Reading> lags =
                sources.loops().all().stream().map(NettyLoop::lag).toList();
        families.histogram(
                "dunlin_loop_lag_seconds",
                "How late event loops got to what was due, measured ten times a second.",
                Families.NANOS,
                points -> {
                    for (int i = 0; i < lags.size(); i++) {
                        points.add(lags.get(i).nanos(), "loop", Integer.toString(i));
                    }
                });
        families.gauge(
                "dunlin_loop_lag_longest_seconds",
                "How late an event loop got at most in the last half to one minute; one that stands still now, too.",
                points -> {
                    for (int i = 0; i < lags.size(); i++) {
                        points.add(lags.get(i).longestNanos() * Families.NANOS, "loop", Integer.toString(i));
                    }
                });
    }

    private void memory(Families families) {
        families.gauge(
                "dunlin_memory_used_bytes",
                "What messages, sessions and buffers take of the memory budget.",
                sources.memory().usedBytes());
        families.gauge(
                "dunlin_memory_budget_bytes",
                "What messages, sessions and buffers may take: memory.budget.",
                sources.memory().limitBytes());
        families.gauge(
                "dunlin_memory_exhausted",
                "1 while the memory budget is used up and publishers have to wait, else 0.",
                sources.memory().isExhausted() ? 1 : 0);
        families.gauge(
                "dunlin_buffers_bytes",
                "Memory outside of the heap that the buffers of connections take.",
                sources.loops().bufferBytes());
    }

    private static void store(Families families, Store.Status status, Store.Figures figures) {
        families.gauge(
                "dunlin_store_up", "1 if the store takes what it is given, else 0.", status.fault() == null ? 1 : 0);
        families.gauge(
                "dunlin_store_pending_bytes", "Bytes that wait to be written to the store.", status.pendingBytes());
        families.gauge(
                "dunlin_store_pending_changes",
                "Changes that wait to be written to the store.",
                figures.pendingChanges());
        families.counter("dunlin_store_failures", "Writes to the store that have failed.", figures.failures());
        families.histogram(
                "dunlin_store_commit_seconds",
                "How long it took to write a group of batches, and with storage.durability fsync to bring it to disk.",
                Families.NANOS,
                points -> points.add(figures.commits()));
        families.histogram(
                "dunlin_store_commit_batches",
                "How many batches each group had that was written.",
                1,
                points -> points.add(figures.groups()));
        families.histogram(
                "dunlin_store_sync_seconds",
                "With storage.durability async, how long it took to bring to disk what had been written.",
                Families.NANOS,
                points -> points.add(figures.syncs()));
        families.gauge("dunlin_store_size_bytes", "What the store's files take.", status.diskBytes());
        families.gauge(
                "dunlin_store_max_bytes",
                "What the store's files may take: storage.max-size, 0 if that is not set.",
                figures.maxBytes());
        families.gauge(
                "dunlin_store_free_bytes", "What is free on the store's disk.", Math.max(figures.freeBytes(), 0));
        families.gauge(
                "dunlin_store_least_free_bytes",
                "What has to stay free on the store's disk: storage.min-free.",
                figures.leastFreeBytes());
    }

    private void certificates(Families families) {
        List<TlsLayer.Status> certificates = sources.certificates().get();
        families.gauge(
                "dunlin_certificate_expiry_seconds",
                "Time until the first certificate of a TLS listener ends; below 0 if it has.",
                points -> {
                    for (TlsLayer.Status each : certificates) {
                        points.add(
                                (each.endsAtMillis() - System.currentTimeMillis()) / 1e3, "listener", each.listener());
                    }
                });
        families.counter(
                "dunlin_certificate_files_refused",
                "New files of a TLS listener that were not taken, so that the old ones go on.",
                points -> {
                    for (TlsLayer.Status each : certificates) {
                        points.add(each.refusals(), "listener", each.listener());
                    }
                });
    }
}
