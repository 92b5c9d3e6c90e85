package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.expectNothingMore;
import static org.dunlin.it.conformance.Clients.unique;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A client that does not read. */
@Broker
class SlowReaderIT {
    private static final int COUNT = 400;
    private static final int SIZE = 100_000;

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.13.1-1"},
            edge = {"E179"})
    void slowReader_losesQos0AloneAndHoldsNobodyUp(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("slow");
        String load = "x".repeat(SIZE);
        try (MqttSocket publisher = client(broker, version);
                MqttSocket slow = client(broker, version);
                MqttSocket quick = client(broker, version)) {
            slow.subscribe(topic + "/#", Qos.AT_LEAST_ONCE);
            quick.subscribe(topic + "/#", Qos.AT_LEAST_ONCE);
            for (int i = 0; i < COUNT; i++) { // 40 MB; the other one gets all of it while nobody reads here
                publisher.publish(topic + "/0", load, Qos.AT_MOST_ONCE);
                quick.expectPublish(topic + "/0", load);
                if (i % 4 == 0) {
                    publisher.publish(topic + "/1", "" + i / 4, Qos.AT_LEAST_ONCE);
                    quick.expectPublish(topic + "/1", "" + i / 4);
                }
            }
            int qos0 = 0;
            int qos1 = 0;
            while (qos1 < COUNT / 4) {
                Publish publish = slow.receivePublish();
                if (publish.message().qos() == Qos.AT_MOST_ONCE) {
                    qos0++;
                } else {
                    assertEquals("" + qos1++, MqttSocket.text(publish));
                }
            }
            assertTrue(qos0 < COUNT, "of 40 MB nothing was dropped");
            expectNothingMore(publisher, slow);
            publisher.publish(topic + "/0", "again", Qos.AT_MOST_ONCE); // it has caught up
            slow.expectPublish(topic + "/0", "again");
        }
    }
}
