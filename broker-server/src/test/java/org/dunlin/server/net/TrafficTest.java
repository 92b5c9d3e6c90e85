package org.dunlin.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(value = 1, unit = TimeUnit.MINUTES)
class TrafficTest {
    static Stream<Transport> transports() {
        return Transport.available().stream();
    }

    private static Publish publish(int id) {
        Message message = new Message(
                0, "", TopicName.of("t"), new byte[5], Qos.AT_LEAST_ONCE, false, Message.NEVER, Message.NO_BYTES);
        return new Publish(message, id, false);
    }

    @ParameterizedTest
    @MethodSource("transports")
    void packets_ofAConnectionThatMoves_areCountedOnceEach(Transport transport) throws Exception {
        try (Rig rig = new Rig(transport, Rig.Layer.PLAIN, probe -> packet -> {
            if (packet instanceof Connect) {
                probe.move(() -> {
                    probe.agree(ProtocolVersion.MQTT_3_1_1);
                    probe.connection.releaseInput();
                });
            } else if (packet instanceof Publish publish) {
                probe.echo(publish);
                probe.connection.sendAck(PacketType.PUBACK, publish.packetId(), ReasonCode.SUCCESS);
            }
        })) {
            byte[] all = Rig.connectBytes();
            for (int i = 1; i <= 10; i++) {
                all = Rig.join(all, Rig.bytes(publish(i)));
            }
            long bytes = all.length;
            try (Rig.Client client = rig.connect()) {
                client.send(all);
                Rig.await("the bytes", () -> rig.loops.traffic().bytesReceived() == bytes);
                Traffic.Reading traffic = rig.loops.traffic();
                assertEquals(1, traffic.opened());
                assertEquals(1, traffic.packetsReceived(PacketType.CONNECT));
                assertEquals(10, traffic.packetsReceived(PacketType.PUBLISH));
                assertEquals(11, traffic.packetsReceived());
                assertEquals(10, traffic.messagesReceived(Qos.AT_LEAST_ONCE));
                assertEquals(10, traffic.messagesReceived());
                assertEquals(50, traffic.payloadReceived(Qos.AT_LEAST_ONCE));
                assertEquals(10, traffic.messagesSent(Qos.AT_MOST_ONCE));
                assertEquals(50, traffic.payloadSent());
                assertEquals(10, traffic.packetsSent(PacketType.PUBACK));
                assertEquals(20, traffic.packetsSent());
                assertEquals(10 * (2 + 3 + 5) + 10 * 4, traffic.bytesSent());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void loopThatStandsStill_isSeenWhileItDoes_andCountedAfterwards(Transport transport) throws Exception {
        try (NettyLoops loops = new NettyLoops(transport, 1, System::currentTimeMillis)) {
            NettyLoop loop = loops.all().get(0);
            long half = TimeUnit.MILLISECONDS.toNanos(500);
            CountDownLatch goOn = new CountDownLatch(1);
            loop.execute(() -> {
                try {
                    assertTrue(goOn.await(Rig.WAIT_MILLIS, TimeUnit.MILLISECONDS));
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            Rig.await("the lag of a loop that stands still", () -> loop.lag().longestNanos() > half);
            goOn.countDown();
            Rig.await("the measure", () -> loop.lag().nanos().sum() > half);
            assertTrue(loop.lag().longestNanos() > half, "forgotten");
        }
    }
}
