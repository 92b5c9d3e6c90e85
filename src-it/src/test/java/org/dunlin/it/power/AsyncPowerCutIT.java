package org.dunlin.it.power;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * With {@code async} and {@code none} a power cut costs the end of what was acknowledged. But never does the next start refuse,
 * and what is left is all that came before something, without a gap.
 */
@Timeout(value = 20, unit = TimeUnit.MINUTES)
class AsyncPowerCutIT {
    private static final int CUTS = Integer.getInteger("dunlin.it.cuts", 3);
    private static final long SEED = Long.getLong("dunlin.seed", new Random().nextLong());
    private static final int MOST = 600;
    private static final int QUIET_MILLIS = 500;

    private final Random random = new Random(SEED);

    @Test
    void async_keepsABeginning(@TempDir(cleanup = CleanupMode.ON_SUCCESS) Path work) {
        run(work, "async");
    }

    @Test
    void none_keepsABeginning(@TempDir(cleanup = CleanupMode.ON_SUCCESS) Path work) {
        run(work, "none");
    }

    private void run(Path work, String durability) {
        System.out.println("AsyncPowerCutIT: -Ddunlin.seed=" + SEED + " " + durability);
        List<String> settings = List.of("storage.engine=rocksdb", "storage.durability=" + durability);
        try (PowerCut victim = new PowerCut(work, settings, false, "", SEED)) {
            victim.launch(true);
            int port = victim.awaitReady();
            for (int cut = 1; cut <= CUTS; cut++) {
                String name = "receiver" + cut;
                subscribe(port, name);
                int acknowledged = publish(port, "t/" + name, 1 + random.nextInt(MOST));
                victim.kill();
                victim.launch(false);
                port = victim.awaitReady();
                int left = receive(port, name);
                System.out.println("AsyncPowerCutIT: " + left + " of " + acknowledged + " are left");
                assertTrue(left <= acknowledged);
            }
            System.out.println("AsyncPowerCutIT: " + victim.toll());
        }
    }

    private static Connect lasting(String clientId) {
        return Connect.builder(ProtocolVersion.MQTT_5, clientId)
                .cleanStart(false)
                .sessionExpirySeconds(3600)
                .build();
    }

    private static void subscribe(int port, String name) {
        try (MqttSocket client = MqttSocket.open(port)) {
            client.connect(lasting(name));
            client.subscribe("t/" + name, Qos.AT_LEAST_ONCE);
            client.disconnect();
        }
    }

    private static int publish(int port, String topic, int count) {
        try (MqttSocket client = MqttSocket.open(port)) {
            client.connect(ProtocolVersion.MQTT_5, "publisher");
            for (int i = 0; i < count; i++) {
                client.publish(topic, Integer.toString(i), Qos.AT_LEAST_ONCE);
            }
        }
        return count;
    }

    /** @return how many came, which were the first ones in their order */
    private static int receive(int port, String name) {
        List<String> expected = new ArrayList<>();
        List<String> got = new ArrayList<>();
        try (MqttSocket client = MqttSocket.open(port)) {
            client.connect(lasting(name));
            for (Packet next = client.poll(QUIET_MILLIS); next != null; next = client.poll(QUIET_MILLIS)) {
                expected.add(Integer.toString(got.size()));
                Publish publish = (Publish) next;
                got.add(MqttSocket.text(publish));
                client.send(new Ack(PacketType.PUBACK, publish.packetId()));
            }
        }
        assertEquals(expected, got);
        return got.size();
    }
}
