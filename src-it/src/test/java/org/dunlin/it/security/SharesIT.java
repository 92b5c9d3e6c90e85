package org.dunlin.it.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Will;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One greedy or hostile client, or address, and a healthy one that is served meanwhile. Attackers come from 127.0.0.2 on. */
class SharesIT {
    private static final int ROUND_TRIPS = 200;

    /** Round trips at QoS 1 through the broker and back. @return milliseconds of the slowest, for people to read */
    private static long roundTrips(MqttSocket healthy, int count) {
        long slowest = 0;
        for (int i = 0; i < count; i++) {
            long began = System.nanoTime();
            healthy.send(
                    new Publish(MqttSocket.message("healthy", "ping-" + i, Qos.AT_LEAST_ONCE, false), i + 1, false));
            boolean acknowledged = false;
            boolean back = false;
            while (!acknowledged || !back) {
                if (healthy.receive() instanceof Publish publish) {
                    assertEquals("ping-" + i, MqttSocket.text(publish));
                    healthy.send(new Ack(PacketType.PUBACK, publish.packetId()));
                    back = true;
                } else {
                    acknowledged = true;
                }
            }
            slowest = Math.max(slowest, System.nanoTime() - began);
        }
        return TimeUnit.NANOSECONDS.toMillis(slowest);
    }

    private static Connect connect(String clientId, String user, String password) {
        return Connect.builder(ProtocolVersion.MQTT_5, clientId)
                .userName(user)
                .password(password.getBytes(StandardCharsets.UTF_8))
                .build();
    }

    private static long lines(RunningBroker broker, String text) {
        return broker.log().stream().filter(line -> line.contains(text)).count();
    }

    @Test
    void failedLogins_asManyAsComeThrough_leaveAHealthyClientItsService(@TempDir Path folder) throws Exception {
        Path users = Files.writeString(folder.resolve("users"), "ann:" + hash("sesame") + "\n");
        List<String> settings =
                List.of("auth.password-file=" + users, "auth.ban.address-after=10", "auth.ban.exempt=127.0.0.1");
        try (RunningBroker broker = RunningBroker.start(settings);
                MqttSocket healthy = broker.socket()) {
            healthy.connect(connect("healthy", "ann", "sesame"));
            healthy.subscribe("healthy", Qos.AT_LEAST_ONCE);
            AtomicBoolean over = new AtomicBoolean();
            AtomicInteger attempts = new AtomicInteger();
            List<Thread> attackers = new ArrayList<>();
            for (int i = 2; i < 6; i++) {
                String from = "127.0.0." + i;
                Thread attacker = new Thread(() -> attack(broker, from, over, attempts));
                attackers.add(attacker);
                attacker.start();
            }
            long began = System.nanoTime();
            for (int i = 2; i < 6; i++) {
                String line = "Banned address=127.0.0." + i + " user=- ";
                Await.until(line, () -> lines(broker, line) > 0);
            }
            int before = attempts.get();
            long slowest = 0;
            int done = 0;
            for (; attempts.get() < before + 10_000 && done < 1000; done++) {
                slowest = Math.max(slowest, roundTrips(healthy, ROUND_TRIPS));
            }
            over.set(true);
            for (Thread attacker : attackers) {
                attacker.join();
            }
            System.out.println(
                    attempts + " failed logins in " + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began)
                            + " ms; meanwhile " + done * ROUND_TRIPS
                            + " round trips of a healthy client, the slowest took " + slowest + " ms");
            assertTrue(attempts.get() >= before + 10_000, attempts + " attempts");
            roundTrips(healthy, ROUND_TRIPS);
            assertTrue(broker.log().size() < 1000, broker.log().size() + " lines");
            assertTrue(lines(broker, "Banned (0x8A)") > 0, "refusals of the banned are logged");
            assertTrue(lines(broker, "others-not-logged=") > 0, "what is left out is counted");
        }
    }

    /** Of few rounds, as mosquitto makes them: what is measured is not how long a hash takes. */
    private static String hash(String password) throws Exception {
        byte[] salt = new byte[12];
        byte[] hash = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA512")
                .generateSecret(new PBEKeySpec(password.toCharArray(), salt, 101, 512))
                .getEncoded();
        Base64.Encoder text = Base64.getEncoder();
        return "$7$101$" + text.encodeToString(salt) + "$" + text.encodeToString(hash);
    }

    private static void attack(RunningBroker broker, String from, AtomicBoolean over, AtomicInteger attempts) {
        for (int i = 0; !over.get(); i++) {
            try (MqttSocket socket = MqttSocket.open(broker.port(), from)) {
                socket.send(connect("attacker", "user-" + i, "guess-" + i));
                socket.receiveOrEnd();
            } catch (UncheckedIOException | AssertionError refused) {
                // at accept
            }
            attempts.incrementAndGet();
        }
    }

    @Test
    void connectionsOfOneAddress_areBounded_thoseOfOthersAreNot() {
        List<String> settings = List.of(
                "limits.exempt-addresses=127.0.0.1",
                "limits.max-connections-per-address=5",
                "auth.allow-anonymous=true");
        try (RunningBroker broker = RunningBroker.start(settings);
                MqttSocket healthy = broker.socket().connect(ProtocolVersion.MQTT_5, "healthy")) {
            List<MqttSocket> sockets = new ArrayList<>();
            for (int address = 2; address < 12; address++) {
                for (int i = 0; i < 5; i++) {
                    String from = "127.0.0." + address;
                    sockets.add(MqttSocket.open(broker.port(), from).connect(ProtocolVersion.MQTT_5, from + "-" + i));
                }
            }
            for (int i = 0; i < 50; i++) {
                try (MqttSocket beyond = MqttSocket.open(broker.port(), "127.0.0.2")) {
                    beyond.expectClosed();
                }
            }
            String line = broker.awaitLog("limits.max-connections-per-address");
            assertTrue(line.contains("address=127.0.0.2:") && line.contains("from 127.0.0.2;"), line);
            assertTrue(line.contains("Quota exceeded (0x97)"), line);
            healthy.expectNothing();
            sockets.remove(0).disconnect();
            Await.until("there is room for another one", () -> {
                try (MqttSocket again = MqttSocket.open(broker.port(), "127.0.0.2")) {
                    again.connect(ProtocolVersion.MQTT_5, "again");
                    return true;
                } catch (AssertionError | UncheckedIOException refused) {
                    return false;
                }
            });
            sockets.forEach(MqttSocket::close);
        }
    }

    @Test
    void newConnectionsOfOneAddress_haveABoundedRate() {
        List<String> settings = List.of("limits.exempt-addresses=127.0.0.1", "limits.accept-rate-per-address=10");
        try (RunningBroker broker = RunningBroker.start(settings)) {
            for (int i = 0; i < 100; i++) {
                MqttSocket.open(broker.port(), "127.0.0.2").close();
            }
            assertTrue(broker.awaitLog("limits.accept-rate-per-address").contains("address=127.0.0.2:"));
            try (MqttSocket other = MqttSocket.open(broker.port(), "127.0.0.3")) {
                other.connect(ProtocolVersion.MQTT_5, "other");
            }
        }
    }

    @Test
    void publisherBeyondItsRate_isSlowed_andLosesNothing() {
        try (RunningBroker broker = RunningBroker.start(List.of("limits.publish-rate=500"));
                MqttSocket flood = broker.socket().connect(ProtocolVersion.MQTT_5, "flood");
                MqttSocket healthy = broker.socket().connect(ProtocolVersion.MQTT_5, "healthy")) {
            healthy.subscribe("healthy", Qos.AT_LEAST_ONCE);
            try (MqttSocket reader = broker.socket().connect(ProtocolVersion.MQTT_5, "reader")) {
                reader.subscribe("flood", Qos.AT_MOST_ONCE);
                for (int i = 0; i < 1500; i++) {
                    flood.publish("flood", "m" + i, Qos.AT_MOST_ONCE);
                }
                roundTrips(healthy, ROUND_TRIPS);
                for (int i = 0; i < 1500; i++) {
                    reader.expectPublish("flood", "m" + i);
                }
            }
        }
    }

    @Test
    void twoClientsOfOneIdentifier_areTold_andTheOthersAreServed() throws Exception {
        try (RunningBroker broker = RunningBroker.start(List.of());
                MqttSocket healthy = broker.socket().connect(ProtocolVersion.MQTT_5, "healthy")) {
            healthy.subscribe("healthy", Qos.AT_LEAST_ONCE);
            AtomicInteger takeovers = new AtomicInteger();
            List<Thread> fighters = new ArrayList<>();
            for (int i = 2; i < 4; i++) {
                String from = "127.0.0." + i;
                Thread fighter = new Thread(() -> fight(broker, from, takeovers));
                fighters.add(fighter);
                fighter.start();
            }
            while (takeovers.get() < 200) {
                roundTrips(healthy, 10);
            }
            for (Thread fighter : fighters) {
                fighter.join();
            }
            String line = broker.awaitLog("Contested client identifier");
            assertTrue(line.contains("client=meter") && line.contains("limits.takeover-policy"), line);
            assertTrue(line.contains("former-address=127.0.0.") && line.contains(" address=127.0.0."), line);
            assertEquals(1, lines(broker, "Contested client identifier"));
            assertTrue(broker.log().size() < 500, broker.log().size() + " lines");
        }
    }

    /** Comes back whenever it is sent away, until there have been 200 takeovers. */
    private static void fight(RunningBroker broker, String from, AtomicInteger takeovers) {
        while (takeovers.get() < 200) {
            try (MqttSocket socket = MqttSocket.open(broker.port(), from)) {
                socket.connect(ProtocolVersion.MQTT_5, "meter");
                while (takeovers.get() < 200) {
                    if (socket.poll(100) instanceof Disconnect disconnect) {
                        String why = String.valueOf(disconnect.reasonString());
                        if (disconnect.reason() == ReasonCode.SESSION_TAKEN_OVER && why.contains("give each its own")) {
                            takeovers.incrementAndGet();
                        }
                        break;
                    }
                }
            } catch (UncheckedIOException | AssertionError takenOverBeforeConnAck) {
                // comes back
            }
        }
    }

    @Test
    void willBeyondItsSize_isRefused_withTheKey() {
        try (RunningBroker broker = RunningBroker.start(List.of("limits.max-will-size=1KB"))) {
            for (int bytes : new int[] {1024, 1025}) {
                Will will = new Will(
                        TopicName.of("will"), new byte[bytes], Qos.AT_MOST_ONCE, false, Message.NO_BYTES, -1, 0);
                Connect connect =
                        Connect.builder(ProtocolVersion.MQTT_5, "w").will(will).build();
                try (MqttSocket socket = broker.socket()) {
                    if (bytes == 1024) {
                        socket.connect(connect);
                    } else {
                        ConnAck refused = socket.expectRefused(connect, ReasonCode.QUOTA_EXCEEDED);
                        String why = String.valueOf(refused.properties().reasonString());
                        assertTrue(why.contains("limits.max-will-size"), why);
                    }
                }
            }
            broker.awaitLog("limits.max-will-size");
        }
    }

    @Test
    void banFile_isFollowed_alsoForThoseWhoAreConnected(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("bans"), "# nobody yet\n");
        try (RunningBroker broker = RunningBroker.start(List.of("auth.ban-file=" + file));
                MqttSocket healthy = broker.socket().connect(ProtocolVersion.MQTT_5, "healthy");
                MqttSocket five = broker.socket().connect(ProtocolVersion.MQTT_5, "meter");
                MqttSocket three = broker.socket();
                MqttSocket far = MqttSocket.open(broker.port(), "127.0.0.9").connect(ProtocolVersion.MQTT_5, "far")) {
            three.connect(Connect.builder(ProtocolVersion.MQTT_3_1_1, "old")
                    .userName("ben")
                    .build());
            ban(file, "add", "client-id", "meter", "--reason", "it is broken");
            ban(file, "add", "user", "ben", "--for", "1h");
            ban(file, "add", "address", "127.0.0.8/30");

            Disconnect away = five.receive(Disconnect.class);
            assertEquals(ReasonCode.ADMINISTRATIVE_ACTION, away.reason());
            assertEquals(
                    "this client-id is banned: it is broken; see auth.ban-file",
                    away.reasonString() == null ? "" : away.reasonString().replace("client identifier", "client-id"));
            five.expectClosed();
            three.expectClosed();
            far.expectDisconnect(ReasonCode.ADMINISTRATIVE_ACTION);
            healthy.expectNothing();

            refused(broker, Connect.builder(ProtocolVersion.MQTT_5, "meter"));
            refused(broker, Connect.builder(ProtocolVersion.MQTT_3_1_1, "new").userName("ben"));
            try (MqttSocket again = MqttSocket.open(broker.port(), "127.0.0.10")) {
                again.expectClosed();
            }
            broker.awaitLog("this address is banned; see auth.ban-file");

            ban(file, "remove", "client-id", "meter");
            Await.until("the client is let in again", () -> {
                try (MqttSocket again = broker.socket()) {
                    again.send(Connect.builder(ProtocolVersion.MQTT_5, "meter").build());
                    return again.receive(ConnAck.class).reason() == ReasonCode.SUCCESS;
                }
            });
            Files.writeString(file, "nonsense");
            broker.awaitLog("auth.ban-file has 1 fault(s) and is not used");
            refused(broker, Connect.builder(ProtocolVersion.MQTT_5, "new").userName("ben"));
        }
    }

    private static void refused(RunningBroker broker, Connect.Builder connect) {
        try (MqttSocket socket = broker.socket()) {
            socket.expectRefused(connect.build(), ReasonCode.BANNED);
        }
    }

    private static void ban(Path file, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(RunningBroker.java(), "-jar", RunningBroker.jar().toString(), "ban"));
        command.addAll(List.of(arguments));
        command.addAll(List.of("-f", file.toString()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS) && process.exitValue() == 0, said);
    }
}
