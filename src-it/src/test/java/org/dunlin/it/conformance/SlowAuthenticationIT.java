package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.dunlin.core.spi.Authenticator.Answer;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** An authenticator that takes its time: nothing is answered before it, and nothing that was refused takes effect. */
class SlowAuthenticationIT {
    private static PortsBroker broker;

    @BeforeAll
    static void start() throws Exception {
        broker = new PortsBroker();
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    private static Connect slow(String clientId, boolean cleanStart) {
        return Connect.builder(MQTT_5, clientId)
                .userName("slow")
                .cleanStart(cleanStart)
                .build();
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.2.0-1"},
            edge = {"E019", "E020"})
    void packetsBehindConnect_waitForTheDecisionAndKeepTheirOrder() throws InterruptedException {
        String topic = unique("slow");
        try (MqttSocket client = broker.socket()) {
            client.send(
                    slow(unique("client"), true),
                    new Subscribe(1, 0, List.of(new Subscribe.Entry(topic, Qos.AT_MOST_ONCE)), List.of()),
                    new Publish(MqttSocket.message(topic, "m", Qos.AT_MOST_ONCE, false), 0, false),
                    Ping.REQUEST);
            assertTrue(client.staysSilent(300));
            broker.decideSlow(Answer.Accepted.as("slow"));
            assertEquals(ReasonCode.SUCCESS, client.receive(ConnAck.class).reason());
            assertEquals(1, client.receive(SubAck.class).packetId());
            client.expectPublish(topic, "m");
            assertEquals(Ping.RESPONSE, client.receive());
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.4-2", "MQTT-3.1.4-4", "MQTT-3.1.4-6", "MQTT-3.2.2-6", "MQTT-3.2.2-7"},
            edge = {"E029"})
    void refusedConnect_leavesTheSessionAndItsHolderAlone() throws InterruptedException {
        String clientId = unique("client");
        String topic = unique("slow");
        try (MqttSocket holder = broker.socket();
                MqttSocket intruder = broker.socket();
                MqttSocket observer = broker.socket().connect(MQTT_5, unique("client"))) {
            holder.connect(
                    Connect.builder(MQTT_5, clientId).sessionExpirySeconds(60).build());
            holder.subscribe(topic + "/live", Qos.AT_LEAST_ONCE);
            intruder.send(
                    slow(clientId, true),
                    new Publish(MqttSocket.message(topic + "/retained", "r", Qos.AT_MOST_ONCE, true), 0, false));
            broker.decideSlow(new Answer.Refused(ReasonCode.BAD_USER_NAME_OR_PASSWORD, "no such user"));
            ConnAck refusal = intruder.receive(ConnAck.class);
            assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, refusal.reason());
            assertEquals(false, refusal.sessionPresent());
            intruder.expectClosed();
            observer.publish(topic + "/live", "still there", Qos.AT_LEAST_ONCE);
            holder.expectPublish(topic + "/live", "still there");
            observer.subscribe(topic + "/retained", Qos.AT_MOST_ONCE);
            observer.expectNothing();
        }
    }
}
