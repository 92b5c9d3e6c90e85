package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.expectNothingMore;
import static org.dunlin.it.conformance.Clients.publish;
import static org.dunlin.it.conformance.Clients.unique;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.BitSet;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** All packet identifiers towards one client in use. */
@Broker(settings = {"limits.max-inflight=65535"})
class PacketIdentifiersInUseIT {
    private static final int ALL = 65_535;

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.3.2-1", "MQTT-4.9.0-2"},
            edge = {"E111"})
    void withAllIdentifiersOpen_deliveryWaitsForOne(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("ids");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket subscriber = client(broker, version)) {
            subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
            BitSet open = new BitSet();
            for (int sent = 0; sent < ALL; sent += 85) { // 771 times 85 is 65,535
                Packet[] batch = new Packet[85];
                for (int i = 0; i < 85; i++) {
                    batch[i] = publish(topic, "m", Qos.AT_LEAST_ONCE, i + 1, false);
                }
                publisher.send(batch);
                for (int i = 0; i < 85; i++) {
                    publisher.receiveAck(PacketType.PUBACK);
                    int id = subscriber.receive(Publish.class).packetId();
                    assertFalse(open.get(id), "in use: " + id);
                    open.set(id);
                }
            }
            assertEquals(ALL, open.cardinality());
            assertFalse(open.get(0));
            publisher.publish(topic, "waits", Qos.AT_LEAST_ONCE);
            publisher.publish(topic, "waits, too", Qos.AT_LEAST_ONCE);
            expectNothingMore(publisher, subscriber);
            for (int id : new int[] {40_000, 3}) {
                subscriber.send(new Ack(PacketType.PUBACK, id));
                assertEquals(id, subscriber.receive(Publish.class).packetId());
            }
            expectNothingMore(publisher, subscriber);
        }
    }
}
