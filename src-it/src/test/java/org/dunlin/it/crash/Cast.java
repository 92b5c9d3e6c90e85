package org.dunlin.it.crash;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.dunlin.it.crash.Publisher.Draft;
import org.dunlin.it.crash.Subscriber.Habit;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;

/** Who takes part in a run: publishers and receivers of both versions, each with habits that crashes find hard. One thread. */
final class Cast {
    private static final int TOPICS = 3;
    private static final int RETAINED_TOPICS = 8;

    private final Stage stage;
    private final Random random;
    private final List<Participant> members = new ArrayList<>();

    private Cast(Stage stage, Random random) {
        this.stage = stage;
        this.random = random;
    }

    static List<Participant> of(Stage stage, Random random, Victim.Promises promises) {
        Cast cast = new Cast(stage, random);
        cast.subscribers(promises);
        cast.publishers(promises);
        if (promises.willsSurvive()) {
            cast.add(new Testator(stage, "will3", ProtocolVersion.MQTT_3_1_1, cast.seeded(), 0));
            cast.add(new Testator(stage, "will5", ProtocolVersion.MQTT_5, cast.seeded(), 0));
            cast.add(new Testator(stage, "willDelayed", ProtocolVersion.MQTT_5, cast.seeded(), 1));
        }
        if (promises.sessionsChange()) {
            cast.add(new Migrant(stage, "migrant", cast.seeded(), "m/window5/0"));
        }
        return cast.members;
    }

    private void add(Participant member) {
        members.add(member);
    }

    private Random seeded() {
        return new Random(random.nextLong());
    }

    private PersistentClient client(String clientId, ProtocolVersion version) {
        return new PersistentClient(clientId, version, stage.history(), stage::port);
    }

    private void publishers(Victim.Promises promises) {
        publisher("single5", ProtocolVersion.MQTT_5, 1, 1500, of("single5", 1));
        publisher("pair3", ProtocolVersion.MQTT_3_1_1, 2, 2000, of("pair3", 1));
        publisher("three5", ProtocolVersion.MQTT_5, 3, 2000, of("three5", 3));
        publisher("window5", ProtocolVersion.MQTT_5, 20, 3000, of("window5", 2));
        publisher("window3", ProtocolVersion.MQTT_3_1_1, 10, 3000, of("window3", 2));
        publisher("retain5", ProtocolVersion.MQTT_5, 3, 4000, retained("retain5", promises));
        publisher("retain3", ProtocolVersion.MQTT_3_1_1, 1, 4000, retained("retain3", promises));
        if (promises.delayed()) {
            publisher(
                    "delay5",
                    ProtocolVersion.MQTT_5,
                    2,
                    20_000,
                    random -> new Draft(
                            "d/delay5", qos(random, 2), false, false, size(random), 1 + random.nextInt(2), 0));
        }
    }

    private void publisher(
            String name, ProtocolVersion version, int ids, int gapMicros, Function<Random, Draft> drafts) {
        PersistentClient client = client(name, version).packetIds(ids);
        add(new Publisher(stage, client, seeded(), gapMicros, drafts));
    }

    /** @param oneIn one message in so many is QoS 1, none if it is 1; the rest is QoS 2 */
    private static Function<Random, Draft> of(String name, int oneIn) {
        return random -> {
            Qos qos = oneIn == 1 ? Qos.EXACTLY_ONCE : qos(random, oneIn);
            String topic = "m/" + name + "/" + random.nextInt(TOPICS);
            int expiry = random.nextInt(30) == 0 ? 1 : random.nextInt(10) == 0 ? 3600 : 0;
            return new Draft(topic, qos, false, false, size(random), 0, expiry);
        };
    }

    private static Function<Random, Draft> retained(String name, Victim.Promises promises) {
        return random -> {
            String topic = "r/" + name + "/" + random.nextInt(RETAINED_TOPICS);
            Qos qos = promises.mixedOrder() ? qos(random, 2) : Qos.EXACTLY_ONCE;
            return new Draft(topic, qos, true, random.nextInt(4) == 0, size(random), 0, 0);
        };
    }

    private static Qos qos(Random random, int oneIn) {
        return random.nextInt(oneIn) == 0 ? Qos.AT_LEAST_ONCE : Qos.EXACTLY_ONCE;
    }

    private static int size(Random random) {
        return random.nextInt(20) == 0 ? random.nextInt(20_000) : random.nextInt(200);
    }

    private void subscribers(Victim.Promises promises) {
        subscriber(client("online5", ProtocolVersion.MQTT_5), Habit.ONLINE, Map.of("m/#", Qos.EXACTLY_ONCE));
        subscriber(client("online3", ProtocolVersion.MQTT_3_1_1), Habit.ONLINE, Map.of("m/#", Qos.AT_LEAST_ONCE));
        PersistentClient one =
                client("slowOne5", ProtocolVersion.MQTT_5).receiveMaximum(promises.smallWindow() ? 1 : 65_535);
        subscriber(one, Habit.SLOW, Map.of("m/single5/#", Qos.EXACTLY_ONCE));
        subscriber(client("slow3", ProtocolVersion.MQTT_3_1_1), Habit.SLOW, Map.of("m/pair3/+", Qos.EXACTLY_ONCE));
        PersistentClient two =
                client("visitor5", ProtocolVersion.MQTT_5).receiveMaximum(promises.smallWindow() ? 2 : 65_535);
        subscriber(two, Habit.VISITOR, Map.of("m/+/2", Qos.EXACTLY_ONCE));
        subscriber(client("visitor3", ProtocolVersion.MQTT_3_1_1), Habit.VISITOR, Map.of("m/+/1", Qos.EXACTLY_ONCE));
        subscriber(client("visitorOne5", ProtocolVersion.MQTT_5), Habit.VISITOR, Map.of("m/+/0", Qos.AT_LEAST_ONCE));
        Map<String, Qos> changing = new LinkedHashMap<>();
        for (String name : List.of("single5", "three5", "window5")) {
            changing.put("m/" + name + "/0", Qos.EXACTLY_ONCE);
            changing.put("m/" + name + "/1", Qos.AT_LEAST_ONCE);
        }
        subscriber(client("churn5", ProtocolVersion.MQTT_5), Habit.CHURN, changing);
        subscriber(client("churn3", ProtocolVersion.MQTT_3_1_1), Habit.CHURN, changing);
        if (promises.sharedSurvives()) {
            String shared = "$share/group/m/#";
            subscriber(client("member5", ProtocolVersion.MQTT_5), Habit.ONLINE, Map.of(shared, Qos.EXACTLY_ONCE));
            subscriber(client("member3", ProtocolVersion.MQTT_3_1_1), Habit.VISITOR, Map.of(shared, Qos.EXACTLY_ONCE));
        }
        Map<String, Qos> rest = new LinkedHashMap<>();
        rest.put("r/#", Qos.EXACTLY_ONCE);
        rest.put("w/#", Qos.AT_LEAST_ONCE);
        if (promises.delayed()) {
            rest.put("d/#", Qos.EXACTLY_ONCE);
        }
        subscriber(client("rest5", ProtocolVersion.MQTT_5), Habit.ONLINE, rest);
        subscriber(client("restVisitor3", ProtocolVersion.MQTT_3_1_1), Habit.VISITOR, rest);
    }

    private void subscriber(PersistentClient client, Habit habit, Map<String, Qos> filters) {
        add(new Subscriber(stage, client, seeded(), habit, filters));
    }
}
