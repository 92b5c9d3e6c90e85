package org.dunlin.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
}
