package org.dunlin.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that people use get their messages through the packed broker. */
@Broker
class RealClientIT {
    @ParameterizedTest
    @CsvSource({"mqttv31, 0", "mqttv311, 1", "mqttv5, 2"})
    void mosquitto_publishes_mosquittoReceives(String version, String qos, RunningBroker broker) {
        String topic = "mosquitto/" + version;
        try (RealClient subscriber =
                RealClient.mosquittoSub(broker, "-V", version, "-q", qos, "-t", topic, "-C", "1", "-v", "-d")) {
            subscriber.awaitLine("Subscribed");
            RealClient.mosquittoPub(broker, "-V", version, "-q", qos, "-t", topic, "-m", "carried")
                    .awaitSuccess();
            List<String> output = subscriber.awaitSuccess();
            assertTrue(output.contains(topic + " carried"), subscriber::toString);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"3", "4", "5"})
    void mqttJs_publishesToItself_receivesEachOnce(String version, RunningBroker broker) {
        try (RealClient client = RealClient.node("roundtrip.mjs", broker, version)) {
            String topic = "js/roundtrip/" + version;
            assertEquals(
                    List.of(topic + " message0 0", topic + " message1 1", topic + " message2 2"),
                    client.awaitSuccess());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"4", "5"})
    void mqttJs_doesAllThatProgramsDo(String version, RunningBroker broker) {
        try (RealClient client = RealClient.node("tour.mjs", broker, version)) {
            List<String> told = client.awaitSuccess();
            List<String> all = List.of("retained", "256 KB", "2000 topics", "will", "session", "shared");
            assertTrue(told.containsAll(all), client::toString);
            assertEquals(version.equals("5"), told.contains("properties"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"mqttv311", "mqttv5"})
    void mosquitto_retainedSessionShareAndLargePayload(String version, RunningBroker broker) throws IOException {
        String root = "mosquitto/tour/" + version;
        String id = "mosquitto-tour-" + version;
        RealClient.mosquittoPub(broker, "-V", version, "-q", "1", "-r", "-t", root + "/kept", "-m", "value")
                .awaitSuccess();
        assertEquals(
                List.of(root + "/kept value"),
                RealClient.mosquittoSub(broker, "-V", version, "-t", root + "/+", "-C", "1", "-v")
                        .awaitSuccess());

        String[] session = {"-V", version, "-i", id, "-c", "-x", "60", "-q", "1", "-t", root + "/session"};
        RealClient.mosquittoSub(broker, with(session, "-E")).awaitSuccess();
        for (int i = 0; i < 3; i++) {
            RealClient.mosquittoPub(broker, "-q", "1", "-t", root + "/session", "-m", "m" + i)
                    .awaitSuccess();
        }
        assertEquals(
                List.of("m0", "m1", "m2"),
                RealClient.mosquittoSub(broker, with(session, "-C", "3")).awaitSuccess());

        Path large = Files.createTempFile("dunlin", ".payload");
        Files.writeString(large, "x".repeat(256 * 1024));
        try (RealClient subscriber = RealClient.mosquittoSub(
                broker, "-V", version, "-q", "2", "-t", root + "/large", "-C", "1", "-F", "%l bytes", "-d")) {
            subscriber.awaitLine("Subscribed");
            RealClient.mosquittoPub(broker, "-V", version, "-q", "2", "-t", root + "/large", "-f", large.toString())
                    .awaitSuccess();
            assertTrue(subscriber.awaitSuccess().contains("262144 bytes"), subscriber::toString);
        } finally {
            Files.delete(large);
        }

        String share = "$share/tour/" + root + "/shared";
        try (RealClient one = RealClient.mosquittoSub(broker, "-V", version, "-t", share, "-q", "1", "-C", "5", "-d");
                RealClient two =
                        RealClient.mosquittoSub(broker, "-V", version, "-t", share, "-q", "1", "-C", "5", "-d")) {
            one.awaitLine("Subscribed");
            two.awaitLine("Subscribed");
            for (int i = 0; i < 10; i++) {
                RealClient.mosquittoPub(broker, "-q", "1", "-t", root + "/shared", "-m", "s" + i)
                        .awaitSuccess();
            }
            List<String> got = new ArrayList<>(one.awaitSuccess());
            got.addAll(two.awaitSuccess());
            for (int i = 0; i < 10; i++) {
                String message = "s" + i;
                assertEquals(1, got.stream().filter(message::equals).count(), message);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"mqttv311", "mqttv5"})
    void mosquitto_thatIsKilled_leavesItsWill(String version, RunningBroker broker) {
        String root = "mosquitto/will/" + version;
        try (RealClient watcher = RealClient.mosquittoSub(broker, "-t", root, "-q", "1", "-C", "1", "-d")) {
            watcher.awaitLine("Subscribed");
            try (RealClient mortal = RealClient.mosquittoSub(
                    broker,
                    "-V",
                    version,
                    "-t",
                    root + "/nothing",
                    "--will-topic",
                    root,
                    "--will-payload",
                    "gone",
                    "--will-qos",
                    "1",
                    "-d")) {
                mortal.awaitLine("Subscribed");
            }
            assertTrue(watcher.awaitSuccess().contains("gone"), watcher::toString);
        }
    }

    private static String[] with(String[] arguments, String... more) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of(more));
        return all.toArray(new String[0]);
    }
}
