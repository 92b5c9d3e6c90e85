package org.dunlin.it.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.hivemq.client.mqtt.MqttClient;
import com.hivemq.client.mqtt.datatypes.MqttQos;
import com.hivemq.client.mqtt.mqtt5.Mqtt5BlockingClient;
import com.hivemq.client.mqtt.mqtt5.exceptions.Mqtt5PubAckException;
import com.hivemq.client.mqtt.mqtt5.exceptions.Mqtt5SubAckException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RealClient;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A broker with an ACL file, as its clients notice it. User names are taken as said: what counts here is what follows from them. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AclIT {
    private static final String RULES = """
            # clients without a user name
            topic read news/#
            topic readwrite with blanks/in it

            user ann
            topic readwrite plant/#
            topic deny plant/locked/#
            topic publish,qos=1,retain=no meter
            topic subscribe,qos=0 low
            topic receive low
            topic write log

            user writer
            topic readwrite #
            topic readwrite $SYS/#

            group ops
            members ann ben
            topic read ops/+

            all
            topic read hello

            pattern readwrite dev/%c/#
            pattern read home/%u/+
            """;

    private Path folder = Path.of("");
    private Path file = Path.of("");
    private RunningBroker broker;

    @BeforeAll
    void start(@TempDir Path folder) throws Exception {
        this.folder = folder;
        file = Files.writeString(folder.resolve("acl"), RULES);
        broker = RunningBroker.start(List.of("auth.acl-file=" + file));
    }

    @AfterAll
    void stop() {
        broker.close();
    }

    private MqttSocket client(ProtocolVersion version, String clientId, @Nullable String user) {
        Connect.Builder connect = Connect.builder(version, clientId);
        if (user != null) {
            connect.userName(user);
        }
        MqttSocket socket = broker.socket();
        assertEquals(ReasonCode.SUCCESS, socket.connect(connect.build()).reason());
        return socket;
    }

    private static ReasonCode subscribes(MqttSocket socket, String filter, Qos qos) {
        SubAck answer = socket.subscribe(new Subscribe.Entry(filter, qos));
        return answer.reasons().get(0);
    }

    private static Ack publishes(MqttSocket socket, String topic, Qos qos, boolean retain) {
        socket.send(new Publish(MqttSocket.message(topic, "x", qos, retain), socket.nextId(), false));
        return socket.receiveAck(qos == Qos.AT_LEAST_ONCE ? PacketType.PUBACK : PacketType.PUBREC);
    }

    /** MQTT 3.1 has no word for a refusal in SUBACK. */
    @ParameterizedTest
    @EnumSource(names = {"MQTT_3_1_1", "MQTT_5"})
    void filters_areGrantedIfTheyAreCovered(ProtocolVersion version) {
        ReasonCode no = version.isV5() ? ReasonCode.NOT_AUTHORIZED : ReasonCode.UNSPECIFIED_ERROR;
        ReasonCode yes = ReasonCode.SUCCESS;
        try (MqttSocket ann = client(version, "f-" + version, "ann");
                MqttSocket nobody = client(version, "g-" + version, null)) {
            assertEquals(yes, subscribes(ann, "plant/#", Qos.AT_MOST_ONCE));
            assertEquals(yes, subscribes(ann, "$share/g/plant/+/x", Qos.AT_MOST_ONCE));
            assertEquals(no, subscribes(ann, "plant/locked/#", Qos.AT_MOST_ONCE));
            assertEquals(no, subscribes(ann, "$share/g/plant/locked/a", Qos.AT_MOST_ONCE));
            assertEquals(no, subscribes(ann, "#", Qos.AT_MOST_ONCE));
            assertEquals(no, subscribes(ann, "news/x", Qos.AT_MOST_ONCE));
            assertEquals(yes, subscribes(ann, "ops/+", Qos.AT_MOST_ONCE));
            assertEquals(yes, subscribes(ann, "home/ann/+", Qos.AT_MOST_ONCE));
            assertEquals(no, subscribes(ann, "home/+/x", Qos.AT_MOST_ONCE));
            assertEquals(yes, subscribes(ann, "dev/f-" + version + "/#", Qos.AT_MOST_ONCE));
            assertEquals(no, subscribes(ann, "dev/g-" + version + "/#", Qos.AT_MOST_ONCE));
            assertEquals(yes, subscribes(ann, "low", Qos.AT_MOST_ONCE));
            assertEquals(no, subscribes(ann, "low", Qos.AT_LEAST_ONCE));
            assertEquals(yes, subscribes(nobody, "news/#", Qos.AT_MOST_ONCE));
            assertEquals(yes, subscribes(nobody, "hello", Qos.AT_MOST_ONCE));
            assertEquals(no, subscribes(nobody, "ops/+", Qos.AT_MOST_ONCE));
            assertEquals(no, subscribes(nobody, "$SYS/#", Qos.AT_MOST_ONCE));
        }
    }

    @Test
    void refusals_tellV5ClientsWhy() {
        try (MqttSocket ann = client(ProtocolVersion.MQTT_5, "why", "ann")) {
            assertTrue(subscribed(ann, "plant/locked/x").contains("acl:7 denies to subscribe to 'plant/locked/x'"));
            assertTrue(subscribed(ann, "other/#")
                    .contains("no rule of acl allows user 'ann' to subscribe to all of 'other/#'; add 'topic read"
                            + " other/#' below 'user ann'"));
            Ack denied = publishes(ann, "plant/locked/x", Qos.AT_LEAST_ONCE, false);
            assertEquals(ReasonCode.NOT_AUTHORIZED, denied.reason());
            assertEquals(
                    ReasonCode.NOT_AUTHORIZED,
                    publishes(ann, "meter", Qos.EXACTLY_ONCE, false).reason());
            assertEquals(
                    ReasonCode.NOT_AUTHORIZED,
                    publishes(ann, "meter", Qos.AT_LEAST_ONCE, true).reason());
            assertFalse(
                    publishes(ann, "meter", Qos.AT_LEAST_ONCE, false).reason().isError());
        }
    }

    private static String subscribed(MqttSocket socket, String filter) {
        SubAck answer = socket.subscribe(new Subscribe.Entry(filter, Qos.AT_MOST_ONCE));
        assertEquals(List.of(ReasonCode.NOT_AUTHORIZED), answer.reasons());
        return Objects.requireNonNull(answer.reasonString());
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    void whatIsDeniedInsideAFilter_isNotDelivered(ProtocolVersion version) {
        try (MqttSocket writer = client(version, "w-" + version, "writer");
                MqttSocket ann = client(version, "r-" + version, "ann")) {
            ann.subscribe("plant/#", Qos.AT_LEAST_ONCE);
            writer.publish("plant/locked/door", "secret", Qos.AT_LEAST_ONCE);
            writer.publish("plant/open", "known", Qos.AT_LEAST_ONCE);

            ann.expectPublish("plant/open", "known");
            ann.expectNothing();
        }
    }

    @Test
    void systemTopics_areForThoseWhoAreAllowedThemByName() {
        try (MqttSocket writer = client(ProtocolVersion.MQTT_5, "sys", "writer")) {
            assertEquals(ReasonCode.SUCCESS, subscribes(writer, "$SYS/broker/#", Qos.AT_MOST_ONCE));
        }
    }

    @Test
    void oddNames_doNotWidenPatterns() {
        try (MqttSocket plus = client(ProtocolVersion.MQTT_5, "plus", "+");
                MqttSocket slash = client(ProtocolVersion.MQTT_5, "odd/id", "ann");
                MqttSocket dollar = client(ProtocolVersion.MQTT_5, "#", "ann")) {
            assertEquals(ReasonCode.NOT_AUTHORIZED, subscribes(plus, "home/+/+", Qos.AT_MOST_ONCE));
            assertEquals(ReasonCode.NOT_AUTHORIZED, subscribes(plus, "dev/plus/x", Qos.AT_MOST_ONCE));
            assertEquals(ReasonCode.NOT_AUTHORIZED, subscribes(slash, "dev/odd/id/x", Qos.AT_MOST_ONCE));
            assertEquals(ReasonCode.SUCCESS, subscribes(slash, "home/ann/x", Qos.AT_MOST_ONCE));
            assertEquals(ReasonCode.NOT_AUTHORIZED, subscribes(dollar, "dev/#", Qos.AT_MOST_ONCE));
        }
    }

    @Test
    void mosquittosClients_areServedByTheirRules() {
        try (RealClient refused = RealClient.mosquittoSub(broker, "-d", "-V", "5", "-u", "ben", "-t", "plant/#");
                RealClient reader = RealClient.mosquittoSub(
                        broker, "-d", "-u", "ben", "-t", "ops/+", "-t", "hello", "-C", "1", "-W", "20")) {
            refused.awaitLine("Subscribed (mid: 1): 135");
            reader.awaitLine("Subscribed");
            try (RealClient denied = RealClient.mosquittoPub(broker, "-u", "ben", "-t", "ops/a", "-m", "denied")) {
                denied.awaitSuccess();
            }
            try (RealClient writer =
                    RealClient.mosquittoPub(broker, "-q", "1", "-u", "writer", "-t", "ops/a", "-m", "allowed")) {
                writer.awaitSuccess();
            }
            reader.awaitLine("allowed");
            String seen = String.join("\n", reader.awaitSuccess());
            assertFalse(seen.contains("denied"), seen);
        }
    }

    @Test
    void hiveMqsClient_isToldItsLimits() {
        Mqtt5BlockingClient client = MqttClient.builder()
                .useMqttVersion5()
                .identifier("hive")
                .serverHost("127.0.0.1")
                .serverPort(broker.port())
                .simpleAuth()
                .username("ann")
                .applySimpleAuth()
                .buildBlocking();
        client.connect();
        try {
            Mqtt5SubAckException refused = Assertions.assertThrows(
                    Mqtt5SubAckException.class,
                    () -> client.subscribeWith().topicFilter("#").send());
            assertTrue(refused.getMqttMessage().getReasonString().isPresent());
            Assertions.assertThrows(
                    Mqtt5PubAckException.class,
                    () -> client.publishWith()
                            .topic("meter")
                            .qos(MqttQos.AT_LEAST_ONCE)
                            .retain(true)
                            .send());
            client.publishWith().topic("meter").qos(MqttQos.AT_LEAST_ONCE).send();
        } finally {
            client.disconnect();
        }
    }

    @Test
    void changedFile_countsForThoseWhoAreConnected() throws Exception {
        Path rules = Files.writeString(folder.resolve("changing"), "topic readwrite a/#\ntopic readwrite b\n");
        try (RunningBroker own = RunningBroker.start(List.of("auth.acl-file=" + rules));
                MqttSocket client = own.socket().connect(ProtocolVersion.MQTT_5, "c")) {
            client.subscribe("a/#", Qos.AT_MOST_ONCE).subscribe("b", Qos.AT_MOST_ONCE);
            Path fresh = Files.writeString(folder.resolve("fresh"), "topic readwrite b\ntopic write a/#\n");
            Files.move(fresh, rules, StandardCopyOption.ATOMIC_MOVE);
            own.awaitLog("auth.acl-file " + rules + " has changed, it has 2 rule(s)");
            Await.until(
                    "the client's rights are reviewed",
                    () -> subscribes(client, "a/x", Qos.AT_MOST_ONCE) == ReasonCode.NOT_AUTHORIZED);
            client.publish("a/x", "not any more", Qos.AT_LEAST_ONCE);
            client.send(new Publish(MqttSocket.message("b", "still", Qos.AT_MOST_ONCE, false), 0, false));
            client.expectPublish("b", "still");

            Files.writeString(rules, "topic raed b\n");
            own.awaitLog("is not used, the rules read before stay");
            assertEquals(ReasonCode.SUCCESS, subscribes(client, "b", Qos.AT_MOST_ONCE));
        }
    }

    @Test
    void faultyFile_keepsTheBrokerFromStarting() throws Exception {
        Path rules = Files.writeString(folder.resolve("faulty"), "topic raed b\nuser\n");
        try (RunningBroker none =
                RunningBroker.launch(RunningBroker.command(List.of(), List.of("auth.acl-file=" + rules)))) {
            assertEquals(2, none.awaitExit());
            String said = String.join("\n", none.log());
            assertTrue(said.contains(rules + ":1: 'raed' is no action; did you mean read?"), said);
            assertTrue(said.contains(rules + ":2: 'user' has no name; write user NAME"), said);
        }
    }

    @Test
    void startTells_whoComesInWithoutAName_andThatNamesAreNotProven() {
        broker.awaitLog("Clients without a user name may connect");
        broker.awaitLog("has rules for users, but nobody proves to be one");
    }

    @Test
    void explain_saysWhatTheBrokerDoes() throws Exception {
        assertEquals(0, explain("--user", "ann", "--action", "publish", "--topic", "plant/x"));
        assertEquals(5, explain("--user", "ann", "--action", "publish", "--topic", "plant/locked/x"));
        assertEquals(2, explain("--user", "ann", "--action", "publish", "--topic", "plant/#"));
    }

    private int explain(String... question) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(RunningBroker.java(), "-jar", RunningBroker.jar().toString(), "acl", "explain", "--acl-file"));
        command.add(file.toString());
        command.addAll(List.of(question));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), said);
        return process.exitValue();
    }
}
