package org.dunlin.core.sim;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.dunlin.core.session.ShardsProbe;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/** The test's thread only. A broker with rights that a test sets, and its clients. */
final class RightsScene {
    final ScriptedBroker broker = new ScriptedBroker();
    final Map<String, Rights> rights = new HashMap<>();
    int rightsAsked;
    /** What is said of a session that has come back from the store, if it is something else. */
    @Nullable
    Rights afterRestart;

    RightsScene() {
        broker.authorizer = new Authorizer() {
            @Override
            public Rights rights(Client client) {
                rightsAsked++;
                return rights.getOrDefault(client.clientId(), Rights.ALL);
            }

            @Override
            public Rights restored(String clientId, @Nullable String userName) {
                Rights said = afterRestart;
                return said != null ? said : rights.getOrDefault(clientId, Rights.ALL);
            }
        };
    }

    ScriptedClient client(String id, long expirySeconds) {
        return new ScriptedClient(broker, ProtocolVersion.MQTT_5, id, 10, expirySeconds);
    }

    ScriptedClient reader(long expirySeconds, String... filters) {
        ScriptedClient reader = client("reader", expirySeconds);
        reader.says(subscribe(Qos.EXACTLY_ONCE, filters));
        return reader;
    }

    static Subscribe subscribe(Qos qos, String... filters) {
        return new Subscribe(
                7,
                0,
                List.of(filters).stream()
                        .map(filter -> new Subscribe.Entry(filter, qos))
                        .toList(),
                List.of());
    }

    void may(String clientId, Rights now) {
        rights.put(clientId, now);
        broker.review();
    }

    /** Messages that the store would bring back. */
    long stillStored() {
        broker.loops.runFor(200);
        broker.crash();
        return ShardsProbe.waitingInGroups(broker.shards())
                + ShardsProbe.sessions(broker.shards()).stream()
                        .mapToLong(ShardsProbe.Figures::queued)
                        .sum();
    }

    static Message message(String topic, String text, Qos qos) {
        return new Message(
                1,
                "writer",
                TopicName.of(topic),
                text.getBytes(StandardCharsets.UTF_8),
                qos,
                false,
                Message.NEVER,
                Message.NO_BYTES);
    }
}
