package org.dunlin.bench;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.codec.PacketDecoder;
import org.dunlin.mqtt.codec.PacketEncoder;
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
import org.openjdk.jmh.infra.Blackhole;

/** What a broker reads, packet after packet out of one buffer; the time is that of one packet. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class DecodeBenchmark {
    private static final int PACKETS = 1024;

    /** A PUBLISH has 64 bytes of payload and, unless its topics are many, the topic of the one before. */
    @Param({
        "v3-publish-qos0",
        "v3-publish-qos1",
        "v3-publish-qos0-topics",
        "v5-publish-qos0",
        "v5-publish-qos1",
        "v5-publish-qos1-topics",
        "v5-publish-qos1-properties",
        "v3-puback",
        "v5-puback",
        "v3-subscribe",
        "v5-subscribe",
        "v3-connect",
        "v5-connect"
    })
    String packet;

    private final ByteBuf in = new UnpooledByteBufAllocator(true, true).directBuffer();
    private ProtocolVersion version = ProtocolVersion.MQTT_5;
    private PacketDecoder decoder = new PacketDecoder(PacketDecoder.Role.SERVER);
    private boolean connects;

    @Setup
    public void fill() {
        version = packet.startsWith("v5") ? ProtocolVersion.MQTT_5 : ProtocolVersion.MQTT_3_1_1;
        connects = packet.endsWith("connect");
        decoder = new PacketDecoder(PacketDecoder.Role.SERVER).version(version);
        PacketEncoder encoder = new PacketEncoder(PacketDecoder.Role.CLIENT).version(version);
        for (int i = 0; i < PACKETS; i++) {
            if (!encoder.encode(packet(i), in)) {
                throw new IllegalStateException("cannot be written: " + packet);
            }
        }
    }

    private Packet packet(int i) {
        String kind = packet.substring(3);
        if (kind.startsWith("publish")) {
            return publish(kind, i);
        }
        return switch (kind) {
            case "puback" -> new Ack(PacketType.PUBACK, i + 1);
            case "subscribe" ->
                new Subscribe(
                        i + 1,
                        0,
                        List.of(
                                new Subscribe.Entry("site/" + i + "/+/state", Qos.AT_LEAST_ONCE),
                                new Subscribe.Entry("news/#", Qos.AT_MOST_ONCE)),
                        List.of());
            default ->
                Connect.builder(version, "client-" + i)
                        .keepAliveSeconds(60)
                        .userName("user")
                        .password(new byte[] {'s', 'e', 'c', 'r', 'e', 't'})
                        .build();
        };
    }

    private static Publish publish(String kind, int i) {
        boolean acknowledged = kind.contains("qos1");
        String topic = kind.endsWith("topics")
                ? "site/" + i % 100 + "/dev/" + i + "/temperature"
                : "site/7/dev/4711/temperature";
        boolean described = kind.endsWith("properties");
        Message message = new Message(
                i,
                "",
                TopicName.of(topic),
                new byte[64],
                acknowledged ? Qos.AT_LEAST_ONCE : Qos.AT_MOST_ONCE,
                false,
                described ? System.currentTimeMillis() + 3_600_000 : Message.NEVER,
                described ? Samples.properties() : Message.NO_BYTES);
        return new Publish(message, acknowledged ? i + 1 : 0, false);
    }

    @Benchmark
    @OperationsPerInvocation(PACKETS)
    public void decode(Blackhole hole) {
        in.readerIndex(0);
        PacketDecoder reader = decoder;
        for (int i = 0; i < PACKETS; i++) {
            if (connects) {
                reader = new PacketDecoder(PacketDecoder.Role.SERVER); // each is the first of its connection
            }
            Packet read = reader.decode(in);
            if (read == null) {
                throw new IllegalStateException("only " + i + " packets");
            }
            hole.consume(read);
        }
    }
}
