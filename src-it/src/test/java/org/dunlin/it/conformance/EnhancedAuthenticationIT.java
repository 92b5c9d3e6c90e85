package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.frame;
import static org.dunlin.it.conformance.Clients.string;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.Auth;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Will;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Enhanced authentication and re-authentication, with a method of the test's own. */
class EnhancedAuthenticationIT {
    private static PortsBroker broker;

    @BeforeAll
    static void start() throws Exception {
        broker = new PortsBroker();
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    private static Connect.Builder method(String method, String word) {
        return Connect.builder(MQTT_5, unique("client")).authentication(method, PortsBroker.bytes(word));
    }

    private static Auth auth(ReasonCode reason, String method, String word) {
        return new Auth(reason, method, PortsBroker.bytes(word));
    }

    private static Auth next(String word) {
        return auth(ReasonCode.CONTINUE_AUTHENTICATION, "TEST", word);
    }

    private static void expectAuth(MqttSocket socket, ReasonCode reason, String word) {
        Auth auth = socket.receive(Auth.class);
        assertEquals(reason, auth.reason());
        assertEquals("TEST", auth.method());
        assertEquals(word, auth.data() == null ? null : new String(auth.data(), StandardCharsets.UTF_8));
    }

    private static MqttSocket authenticated(Connect connect) {
        MqttSocket socket = broker.socket();
        socket.send(connect);
        expectAuth(socket, ReasonCode.CONTINUE_AUTHENTICATION, "which word?");
        socket.send(next("right"));
        assertEquals(ReasonCode.SUCCESS, socket.receive(ConnAck.class).reason());
        return socket;
    }

    /** CONNACK of failure, then the end. */
    private static ReasonCode expectRefusal(MqttSocket socket) {
        ConnAck connAck = socket.receive(ConnAck.class);
        assertTrue(connAck.reason().isError(), connAck.toString());
        assertFalse(connAck.sessionPresent());
        socket.expectClosed();
        return connAck.reason();
    }

    @Test
    @Clause(
            v5 = {"MQTT-4.12.0-2", "MQTT-4.12.0-5", "MQTT-3.15.2-1"},
            edge = {"E172", "E173"})
    void exchange_asksByAuth0x18AndEndsWithConnAck() {
        try (MqttSocket socket = broker.socket()) {
            socket.send(method("TEST", "hello").build());
            // AUTH, 0x18, properties: method, data
            String method = string("TEST");
            String data = "16" + string("which word?");
            String asked = frame(socket);
            assertTrue(asked.matches("f0171815(15" + method + data + "|" + data + "15" + method + ")"), asked);
            socket.send(next("more"));
            expectAuth(socket, ReasonCode.CONTINUE_AUTHENTICATION, "which other word?");
            socket.send(next("right"));
            ConnAck connAck = socket.receive(ConnAck.class);
            assertEquals(ReasonCode.SUCCESS, connAck.reason());
            assertEquals("TEST", connAck.properties().authenticationMethod());
            assertArrayEquals(
                    PortsBroker.bytes("well done"), connAck.properties().authenticationData());
            socket.expectNothing();
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-4.12.0-5"},
            edge = {"E172"})
    void methodOfOneStep_needsNoAuth() {
        try (MqttSocket socket = broker.socket()) {
            ConnAck connAck = socket.connect(method("ONE", "right").build());
            assertEquals("ONE", connAck.properties().authenticationMethod());
        }
    }

    @Test
    @Clause(v5 = {"MQTT-4.12.0-4", "MQTT-4.13.2-1"})
    void refusal_atAnyStep_isAConnAckAndTheEnd() {
        try (MqttSocket socket = broker.socket()) {
            socket.send(method("ONE", "wrong").build());
            assertEquals(ReasonCode.NOT_AUTHORIZED, expectRefusal(socket));
        }
        try (MqttSocket socket = broker.socket()) {
            socket.send(method("TEST", "hello").build());
            expectAuth(socket, ReasonCode.CONTINUE_AUTHENTICATION, "which word?");
            socket.send(next("wrong"));
            assertEquals(ReasonCode.NOT_AUTHORIZED, expectRefusal(socket));
        }
        try (MqttSocket socket = broker.socket()) {
            socket.send(method("TEST", "hello").build());
            expectAuth(socket, ReasonCode.CONTINUE_AUTHENTICATION, "which word?");
            socket.send(next("more"));
            expectAuth(socket, ReasonCode.CONTINUE_AUTHENTICATION, "which other word?");
            socket.send(next("wrong"));
            assertEquals(ReasonCode.NOT_AUTHORIZED, expectRefusal(socket));
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-4.12.0-1"},
            edge = {"E170"})
    void unknownMethod_isRefused() {
        try (MqttSocket socket = broker.socket()) {
            socket.expectRefused(method("OTHER", "right").build(), ReasonCode.BAD_AUTHENTICATION_METHOD);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "f0 10 19 0e 15 0004 54455354 16 0004 676f6f64", // re-authenticate: not now
                "f0 10 00 0e 15 0004 54455354 16 0004 676f6f64", // success is the server's word
                "f0 0a 18 08 15 0005 4f54484552", // another method
                "f0 02 18 00", // no method
                "c000", // a PINGREQ
                "30 04 0001 61 00", // a PUBLISH
                "82 07 0001 00 0001 61 00", // a SUBSCRIBE
                "10 0d 0004 4d515454 05 02 0000 00 0000", // a second CONNECT
            })
    @Clause(
            v5 = {"MQTT-4.12.0-3", "MQTT-4.12.0-5", "MQTT-3.15.2-1", "MQTT-3.14.0-1"},
            edge = {"E172", "E173", "E175"})
    void anythingButTheNextAuth_endsTheExchange(String hex) {
        try (MqttSocket socket = broker.socket()) {
            socket.send(method("TEST", "hello").build());
            expectAuth(socket, ReasonCode.CONTINUE_AUTHENTICATION, "which word?");
            socket.sendHex(hex);
            expectRefusal(socket);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.2-30"},
            edge = {"E173"})
    void disconnectOfTheClient_endsTheExchangeWithoutItsWill() {
        String topic = unique("auth");
        try (MqttSocket subscriber = broker.socket().connect(MQTT_5, unique("client"));
                MqttSocket socket = broker.socket()) {
            subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
            socket.send(method("TEST", "hello").will(will(topic)).build());
            expectAuth(socket, ReasonCode.CONTINUE_AUTHENTICATION, "which word?");
            socket.sendHex("e000");
            socket.expectClosed();
            assertTrue(subscriber.staysSilent(200));
        }
    }

    private static Will will(String topic) {
        return new Will(
                TopicName.of(topic), PortsBroker.bytes("will"), Qos.AT_LEAST_ONCE, false, Message.NO_BYTES, -1, 0);
    }

    @Test
    @Clause(
            v5 = {"MQTT-4.12.0-2", "MQTT-4.12.0-5", "MQTT-3.15.2-1"},
            edge = {"E174"})
    void reAuthentication_goesOnBesideOtherTraffic() {
        String topic = unique("auth");
        try (MqttSocket socket = authenticated(method("TEST", "hello").build());
                MqttSocket publisher = broker.socket().connect(MQTT_5, unique("client"))) {
            socket.subscribe(topic, Qos.AT_LEAST_ONCE);
            for (int round = 0; round < 2; round++) {
                socket.send(auth(ReasonCode.RE_AUTHENTICATE, "TEST", "hello"));
                expectAuth(socket, ReasonCode.CONTINUE_AUTHENTICATION, "which word?");
                publisher.publish(topic, "m", Qos.AT_LEAST_ONCE);
                socket.expectPublish(topic, "m");
                socket.publish(topic + "/other", "m", Qos.EXACTLY_ONCE);
                socket.expectNothing();
                socket.send(next("right"));
                expectAuth(socket, ReasonCode.SUCCESS, "well done");
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-4.12.1-2", "MQTT-4.13.2-1", "MQTT-3.14.2-1"},
            edge = {"E174"})
    void failedReAuthentication_disconnectsAndTheWillIsPublished() {
        String topic = unique("auth");
        try (MqttSocket subscriber = broker.socket().connect(MQTT_5, unique("client"));
                MqttSocket socket =
                        authenticated(method("TEST", "hello").will(will(topic)).build())) {
            subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
            socket.send(auth(ReasonCode.RE_AUTHENTICATE, "TEST", "hello"));
            expectAuth(socket, ReasonCode.CONTINUE_AUTHENTICATION, "which word?");
            socket.send(next("wrong"));
            socket.expectDisconnect(ReasonCode.NOT_AUTHORIZED);
            subscriber.expectPublish(topic, "will");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "f0 0a 19 08 15 0005 4f54484552", // another method
                "f0 08 19 06 15 0003 4f4e45", // one that the broker knows
                "f0 02 19 00", // no method
                "f0 09 18 07 15 0004 54455354", // to be continued, but nothing was begun
                "f0 09 00 07 15 0004 54455354", // success is the server's word
                "f0 00", // likewise
            })
    @Clause(
            v5 = {"MQTT-4.12.1-1", "MQTT-4.12.0-5", "MQTT-3.15.2-1"},
            edge = {"E172", "E175"})
    void wrongAuthOnAnOpenConnection_disconnects(String hex) {
        try (MqttSocket socket = authenticated(method("TEST", "hello").build())) {
            socket.sendHex(hex);
            socket.expectDisconnect(ReasonCode.PROTOCOL_ERROR);
        }
    }

    @Test
    @Clause(v5 = {"MQTT-3.15.2-2", "MQTT-3.15.2-3"})
    void auth_withinMaximumPacketSize_hasWhatItNeeds() {
        try (MqttSocket socket =
                authenticated(method("TEST", "hello").maximumPacketSize(60).build())) {
            socket.send(auth(ReasonCode.RE_AUTHENTICATE, "TEST", "hello"));
            String ask = frame(socket);
            assertTrue(ask.length() / 2 <= 60, ask);
            assertTrue(ask.contains(string("which word?")), ask);
        }
    }
}
