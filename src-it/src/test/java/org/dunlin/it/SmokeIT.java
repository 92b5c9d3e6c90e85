package org.dunlin.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The packed broker starts, passes a message on for each version and QoS, and stops. */
@Broker
class SmokeIT {
    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    void publish_toSubscriber_arrives(ProtocolVersion version, RunningBroker broker) {
        try (MqttSocket subscriber = broker.socket().connect(version, "smoke-sub-" + version);
                MqttSocket publisher = broker.socket().connect(version, "smoke-pub-" + version)) {
            String topic = "smoke/" + version;
            subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
            for (Qos qos : Qos.values()) {
                publisher.publish(topic, "qos" + qos.value(), qos);
                assertEquals(
                        qos,
                        subscriber
                                .expectPublish(topic, "qos" + qos.value())
                                .message()
                                .qos());
            }
        }
    }

    @Test
    void sigterm_endsWithExitCode0() {
        try (RunningBroker broker = RunningBroker.start(List.of())) {
            assertEquals(0, broker.stop());
        }
    }
}
