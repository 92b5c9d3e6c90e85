package org.dunlin.it.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.Await;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A broker with a password file, which {@code dunlin user} changes while it runs. Every password has "sesame" in it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class UsersIT {
    private Accounts accounts;
    private RunningBroker broker;

    @BeforeAll
    void start(@TempDir Path folder) throws Exception {
        accounts = new Accounts(folder.resolve("users"));
        accounts.add("ann", "sesame-ann");
        accounts.add("ben", "sesame-ben");
        broker = RunningBroker.start(List.of("auth.password-file=" + accounts.file(), "log.level=debug"));
    }

    @AfterAll
    void stop_andNoPasswordWasEverShown() {
        broker.close();
        assertFalse(String.join("\n", broker.log()).contains("sesame"));
        assertFalse(accounts.output().contains("sesame"));
    }

    private static Connect connect(
            ProtocolVersion version, String clientId, @Nullable String user, @Nullable String password) {
        Connect.Builder connect = Connect.builder(version, clientId);
        if (user != null) {
            connect.userName(user);
        }
        if (password != null) {
            connect.password(password.getBytes(StandardCharsets.UTF_8));
        }
        return connect.build();
    }

    private void isLetIn(ProtocolVersion version, String user, String password) {
        try (MqttSocket socket = broker.socket()) {
            assertEquals(
                    ReasonCode.SUCCESS,
                    socket.connect(connect(version, "of-" + user + version, user, password))
                            .reason());
        }
    }

    /** @return what the broker says about it, "" from 3.x */
    private String isRefused(
            ProtocolVersion version, @Nullable String user, @Nullable String password, ReasonCode reason) {
        try (MqttSocket socket = broker.socket()) {
            ConnAck answer = socket.expectRefused(connect(version, "refused", user, password), reason);
            String said = answer.properties().reasonString();
            return said == null ? "" : said;
        }
    }

    private boolean isIn(String user, String password) {
        try (MqttSocket socket = broker.socket()) {
            socket.send(connect(ProtocolVersion.MQTT_5, "tries-" + user, user, password));
            return socket.receive(ConnAck.class).reason() == ReasonCode.SUCCESS;
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    void rightPassword_isLetIn_allElseIsRefused(ProtocolVersion version) {
        isLetIn(version, "ann", "sesame-ann");
        isLetIn(version, "ben", "sesame-ben");

        String wrong = isRefused(version, "ann", "sesame-ben", ReasonCode.BAD_USER_NAME_OR_PASSWORD);
        String unknown = isRefused(version, "cem", "sesame-ann", ReasonCode.BAD_USER_NAME_OR_PASSWORD);
        isRefused(version, "ann", null, ReasonCode.BAD_USER_NAME_OR_PASSWORD);
        String anonymous = isRefused(version, null, null, ReasonCode.NOT_AUTHORIZED);

        assertEquals(wrong, unknown);
        if (version.isV5()) {
            assertEquals("user name or password is wrong", wrong);
            assertTrue(anonymous.contains("send user name and password"), anonymous);
        }
    }

    @Test
    void readyLine_saysWhoMayConnect() {
        assertTrue(broker.awaitLog(" Ready on ").contains("(users of " + accounts.file() + ")"));
    }

    @Test
    void usersAreAddedChangedAndRemoved_whileTheBrokerServes() throws Exception {
        try (MqttSocket there = broker.socket()) {
            there.connect(connect(ProtocolVersion.MQTT_5, "there", "ann", "sesame-ann"));
            there.subscribe("reload", Qos.AT_LEAST_ONCE);

            assertFalse(isIn("dee", "sesame-dee"));
            accounts.add("dee", "sesame-dee");
            Await.until("dee is let in", () -> isIn("dee", "sesame-dee"));
            accounts.change("dee", "sesame-2");
            Await.until("dee has another password", () -> isIn("dee", "sesame-2"));
            assertFalse(isIn("dee", "sesame-dee"));
            accounts.remove("dee");
            Await.until("dee is gone", () -> !isIn("dee", "sesame-2"));

            there.publish("reload", "still there", Qos.AT_MOST_ONCE);
            there.expectPublish("reload", "still there");
        }
        isLetIn(ProtocolVersion.MQTT_3_1_1, "ann", "sesame-ann");
    }

    @Test
    void faultyFile_isToldInOneLine_andTheUsersStay(@TempDir Path folder) throws Exception {
        Accounts own = new Accounts(folder.resolve("users"));
        own.add("ann", "sesame-ann");
        byte[] good = Files.readAllBytes(own.file());
        try (RunningBroker other = RunningBroker.start(List.of("auth.password-file=" + own.file()))) {
            Path bad = Files.writeString(folder.resolve("bad"), "ann:sesame\nben");
            Files.move(bad, own.file(), StandardCopyOption.ATOMIC_MOVE);
            assertTrue(other.awaitLog("has 2 fault(s)").contains("users:1: user 'ann'"));
            letsAnnIn(other);

            Files.delete(own.file());
            other.awaitLog("cannot be read, the users read before stay");
            letsAnnIn(other);

            Files.write(own.file(), good);
            other.awaitLog("it names 1 user(s) now");
            letsAnnIn(other);
            assertFalse(String.join("\n", other.log()).contains("sesame"));
        }
    }

    private static void letsAnnIn(RunningBroker broker) {
        try (MqttSocket socket = broker.socket()) {
            assertEquals(
                    ReasonCode.SUCCESS,
                    socket.connect(connect(ProtocolVersion.MQTT_5, "ann", "ann", "sesame-ann"))
                            .reason());
        }
    }

    /** A hash takes a good part of a second here; 200 of them one after the other would take longer than anybody waits. */
    @Test
    void manyThatComeBackAtOnce_waitForNoHash() {
        List<MqttSocket> clients = new ArrayList<>();
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 200; i++) {
                String user = i % 2 == 0 ? "ann" : "ben";
                clients.add(broker.socket().send(connect(ProtocolVersion.MQTT_5, "many-" + i, user, "sesame-" + user)));
            }
            for (MqttSocket client : clients) {
                assertEquals(ReasonCode.SUCCESS, client.receive(ConnAck.class).reason());
            }
            clients.forEach(MqttSocket::close);
            clients.clear();
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E063"})
    void sessionOfAnotherUser_isNotTakenOver(ProtocolVersion version) {
        String id = "meter-" + version;
        try (MqttSocket ann = broker.socket();
                MqttSocket ben = broker.socket();
                MqttSocket again = broker.socket()) {
            ann.connect(connect(version, id, "ann", "sesame-ann"));

            ben.expectRefused(connect(version, id, "ben", "sesame-ben"), ReasonCode.CLIENT_IDENTIFIER_NOT_VALID);

            ann.subscribe("mine", Qos.AT_MOST_ONCE); // is still there
            again.connect(connect(version, id, "ann", "sesame-ann"));
        }
    }

    /**
     * Who asks for users by the clock learns nothing: the same work is done for those who are not there. Other work on the machine only
     * adds to a time, so the quickest of several tell; without that work the unknown would take a hundredth.
     */
    @Test
    void unknownUser_isRefusedNoSoonerThanAWrongPassword() {
        long known = Long.MAX_VALUE;
        long unknown = Long.MAX_VALUE;
        for (int i = 0; i < 12; i++) {
            known = Math.min(known, nanosOfRefusal("ann", "guess-" + i));
            unknown = Math.min(unknown, nanosOfRefusal("nobody-" + i, "guess-" + i));
        }
        System.out.println(
                "quickest refusals: wrong password " + known / 1000 + " us, unknown user " + unknown / 1000 + " us");
        assertTrue(unknown > known / 4 && known > unknown / 4, known + " and " + unknown + " ns");
    }

    private long nanosOfRefusal(String user, String password) {
        try (MqttSocket socket = broker.socket()) {
            long began = System.nanoTime();
            socket.expectRefused(
                    connect(ProtocolVersion.MQTT_5, "timing", user, password), ReasonCode.BAD_USER_NAME_OR_PASSWORD);
            return System.nanoTime() - began;
        }
    }

    @Test
    void anonymousClients_areLetInBesideUsers_ifTheKeySaysSo() {
        try (RunningBroker open =
                RunningBroker.start(List.of("auth.password-file=" + accounts.file(), "auth.allow-anonymous=true"))) {
            assertTrue(open.awaitLog(" Ready on ").contains("and anonymous clients)"));
            try (MqttSocket nobody = open.socket();
                    MqttSocket wrong = open.socket()) {
                nobody.connect(ProtocolVersion.MQTT_3_1_1, "nobody");
                wrong.expectRefused(
                        connect(ProtocolVersion.MQTT_3_1_1, "wrong", "ann", "sesame"),
                        ReasonCode.BAD_USER_NAME_OR_PASSWORD);
            }
        }
    }

    @Test
    void start_withFaults_endsWith2_andTellsThemAll(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("users"), "ann:sesame\nben\n");
        RunningBroker failing =
                RunningBroker.launch(RunningBroker.command(List.of(), List.of("auth.password-file=" + file)));

        assertEquals(2, failing.awaitExit());
        String said = String.join("\n", failing.log());
        assertTrue(said.contains(file + ":1: user 'ann'") && said.contains(file + ":2: the line"), said);
        assertFalse(said.contains("sesame"), said);
    }

    @Test
    void commandsAtTheSameTime_loseNoUser(@TempDir Path folder) throws Exception {
        Accounts own = new Accounts(folder.resolve("users"));
        own.add("first", "sesame");
        List<Process> running = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            running.add(own.begin("sesame", "add", "user-" + i, "--stdin"));
        }
        for (Process process : running) {
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(process.waitFor(60, TimeUnit.SECONDS) && process.exitValue() == 0, said);
        }

        List<String> lines = Files.readAllLines(own.file());
        assertEquals(5, lines.size(), lines.toString());
    }
}
