package org.dunlin.it.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Auth;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who sends guesses in crowds, and who comes meanwhile. Guesses come from 127.0.0.2 on. */
class GuessesIT {
    private static final String SECRET = "0123456789abcdef0123456789abcdef";

    @TempDir
    Path folder;

    /** Takes some milliseconds of a processor. */
    private static String line(String user, String password) throws Exception {
        byte[] salt = new byte[12];
        byte[] hash = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA512")
                .generateSecret(new PBEKeySpec(password.toCharArray(), salt, 2_000, 512))
                .getEncoded();
        Base64.Encoder text = Base64.getEncoder();
        return user + ":$7$2000$" + text.encodeToString(salt) + "$" + text.encodeToString(hash) + "\n";
    }

    private static Connect connect(String clientId, String user, String password) {
        return Connect.builder(ProtocolVersion.MQTT_5, clientId)
                .userName(user)
                .password(password.getBytes(StandardCharsets.UTF_8))
                .build();
    }

    @Test
    void guessesAtTheSameTime_areNoMoreThanBeforeTheBan_andTheUserGetsInFromElsewhere() throws Exception {
        Path users = Files.writeString(folder.resolve("users"), line("ann", "sesame"));
        List<String> settings =
                List.of("auth.password-file=" + users, "auth.ban.exempt=127.0.0.1", "limits.connect-timeout=60s");
        try (RunningBroker broker = RunningBroker.start(settings)) {
            List<MqttSocket> crowd = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                crowd.add(MqttSocket.open(broker.port(), "127.0.0.2"));
            }
            for (int i = 0; i < crowd.size(); i++) {
                crowd.get(i).send(connect("guess-" + i, "ann", "guess-" + i));
            }
            long began = System.nanoTime();
            try (MqttSocket ann = MqttSocket.open(broker.port(), "127.0.0.3")) {
                ann.connect(connect("ann", "ann", "sesame"));
            }
            long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
            Map<ReasonCode, Integer> answers = new EnumMap<>(ReasonCode.class);
            for (MqttSocket socket : crowd) {
                answers.merge(socket.receive(ConnAck.class).reason(), 1, Integer::sum);
                socket.close();
            }
            System.out.println("200 guesses at once: " + answers + "; the user was in after " + took + " ms");
            // a failure is counted by the loop, which may come to it only when the next is being checked
            int looked = answers.get(ReasonCode.BAD_USER_NAME_OR_PASSWORD);
            assertTrue(looked >= 10 && looked <= 10 + Runtime.getRuntime().availableProcessors(), answers.toString());
            assertTrue(answers.getOrDefault(ReasonCode.BANNED, 0) > 0, answers.toString());
            try (MqttSocket ann = MqttSocket.open(broker.port(), "127.0.0.3")) {
                ann.connect(connect("ann", "ann", "sesame"));
            }
        }
    }

    @Test
    void addressThatFillsTheQueue_leavesOthersTheirPlace() throws Exception {
        Path users = Files.writeString(folder.resolve("users"), line("ann", "sesame") + line("ben", "sesame"));
        List<String> settings = List.of(
                "auth.password-file=" + users,
                "auth.ban.after=100000",
                "auth.ban.address-after=100000",
                "limits.connect-timeout=60s");
        try (RunningBroker broker = RunningBroker.start(settings)) {
            List<MqttSocket> crowd = new ArrayList<>();
            for (int i = 0; i < 3000; i++) {
                crowd.add(MqttSocket.open(broker.port(), "127.0.0.2"));
            }
            for (int i = 0; i < crowd.size(); i++) {
                crowd.get(i).send(connect("guess-" + i, "user-" + i, "guess-" + i));
            }
            long began = System.nanoTime();
            try (MqttSocket ann = MqttSocket.open(broker.port(), "127.0.0.3");
                    MqttSocket ben = MqttSocket.open(broker.port(), "127.0.0.4")) {
                ann.connect(connect("ann", "ann", "sesame"));
                ben.connect(connect("ben", "ben", "sesame"));
            }
            long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
            Map<ReasonCode, Integer> answers = new EnumMap<>(ReasonCode.class);
            for (MqttSocket socket : crowd) {
                answers.merge(socket.receive(ConnAck.class).reason(), 1, Integer::sum);
                socket.close();
            }
            System.out.println("3000 logins of one address: " + answers + "; two others were in after " + took + " ms");
            assertTrue(answers.getOrDefault(ReasonCode.SERVER_BUSY, 0) > 0, answers.toString());
        }
    }

    @Test
    void exchangeOfScram_countsForTheUserItNames_alsoWithoutAUserNameInConnect() throws Exception {
        String account = "ann:$scram-sha-256$4096$W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
                + "$wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=\n";
        Path users = Files.writeString(folder.resolve("users"), account);
        List<String> settings = List.of("auth.password-file=" + users, "auth.ban.exempt=127.0.0.1");
        try (RunningBroker broker = RunningBroker.start(settings)) {
            for (int i = 0; i < 10; i++) {
                assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, exchange(broker, "127.0.0.2", "ann"));
            }
            assertTrue(broker.awaitLog("Banned address=127.0.0.2 user=ann ").contains("auth.ban.after"));
            assertEquals(ReasonCode.BANNED, exchange(broker, "127.0.0.2", "ann"));
            assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, exchange(broker, "127.0.0.2", "ben"));
            assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, exchange(broker, "127.0.0.3", "ann"));
        }
    }

    /** With a proof that is wrong. */
    private static ReasonCode exchange(RunningBroker broker, String from, String user) {
        try (MqttSocket socket = MqttSocket.open(broker.port(), from)) {
            socket.send(Connect.builder(ProtocolVersion.MQTT_5, "scram")
                    .authentication("SCRAM-SHA-256", bytes("n,,n=" + user + ",r=abc"))
                    .build());
            if (socket.receive() instanceof Auth asked) {
                String text = new String(asked.data() == null ? new byte[0] : asked.data(), StandardCharsets.UTF_8);
                String proof = Base64.getEncoder().encodeToString(new byte[32]);
                String nonce = text.substring(0, text.indexOf(','));
                socket.send(new Auth(
                        ReasonCode.CONTINUE_AUTHENTICATION, "SCRAM-SHA-256", bytes("c=biws," + nonce + ",p=" + proof)));
                return socket.receive(ConnAck.class).reason();
            }
            return ReasonCode.BANNED;
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void tokensThatHaveExpired_areRefusedAndCountAsNoGuess() throws Exception {
        List<String> settings = List.of("auth.jwt.secret=" + SECRET, "auth.jwt.leeway=0", "auth.ban.exempt=127.0.0.1");
        try (RunningBroker broker = RunningBroker.start(settings)) {
            for (int i = 0; i < 60; i++) {
                String expired = Tokens.hmac(SECRET, Tokens.claims("ann", -10 - i, ""));
                try (MqttSocket socket = MqttSocket.open(broker.port(), "127.0.0.2")) {
                    ConnAck answer =
                            socket.expectRefused(connect("meter-" + i, "ann", expired), ReasonCode.NOT_AUTHORIZED);
                    assertEquals(
                            "the token has expired; get a new one",
                            answer.properties().reasonString());
                }
            }
            try (MqttSocket socket = MqttSocket.open(broker.port(), "127.0.0.2")) {
                socket.connect(connect("meter", "ann", Tokens.hmac(SECRET, Tokens.claims("ann", 60, ""))));
            }
        }
    }

    @Test
    void clientIdentifiersBoundToUsers_areNobodyElses() throws Exception {
        Path users = Files.writeString(folder.resolve("users"), line("ann", "sesame") + line("ben", "sesame"));
        List<String> settings = List.of("auth.password-file=" + users, "auth.bind-client-id=prefix");
        try (RunningBroker broker = RunningBroker.start(settings)) {
            try (MqttSocket ann = broker.socket();
                    MqttSocket other = broker.socket();
                    MqttSocket assigned = broker.socket()) {
                ann.connect(connect("ann:1", "ann", "sesame"));
                ConnAck refused = other.expectRefused(connect("ann:1", "ben", "sesame"), ReasonCode.NOT_AUTHORIZED);
                String why = String.valueOf(refused.properties().reasonString());
                assertTrue(why.contains("'ben:...'") && why.contains("auth.bind-client-id"), why);
                assigned.connect(connect("", "ben", "sesame"));
                ann.expectNothing();
            }
        }
    }

    @Test
    void readyLine_showsAddressesAsTheyAreConfigured() throws Exception {
        Path file = Files.writeString(
                folder.resolve("dunlin.yaml"),
                "auth: {allow-anonymous: true}\nstorage: {engine: memory}\nlisteners:\n"
                        + "  - {name: near, bind: 127.0.0.1, port: 0}\n  - {name: far, bind: 0.0.0.0, port: 0}\n");
        List<String> command =
                List.of(RunningBroker.java(), "-jar", RunningBroker.jar().toString(), "start", "-c", file.toString());
        try (RunningBroker broker = RunningBroker.run(command)) {
            assertTrue(
                    broker.awaitLog(" Ready on ").contains("tcp://0.0.0.0:"),
                    broker.log().toString());
        }
    }
}
