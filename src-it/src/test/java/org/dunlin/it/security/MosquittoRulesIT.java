package org.dunlin.it.security;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RealClient;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.Subscribe;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * One ACL file of mosquitto's own grammar, made at random, in mosquitto and in Dunlin: nobody may receive or publish anything here
 * that mosquitto does not allow, and all may do the same if no pattern denies, which wins here alone.
 */
class MosquittoRulesIT {
    private static final String[] LEVELS = {"a", "b", "+", "a", "b", "ann", "c1", ""};
    /** A topic that everybody may use, since no denial begins with a wildcard or a name: what comes before it has come. */
    private static final String FENCE = "fence";

    private static final String[] ACTIONS = {"read ", "write ", "readwrite ", "deny ", ""};

    /** Whom the rules speak of: user name and client identifier. */
    private record Who(@Nullable String user, String clientId) {}

    private static final List<Who> PEOPLE =
            List.of(new Who(null, "c1"), new Who("ann", "c1"), new Who("ben", "c2"), new Who("ann", "x+y"));

    private static String rules(Random random) {
        String fence = "topic readwrite " + FENCE + "\n";
        return fence + lines(random, 5, false) + "user root\ntopic readwrite #\nuser ann\n" + fence
                + lines(random, 6, false) + "user ben\n" + fence + lines(random, 3, false) + lines(random, 4, true);
    }

    private static String lines(Random random, int count, boolean pattern) {
        StringBuilder text = new StringBuilder();
        for (int n = 0; n < count; n++) {
            String action = ACTIONS[random.nextInt(ACTIONS.length)];
            text.append(pattern ? "pattern " : "topic ").append(action);
            int levels = 1 + random.nextInt(3);
            for (int i = 0; i < levels; i++) {
                boolean plain = i == 0 && action.startsWith("deny");
                String level = plain ? "a" : LEVELS[random.nextInt(LEVELS.length - (levels == 1 ? 1 : 0))];
                String name = random.nextBoolean() ? "%u" : "%c";
                boolean named = pattern && !plain && random.nextInt(2) == 0;
                text.append(i == 0 ? "" : "/").append(named ? name : level);
            }
            text.append(random.nextInt(3) == 0 ? "/#\n" : "\n");
        }
        return text.toString();
    }

    private static List<String> topics() {
        List<String> topics = new ArrayList<>();
        String[] letters = {"a", "b", "ann", "c1", "z", "ben", ""};
        for (String one : letters) {
            if (!one.isEmpty()) {
                topics.add(one);
            }
            for (String two : letters) {
                topics.add(one + "/" + two);
                topics.add(one + "/" + two + "/a");
            }
        }
        return topics;
    }

    private static MqttSocket connect(int port, @Nullable String user, String clientId) {
        Connect.Builder connect = Connect.builder(ProtocolVersion.MQTT_3_1_1, clientId);
        if (user != null) {
            connect.userName(user);
        }
        MqttSocket socket = MqttSocket.open(port);
        assertFalse(socket.connect(connect.build()).reason().isError());
        return socket;
    }

    /** The topics that it gets, each subscribed to for itself. */
    private static Set<String> received(int port, Who who) {
        try (MqttSocket root = connect(port, "root", "root");
                MqttSocket client = connect(port, who.user(), who.clientId())) {
            for (String topic : topics()) {
                client.subscribe(new Subscribe.Entry(topic, Qos.AT_MOST_ONCE));
            }
            client.subscribe(FENCE, Qos.AT_MOST_ONCE);
            publishAll(root);
            root.publish(FENCE, "x", Qos.AT_LEAST_ONCE);
            return seen(client);
        }
    }

    /** The topics of its messages that another client gets. */
    private static Set<String> published(int port, Who who) {
        try (MqttSocket root = connect(port, "root", "root");
                MqttSocket client = connect(port, who.user(), who.clientId())) {
            root.subscribe("#", Qos.AT_MOST_ONCE);
            publishAll(client);
            client.publish(FENCE, "x", Qos.AT_LEAST_ONCE);
            return seen(root);
        }
    }

    private static void publishAll(MqttSocket socket) {
        for (String topic : topics()) {
            socket.publish(topic, "x", Qos.AT_LEAST_ONCE);
        }
    }

    private static Set<String> seen(MqttSocket socket) {
        Set<String> topics = new HashSet<>();
        String topic = socket.receive(Publish.class).message().topic().text();
        while (!topic.equals(FENCE)) {
            topics.add(topic);
            topic = socket.receive(Publish.class).message().topic().text();
        }
        return topics;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    @Test
    void nobodyMayDoMoreThanWithMosquitto_norLessButForDenials(@TempDir Path folder) throws Exception {
        Path program = RealClient.program("mosquitto");
        long seed = Long.getLong("dunlin.seed", System.nanoTime());
        System.out.println("dunlin.seed=" + seed);
        Random random = new Random(seed);
        int allowed = 0;
        for (int round = 0; round < 3; round++) {
            int number = round;
            String rules = rules(random);
            Path acl = Files.writeString(folder.resolve("acl" + round), rules);
            int port = freePort();
            Path settings = Files.writeString(
                    folder.resolve("conf" + round),
                    "user " + System.getProperty("user.name") + "\nlistener " + port
                            + " 127.0.0.1\nallow_anonymous true\nacl_file " + acl + "\n");
            Process mosquitto = new ProcessBuilder(program.toString(), "-c", settings.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve("log" + round).toFile())
                    .start();
            try (RunningBroker dunlin = RunningBroker.start(List.of("auth.acl-file=" + acl))) {
                Await.until("mosquitto listens", () -> listens(port) || !mosquitto.isAlive());
                assertTrue(mosquitto.isAlive(), () -> read(folder.resolve("log" + number)) + rules);
                for (Who who : PEOPLE) {
                    allowed += compare(rules, who, "receives", received(port, who), received(dunlin.port(), who));
                    allowed += compare(rules, who, "publishes", published(port, who), published(dunlin.port(), who));
                }
            } finally {
                mosquitto.destroy();
                mosquitto.waitFor(20, TimeUnit.SECONDS);
            }
        }
        assertTrue(allowed > 0, "nothing was allowed at all");
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean listens(int port) {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            return socket.isConnected();
        } catch (IOException notYet) {
            return false;
        }
    }

    private static int compare(String rules, Who who, String what, Set<String> theirs, Set<String> ours) {
        Set<String> more = new HashSet<>(ours);
        more.removeAll(theirs);
        assertTrue(more.isEmpty(), () -> who + " " + what + " more: " + more + " by\n" + rules);
        boolean stricter = rules.contains("pattern deny");
        Set<String> less = new HashSet<>(theirs);
        less.removeAll(ours);
        assertTrue(less.isEmpty() || stricter, () -> who + " " + what + " less: " + less + " by\n" + rules);
        return theirs.size();
    }
}
