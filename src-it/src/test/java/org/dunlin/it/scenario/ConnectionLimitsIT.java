package org.dunlin.it.scenario;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.Test;

/** More connections than there is room for, and connections that do nothing. */
class ConnectionLimitsIT {
    @Test
    void silentAndDribblingConnections_areCutAfterTheConnectTimeout() {
        List<String> settings = List.of("limits.connect-timeout=1s", "limits.max-connections=1000");
        try (RunningBroker broker = RunningBroker.start(settings);
                MqttSocket served = broker.socket().connect(ProtocolVersion.MQTT_5, "served")) {
            List<MqttSocket> silent = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                silent.add(broker.socket());
            }
            served.expectNothing();
            silent.forEach(MqttSocket::expectClosed);
            silent.forEach(MqttSocket::close);
            broker.awaitLog("no CONNECT within 1000 ms");

            try (MqttSocket dribbling = broker.socket()) {
                byte[] connect = dribbling.bytes(Connect.builder(ProtocolVersion.MQTT_5, "d".repeat(1000))
                        .build());
                int[] next = {0};
                Await.until("the dribbling CONNECT is cut", () -> {
                    try {
                        dribbling.send(Arrays.copyOfRange(connect, next[0], next[0] + 1));
                        next[0]++;
                        return false;
                    } catch (UncheckedIOException e) {
                        return true;
                    }
                });
                assertTrue(next[0] < connect.length, "the whole CONNECT went through");
            }
            try (MqttSocket stalled = broker.socket().connect(ProtocolVersion.MQTT_3_1_1, "stalled")) {
                byte[] publish = stalled.bytes(
                        new Publish(MqttSocket.message("t", "payload", Qos.AT_MOST_ONCE, false), 0, false));
                stalled.send(Arrays.copyOf(publish, publish.length - 1));
                stalled.expectClosed();
            }
            served.expectNothing();
        }
    }

    @Test
    void connectionBeyondTheMaximum_isRefused_unlessItTakesOneOver_untilAnotherOneEnds() {
        try (RunningBroker broker = RunningBroker.start(List.of("limits.max-connections=5"))) {
            List<MqttSocket> sockets = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                sockets.add(broker.socket().connect(ProtocolVersion.MQTT_5, "within-" + i));
            }
            try (MqttSocket beyond = broker.socket()) {
                beyond.expectRefused(
                        Connect.builder(ProtocolVersion.MQTT_5, "beyond").build(), ReasonCode.QUOTA_EXCEEDED);
            }
            broker.awaitLog("limits.max-connections");
            MqttSocket stale = sockets.remove(0);
            sockets.add(0, broker.socket().connect(ProtocolVersion.MQTT_5, "within-0"));
            stale.expectDisconnect(ReasonCode.SESSION_TAKEN_OVER);
            stale.close();
            try (MqttSocket beyond = broker.socket()) {
                beyond.expectRefused(
                        Connect.builder(ProtocolVersion.MQTT_3_1_1, "beyond").build(), ReasonCode.SERVER_UNAVAILABLE);
            }
            sockets.remove(0).disconnect();
            Await.until("there is room again", () -> accepts(broker, "again"));
            sockets.forEach(MqttSocket::close);
        }
    }

    private static boolean accepts(RunningBroker broker, String clientId) {
        try (MqttSocket socket = broker.socket()) {
            socket.connect(ProtocolVersion.MQTT_5, clientId).expectNothing();
            return true;
        } catch (AssertionError | UncheckedIOException e) {
            return false;
        }
    }

    @Test
    void whenFileDescriptorsRunOut_acceptingPausesWithoutSpinning_andGoesOnLater() throws Exception {
        String broker200 = RunningBroker.command(List.of("-Xmx256m"), List.of("limits.connect-timeout=1h")).stream()
                .map(word -> "'" + word + "'")
                .collect(Collectors.joining(" "));
        List<MqttSocket> sockets = new ArrayList<>();
        try (RunningBroker broker = RunningBroker.run(List.of("bash", "-c", "ulimit -n 200; exec " + broker200));
                MqttSocket before = broker.socket().connect(ProtocolVersion.MQTT_5, "before")) {
            for (int i = 0; i < 400; i++) {
                sockets.add(broker.socket());
            }
            broker.awaitLog("cannot accept connections");
            before.expectNothing();
            long cpu = cpuMillis(broker.pid());
            ProcessHandle process = ProcessHandle.of(broker.pid()).orElseThrow();
            assertThrows(TimeoutException.class, () -> process.onExit().get(2, TimeUnit.SECONDS));
            long used = cpuMillis(broker.pid()) - cpu;
            assertTrue(used < 1000, "the broker used " + used + " ms of processor time in 2 s of waiting");
            before.publish("files", "still here", Qos.EXACTLY_ONCE);
            sockets.forEach(MqttSocket::close);
            try (MqttSocket after = broker.socket()) {
                after.connect(ProtocolVersion.MQTT_5, "after").expectNothing();
            }
        }
    }

    private static long cpuMillis(long pid) throws IOException {
        String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return 10 * (Long.parseLong(fields[11]) + Long.parseLong(fields[12])); // in ticks of 10 ms
    }
}
