package org.dunlin.it.operation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What is said of messages that are not published, and of clients. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ExplainIT {
    private OperatedBroker operated;

    @BeforeAll
    void start() {
        operated = new OperatedBroker("server.loops=2");
    }

    @AfterAll
    void stop() {
        operated.close();
    }

    private MqttSocket connect(String id) {
        return operated.broker().socket().connect(ProtocolVersion.MQTT_5, id);
    }

    private static void has(String text, String... words) {
        for (String word : words) {
            assertTrue(text.contains(word), () -> word + " is not in " + text);
        }
    }

    @Test
    void message_isExplained_andNotPublished() {
        try (MqttSocket here = connect("here");
                MqttSocket small = operated.broker().socket();
                MqttSocket member = connect("member")) {
            here.subscribe("plant/#", Qos.AT_LEAST_ONCE);
            small.connect(Connect.builder(ProtocolVersion.MQTT_5, "small")
                    .maximumPacketSize(100)
                    .build());
            small.subscribe("plant/a", Qos.EXACTLY_ONCE);
            member.subscribe("$share/g/plant/+", Qos.AT_MOST_ONCE);

            String told = operated.get(200, "explain/message?topic=plant/a&qos=1&bytes=200");

            has(told, "2 of 3 receivers", "\"receiver\":\"here\",\"filters\":[\"plant/#\"],\"qos\":1,\"gets\":true");
            has(told, "\"receiver\":\"small\"", "too-large", "larger than its Maximum Packet Size");
            has(told, "\"receiver\":\"$share/g/plant/+\"", "\"clientId\":\"member\",\"fate\":\"sent\"");
            here.publish("plant/a", "real", Qos.AT_MOST_ONCE);
            here.expectPublish("plant/a", "real"); // the first: the other was not published
        }
    }

    @Test
    void message_ofOneReceiver_tellsWhatComesNearest() {
        try (MqttSocket near = connect("near")) {
            near.subscribe("office/lamp", Qos.AT_LEAST_ONCE);
            has(
                    operated.get(200, "explain/message?topic=office/Lamp&client=near"),
                    "no subscription that matches",
                    "\"nearest\":[\"office/lamp\"]");
            has(operated.get(200, "explain/message?topic=nobody/here"), "nobody has subscribed to this topic");
            has(operated.get(200, "explain/message?topic=a&from=nobody"), "the publisher has no session");
            has(operated.get(200, "explain/message?topic=$SYS/x"), "$SYS is the broker's own");
        }
    }

    @Test
    void whatIsAskedForWrongly_isToldSo() {
        has(operated.get(400, "explain/message"), "topic is missing");
        has(operated.get(400, "explain/message?topic=a/%23"), "no topic name");
        has(operated.get(400, "explain/message?topic=a&qos=3"), "0 to 2");
        has(operated.get(400, "explain/message?topic=$delayed/5/a"), "behind $delayed/");
    }

    @Test
    void client_isExplained_withWhatToDo() {
        try (MqttSocket stuck = operated.broker().socket();
                MqttSocket writer = connect("stuck-writer")) {
            stuck.connect(Connect.builder(ProtocolVersion.MQTT_5, "stuck")
                    .receiveMaximum(1)
                    .build());
            stuck.subscribe("stuck", Qos.AT_LEAST_ONCE);
            writer.publish("stuck", "one", Qos.AT_LEAST_ONCE);
            writer.publish("stuck", "two", Qos.AT_LEAST_ONCE);
            stuck.receive();

            String told = operated.get(200, "explain/client/stuck");

            has(told, "\"queuedMessages\":1", "it has not acknowledged 1 messages", "\"filter\":\"stuck\"");
            has(told, "\"kind\":\"connected\"");
            has(operated.get(200, "explain/client/stuck-writer"), "it has subscribed to nothing");
        }
        Await.until("its end", () -> operated.get(200, "explain/client/stuck").contains("it has no session"));
        has(operated.get(200, "explain/client/never-seen"), "nothing is known of this client identifier");
    }

    @Test
    void commandLine_explains() throws IOException {
        try (MqttSocket reader = connect("cli-reader")) {
            reader.subscribe("cli/+", Qos.AT_LEAST_ONCE);
            has(run("explain", "message", "--topic", "cli/a", "--qos", "1"), "RECEIVER", "cli-reader", "sent");
            has(run("client", "explain", "cli-reader"), "client id", "cli/+", "connected");
            has(run("explain", "client", "cli-reader"), "cli/+");
        }
    }

    private String run(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(
                List.of(RunningBroker.java(), "-jar", RunningBroker.jar().toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of(
                "--url", operated.url(), "--token-file", operated.tokenFile().toString()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.onExit().join().exitValue(), out);
        return out;
    }
}
