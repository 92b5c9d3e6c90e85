package org.dunlin.bench;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.concurrent.TimeUnit;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.codec.OutboundTerms;
import org.dunlin.mqtt.codec.PublishWriter;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** One message written to the buffers of 500 receivers; the time is that of one receiver. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class BurstBenchmark {
    private static final int RECEIVERS = 500;

    /** Version, then what stands in the PUBLISH: a packet identifier, a topic alias, properties, subscription identifiers. */
    @Param({
        "v3",
        "v3-id",
        "v5",
        "v5-id",
        "v5-alias",
        "v5-id-alias",
        "v5-id-properties",
        "v5-id-alias-properties",
        "v5-id-subscriptions"
    })
    String layout;

    @Param({"64", "1024"})
    int payload;

    private final PublishWriter writer = new PublishWriter();
    private final ByteBuf[] outs = new ByteBuf[RECEIVERS];
    private final OutboundTerms[] terms = new OutboundTerms[RECEIVERS];
    private int[] subscriptionIds = {};
    private Qos qos = Qos.AT_MOST_ONCE;
    private Message message = Samples.retained("t", 0);
    private long now;
    private int packetId;

    @Setup
    public void fill() {
        ProtocolVersion version = layout.startsWith("v5") ? ProtocolVersion.MQTT_5 : ProtocolVersion.MQTT_3_1_1;
        qos = layout.contains("-id") ? Qos.AT_LEAST_ONCE : Qos.AT_MOST_ONCE;
        subscriptionIds = layout.endsWith("subscriptions") ? new int[] {7, 4711} : new int[0];
        boolean described = layout.endsWith("properties");
        now = System.currentTimeMillis();
        message = new Message(
                1,
                "",
                TopicName.of("site/7/dev/4711/temperature"),
                new byte[payload],
                qos,
                false,
                described ? now + 3_600_000 : Message.NEVER,
                described ? Samples.properties() : Message.NO_BYTES);
        UnpooledByteBufAllocator buffers = new UnpooledByteBufAllocator(true, true);
        for (int i = 0; i < RECEIVERS; i++) {
            outs[i] = buffers.directBuffer(payload + 256);
            terms[i] = new OutboundTerms(version, Long.MAX_VALUE, layout.contains("alias") ? 1 : 0);
        }
    }

    @Benchmark
    @OperationsPerInvocation(RECEIVERS)
    public int write() {
        int bytes = 0;
        for (int i = 0; i < RECEIVERS; i++) {
            ByteBuf out = outs[i].clear();
            int id = packetId++ & 0x7FFF | 1;
            if (writer.write(out, terms[i], message, qos, false, false, id, subscriptionIds, now)
                    != PublishWriter.Result.WRITTEN) {
                throw new IllegalStateException("not written: " + layout);
            }
            bytes += out.writerIndex();
        }
        writer.forget();
        return bytes;
    }
}
