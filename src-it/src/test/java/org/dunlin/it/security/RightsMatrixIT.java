package org.dunlin.it.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Will;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * {publish, subscribe, receive retained, receive queued, receive live, will} x {allowed, denied, right removed while connected} x
 * {3.1.1, 5.0}, against the packed jar with an ACL file. The file changes once, between the two halves of every case, so that all
 * of them are connected when it does. Each case has topics of its own; what must not come is told by a message that comes behind.
 */
class RightsMatrixIT {
    private static final String PASSWORD = "sesame";
    private static final Qos QOS = Qos.AT_LEAST_ONCE;

    private enum Right {
        ALLOWED,
        DENIED,
        REMOVED
    }

    private final List<Case> cases = new ArrayList<>();
    private RunningBroker broker;
    private MqttSocket other;
    private Path rules;

    @BeforeEach
    void start(@TempDir Path folder) throws Exception {
        for (ProtocolVersion version : List.of(ProtocolVersion.MQTT_3_1_1, ProtocolVersion.MQTT_5)) {
            for (Right right : Right.values()) {
                cases.add(new PublishCase(version, right));
                cases.add(new SubscribeCase(version, right));
                cases.add(new RetainedCase(version, right));
                cases.add(new QueuedCase(version, right));
                cases.add(new LiveCase(version, right));
                cases.add(new WillCase(version, right));
            }
        }
        Path users = folder.resolve("users");
        Files.writeString(users, Hashes.line("subject", PASSWORD) + Hashes.line("other", PASSWORD));
        rules = folder.resolve("rules");
        write(false);
        broker = RunningBroker.start(List.of("auth.password-file=" + users, "auth.acl-file=" + rules));
        other = broker.socket();
        other.connect(as(ProtocolVersion.MQTT_5, "other", "other").build());
    }

    @AfterEach
    void stop() {
        broker.close();
    }

    private void write(boolean removed) throws Exception {
        StringBuilder text = new StringBuilder("user other\ntopic readwrite #\nuser subject\n");
        for (Case each : cases) {
            boolean denied = each.right == Right.DENIED || removed && each.right == Right.REMOVED;
            each.rules(denied).forEach(rule -> text.append(rule).append('\n'));
        }
        Path fresh = rules.resolveSibling("rules.new");
        Files.writeString(fresh, text);
        Files.move(fresh, rules, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static Connect.Builder as(ProtocolVersion version, String clientId, String user) {
        return Connect.builder(version, clientId).userName(user).password(PASSWORD.getBytes(StandardCharsets.UTF_8));
    }

    @TestFactory
    Stream<DynamicTest> matrix() throws Exception {
        cases.forEach(Case::before);
        write(true);
        broker.awaitLog("rights have been settled anew");
        return cases.stream().map(each -> dynamicTest(each.toString(), each::after));
    }

    /** One cell of the matrix. */
    private abstract class Case {
        final ProtocolVersion version;
        final Right right;
        final String id;

        Case(ProtocolVersion version, Right right) {
            this.version = version;
            this.right = right;
            this.id = getClass().getSimpleName().replace("Case", "") + "-" + right + "-" + version;
        }

        /** The lines for the user of this case, which has topics below {@code m/<id>/}. */
        abstract List<String> rules(boolean denied);

        /** Before the file changes. */
        abstract void before();

        /** After it has. */
        abstract void after();

        boolean isAllowedNow() {
            return right == Right.ALLOWED;
        }

        String topic(String leaf) {
            return "m/" + id + "/" + leaf;
        }

        MqttSocket subject() {
            MqttSocket socket = broker.socket();
            socket.connect(as(version, id, "subject").build());
            return socket;
        }

        MqttSocket durableSubject() {
            MqttSocket socket = broker.socket();
            Connect.Builder connect = as(version, id, "subject").cleanStart(false);
            socket.connect((version.isV5() ? connect.sessionExpirySeconds(600) : connect).build());
            return socket;
        }

        MqttSocket observer() {
            MqttSocket socket = broker.socket();
            socket.connect(as(ProtocolVersion.MQTT_5, id + "-observer", "other").build());
            return socket.subscribe("m/" + id + "/#", QOS);
        }

        ReasonCode refusal() {
            return version.isV5() ? ReasonCode.NOT_AUTHORIZED : ReasonCode.UNSPECIFIED_ERROR;
        }

        /** "x" if it is allowed, and "y" in any case. */
        void expectFrom(MqttSocket socket) {
            if (isAllowedNow()) {
                socket.expectPublish(topic("x"), "x");
            }
            socket.expectPublish(topic("y"), "y");
        }

        List<String> receiving(boolean denied) {
            String all = "topic read m/" + id + "/#";
            return denied ? List.of(all, "topic deny,receive " + topic("x")) : List.of(all);
        }

        @Override
        public String toString() {
            return id.toLowerCase(Locale.ROOT);
        }
    }

    private final class PublishCase extends Case {
        private @Nullable MqttSocket subject;
        private @Nullable MqttSocket observer;

        PublishCase(ProtocolVersion version, Right right) {
            super(version, right);
        }

        @Override
        List<String> rules(boolean denied) {
            String fence = "topic write " + topic("y");
            return denied ? List.of(fence) : List.of(fence, "topic write " + topic("x"));
        }

        @Override
        void before() {
            subject = subject();
            observer = observer();
            if (right == Right.REMOVED) {
                subject.publish(topic("x"), "before", QOS);
                observer.expectPublish(topic("x"), "before");
            }
        }

        @Override
        void after() {
            MqttSocket from = held(subject);
            for (Qos qos : Qos.values()) {
                publish(from, qos);
            }
            from.publish(topic("y"), "y", QOS); // of the same publisher, so that it stays behind the others
            if (isAllowedNow()) {
                for (Qos qos : Qos.values()) {
                    held(observer).expectPublish(topic("x"), "qos" + qos.value());
                }
            }
            held(observer).expectPublish(topic("y"), "y");
        }

        private void publish(MqttSocket from, Qos qos) {
            int id = qos == Qos.AT_MOST_ONCE ? 0 : from.nextId();
            from.send(new Publish(MqttSocket.message(topic("x"), "qos" + qos.value(), qos, false), id, false));
            if (qos == Qos.AT_MOST_ONCE) {
                return;
            }
            Ack ack = from.receiveAck(qos == QOS ? PacketType.PUBACK : PacketType.PUBREC);
            boolean told = version.isV5() && !isAllowedNow();
            assertEquals(told ? ReasonCode.NOT_AUTHORIZED : ReasonCode.SUCCESS, ack.reason());
            if (told) {
                String why = String.valueOf(ack.reasonString());
                assertTrue(why.contains(rules.getFileName().toString()), why);
            } else if (qos == Qos.EXACTLY_ONCE) {
                from.send(new Ack(PacketType.PUBREL, id));
                from.receiveAck(PacketType.PUBCOMP);
            }
        }
    }

    private final class SubscribeCase extends Case {
        private @Nullable MqttSocket subject;

        SubscribeCase(ProtocolVersion version, Right right) {
            super(version, right);
        }

        @Override
        List<String> rules(boolean denied) {
            String fence = "topic read " + topic("y");
            return denied ? List.of(fence) : List.of(fence, "topic read " + topic("x"));
        }

        @Override
        void before() {
            MqttSocket made = subject();
            subject = made;
            made.subscribe(topic("y"), QOS);
            if (right == Right.REMOVED) {
                made.subscribe(topic("x"), QOS);
            }
        }

        @Override
        void after() {
            MqttSocket to = held(subject);
            if (right != Right.REMOVED) {
                assertSubscribes(to);
            }
            other.publish(topic("x"), "x", QOS);
            other.publish(topic("y"), "y", QOS);
            expectFrom(to);
            assertSubscribes(to);
            SubAck wider = to.subscribe(new Subscribe.Entry("m/" + id + "/#", QOS));
            assertEquals(refusal(), wider.reasons().get(0), "not covered");
        }

        private void assertSubscribes(MqttSocket to) {
            SubAck answer = to.subscribe(new Subscribe.Entry(topic("x"), QOS));
            assertEquals(
                    isAllowedNow() ? ReasonCode.GRANTED_QOS_1 : refusal(),
                    answer.reasons().get(0));
            if (version.isV5() && !isAllowedNow()) {
                String why = String.valueOf(answer.reasonString());
                assertTrue(why.contains(rules.getFileName().toString()), why);
            }
        }
    }

    private final class RetainedCase extends Case {
        private @Nullable MqttSocket subject;

        RetainedCase(ProtocolVersion version, Right right) {
            super(version, right);
        }

        @Override
        List<String> rules(boolean denied) {
            return receiving(denied);
        }

        @Override
        void before() {
            other.publish(MqttSocket.message(topic("x"), "x", QOS, true));
            other.publish(MqttSocket.message(topic("y"), "y", QOS, true));
            MqttSocket made = subject();
            subject = made;
            if (right == Right.REMOVED) {
                made.subscribe("m/" + id + "/+", QOS);
                List<String> both =
                        List.of(MqttSocket.text(made.receivePublish()), MqttSocket.text(made.receivePublish()));
                assertTrue(both.containsAll(List.of("x", "y")), both.toString());
            }
        }

        @Override
        void after() {
            MqttSocket to = held(subject);
            to.subscribe("m/" + id + "/#", QOS);
            List<String> got = new ArrayList<>();
            got.add(MqttSocket.text(to.receivePublish()));
            if (isAllowedNow()) {
                got.add(MqttSocket.text(to.receivePublish()));
            }
            other.publish(topic("y"), "last", QOS);
            assertTrue(got.contains("y") && (got.contains("x") == isAllowedNow()), got.toString());
            to.expectPublish(topic("y"), "last");
        }
    }

    private final class QueuedCase extends Case {
        QueuedCase(ProtocolVersion version, Right right) {
            super(version, right);
        }

        @Override
        List<String> rules(boolean denied) {
            return receiving(denied);
        }

        @Override
        void before() {
            MqttSocket there = durableSubject();
            there.subscribe("m/" + id + "/#", QOS);
            there.disconnect();
            other.publish(topic("x"), "x", QOS);
            other.publish(topic("y"), "y", QOS);
        }

        @Override
        void after() {
            expectFrom(durableSubject());
        }
    }

    private final class LiveCase extends Case {
        private @Nullable MqttSocket subject;

        LiveCase(ProtocolVersion version, Right right) {
            super(version, right);
        }

        @Override
        List<String> rules(boolean denied) {
            return receiving(denied);
        }

        @Override
        void before() {
            MqttSocket made = subject();
            subject = made;
            made.subscribe("m/" + id + "/#", QOS);
            if (right == Right.REMOVED) {
                other.publish(topic("x"), "before", QOS);
                made.expectPublish(topic("x"), "before");
            }
        }

        @Override
        void after() {
            for (Qos qos : Qos.values()) {
                other.publish(topic("x"), "x", qos);
                other.publish(topic("y"), "y", qos);
                expectFrom(held(subject));
            }
        }
    }

    private final class WillCase extends Case {
        private @Nullable MqttSocket subject;
        private @Nullable MqttSocket observer;

        WillCase(ProtocolVersion version, Right right) {
            super(version, right);
        }

        @Override
        List<String> rules(boolean denied) {
            return denied ? List.of() : List.of("topic write " + topic("x"));
        }

        @Override
        void before() {
            observer = observer();
            Will will = new Will(
                    TopicName.of(topic("x")),
                    "x".getBytes(StandardCharsets.UTF_8),
                    QOS,
                    false,
                    Message.NO_BYTES,
                    -1,
                    0);
            Connect connect = as(version, id, "subject").will(will).build();
            MqttSocket socket = broker.socket();
            if (right == Right.DENIED) {
                socket.expectRefused(connect, ReasonCode.NOT_AUTHORIZED);
            } else {
                socket.connect(connect);
                subject = socket;
            }
        }

        @Override
        void after() {
            if (right != Right.DENIED) {
                held(subject).reset();
            }
            if (isAllowedNow()) {
                held(observer).expectPublish(topic("x"), "x");
            } else if (right == Right.REMOVED) {
                broker.awaitLog("right-lost");
            }
            other.publish(topic("y"), "y", QOS);
            held(observer).expectPublish(topic("y"), "y");
        }
    }

    private static MqttSocket held(@Nullable MqttSocket socket) {
        if (socket == null) {
            throw new AssertionError("has not been connected");
        }
        return socket;
    }
}
