package org.dunlin.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.dunlin.core.Broker;
import org.dunlin.core.BrokerSettings;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.spi.Authenticator;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.core.spi.DropReason;
import org.dunlin.core.spi.MemoryStore;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One PUBLISH from its publisher through a broker of two shards to all receivers, with every acknowledgement, without
 * transport: both shards run on one thread, one receiver of two lives on each. The first time is that of the PUBLISH, the
 * one called "deliveries" that of one receiver.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(value = 1, jvmArgsAppend = "-Xmx2g")
public class FanOutBenchmark {
    private static final int SHARDS = 2;
    private static final TopicName TOPIC = TopicName.of("news/sport/today");

    @Param({"1", "500", "100000"})
    int receivers;

    /** Of the PUBLISH and of the subscriptions; "1-durable" with sessions that outlive their connections. */
    @Param({"0", "1", "1-durable"})
    String qos;

    /** One filter for all, or three that overlap. */
    @Param({"exact", "overlapping"})
    String filters;

    private final OneThreadLoops loops = new OneThreadLoops(SHARDS);
    private final CountingClient.Counts counts = new CountingClient.Counts();
    private final byte[] payload = new byte[64];
    private CountingClient publisher =
            new CountingClient(loops.get(0), "publisher", counts, new CountingClient.Acknowledging(loops.get(0)));
    private Qos level = Qos.AT_MOST_ONCE;
    private long published;

    /** Counted by the harness. */
    @State(Scope.Thread)
    @AuxCounters
    public static class Deliveries {
        public long deliveries;
    }

    @Setup
    public void fill() {
        level = qos.startsWith("1") ? Qos.AT_LEAST_ONCE : Qos.AT_MOST_ONCE;
        long expirySeconds = qos.endsWith("durable") ? 3600 : 0;
        Broker broker = new Broker(
                loops.all(),
                new BrokerSettings(
                        limits(),
                        QueueLimits.DEFAULTS,
                        MemoryBudget.unlimited(),
                        new MemoryStore(),
                        credentials -> CompletableFuture.completedFuture(Authenticator.Answer.Accepted.as(null)),
                        Authorizer.ALL,
                        false,
                        new Unexpected(),
                        null));
        publisher.connect(broker, 0);
        loops.runAll();
        List<CountingClient.Acknowledging> acknowledging = new ArrayList<>();
        for (int i = 0; i < SHARDS; i++) {
            acknowledging.add(new CountingClient.Acknowledging(loops.get(i)));
        }
        List<String> wanted =
                filters.equals("exact") ? List.of(TOPIC.text()) : List.of(TOPIC.text(), "news/+/today", "news/#");
        for (int i = 0; i < receivers; i++) {
            int shard = (i + 1) % SHARDS;
            CountingClient receiver =
                    new CountingClient(loops.get(shard), "receiver-" + i, counts, acknowledging.get(shard));
            receiver.connect(broker, expirySeconds);
            loops.runAll();
            for (String filter : wanted) {
                receiver.subscribe(filter, level);
            }
            loops.runAll();
        }
    }

    private static Limits limits() {
        Limits d = Limits.DEFAULTS;
        return new Limits(
                d.maxPacketSizeBytes(),
                d.receiveMaximum(),
                d.topicAliasMaximum(),
                0,
                d.maxQos(),
                true,
                true,
                true,
                d.sessionExpiryMaxSeconds(),
                Integer.MAX_VALUE,
                Integer.MAX_VALUE,
                d.maxTopicLevels(),
                d.maxClientIdLength(),
                d.connectTimeoutMillis(),
                0,
                0,
                d.maxInflight(),
                d.maxSubscriptionsPerClient(),
                d.maxRetained(),
                d.maxRetainedBytes(),
                d.maxDelayed(),
                d.maxDelaySeconds(),
                d.maxUserProperties(),
                d.outboundBufferBytes(),
                d.fairness());
    }

    @Benchmark
    public void publish(Deliveries counted) {
        long before = counts.delivered();
        int packetId = level == Qos.AT_MOST_ONCE ? 0 : (int) (published % 65_535) + 1;
        Message message =
                new Message(++published, "publisher", TOPIC, payload, level, false, Message.NEVER, Message.NO_BYTES);
        publisher.says(new Publish(message, packetId, false));
        loops.runAll();
        counted.deliveries += counts.delivered() - before;
    }

    /** A broker that loses messages would be fast. */
    @TearDown
    public void check() {
        long acknowledged = level == Qos.AT_MOST_ONCE ? 0 : published;
        if (counts.delivered() != published * receivers || counts.acknowledged() != acknowledged) {
            throw new IllegalStateException(published + " published, " + counts.delivered() + " delivered, "
                    + counts.acknowledged() + " acknowledged");
        }
    }

    /** Nothing is refused or dropped here. */
    private static final class Unexpected implements BrokerEvents {
        @Override
        public void connected(Peer peer, boolean sessionPresent, int keepAliveSeconds, long sessionExpirySeconds) {}

        @Override
        public void refused(Peer peer, ReasonCode reason, String detail) {
            throw new IllegalStateException(peer + " refused: " + detail);
        }

        @Override
        public void disconnected(Peer peer, String by, ReasonCode reason, String detail) {
            throw new IllegalStateException(peer + " disconnected: " + detail);
        }

        @Override
        public void dropped(String clientId, TopicName topic, DropReason reason) {
            throw new IllegalStateException("dropped for " + clientId + ": " + reason);
        }

        @Override
        public void discarded(String clientId, long messages, DropReason reason) {}

        @Override
        public void unreadable(String filter, String cause) {
            throw new AssertionError(filter + ": " + cause);
        }

        @Override
        public void denied(Peer peer, String what, ReasonCode reason, String detail) {
            throw new IllegalStateException(peer + " denied: " + detail);
        }
    }
}
