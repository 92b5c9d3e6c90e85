package org.dunlin.core.routing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RotationTest {
    private static final class One implements Rotation.Seat {
        private @Nullable Rights guard;

        @Override
        public @Nullable Rights guard() {
            return guard;
        }

        boolean mayHave(TopicName topic) {
            return guard == null || guard.mayReceive(topic);
        }
    }

    /** Some topics and no others. */
    private record Topics(Set<String> topics) implements Rights {
        @Override
        public @Nullable String refusesPublish(TopicName topic, Qos qos, boolean retain) {
            return null;
        }

        @Override
        public @Nullable String refusesSubscribe(TopicFilter filter, Qos qos) {
            return null;
        }

        @Override
        public boolean receivesAllOf(TopicFilter filter) {
            return false;
        }

        @Override
        public boolean receivesAll() {
            return false;
        }

        @Override
        public boolean mayReceive(TopicName topic) {
            return topics.contains(topic.text());
        }
    }

    /** Whatever happens, somebody is found if there is somebody, and nobody else. */
    @Test
    void whoIsNext_isOneWhoMay_wheneverThereIsOne() {
        long seed = Long.getLong("dunlin.seed", System.nanoTime());
        System.err.println("dunlin.seed=" + seed);
        Random random = new Random(seed);
        for (int round = 0; round < 60; round++) {
            Rotation<One> rotation = new Rotation<>();
            List<One> members = new ArrayList<>();
            Set<One> connected = new HashSet<>();
            Set<One> free = new HashSet<>();
            int size = 1 + random.nextInt(40);
            int topics = random.nextBoolean() ? 3 : 60;
            for (int step = 0; step < 400; step++) {
                if (members.isEmpty() || members.size() < size && random.nextInt(4) == 0) {
                    One one = new One();
                    one.guard = guard(random, topics);
                    members.add(one);
                    rotation.put(one);
                }
                One one = members.get(random.nextInt(members.size()));
                switch (random.nextInt(12)) {
                    case 0, 1, 2 -> {
                        rotation.connected(one);
                        rotation.free(one);
                        connected.add(one);
                        free.add(one);
                    }
                    case 3 -> {
                        rotation.busy(one);
                        free.remove(one);
                    }
                    case 4 -> {
                        rotation.away(one);
                        connected.remove(one);
                        free.remove(one);
                    }
                    case 5 -> {
                        one.guard = guard(random, topics);
                        rotation.put(one);
                    }
                    case 6 -> {
                        if (random.nextInt(4) == 0) {
                            rotation.remove(one);
                            members.remove(one);
                            connected.remove(one);
                            free.remove(one);
                        }
                    }
                    default -> {}
                }
                TopicName topic = TopicName.of("t" + random.nextInt(topics));
                Set<One> except = new HashSet<>();
                for (One member : members) {
                    if (random.nextInt(6) == 0 && step % 2 == 0) {
                        except.add(member);
                    }
                }
                check(free, topic, except, rotation.nextFree(topic, except));
                check(connected, topic, except, rotation.nextConnected(topic, except));
                boolean nobody = members.stream().noneMatch(m -> m.mayHave(topic) && !except.contains(m));
                assertEquals(nobody, rotation.suitsNobody(topic, except));
            }
        }
    }

    private static @Nullable Rights guard(Random random, int topics) {
        if (random.nextInt(5) == 0) {
            return null;
        }
        Set<String> may = new HashSet<>();
        for (int n = random.nextInt(3); n > 0; n--) {
            may.add("t" + random.nextInt(topics));
        }
        return new Topics(may);
    }

    private static void check(Set<One> of, TopicName topic, Set<One> except, @Nullable One found) {
        if (found == null) {
            assertTrue(of.stream().noneMatch(m -> m.mayHave(topic) && !except.contains(m)));
        } else {
            assertTrue(of.contains(found) && found.mayHave(topic) && !except.contains(found));
        }
    }

    @Test
    void everybodyWhoMay_hasItsTurn() {
        Rotation<One> rotation = new Rotation<>();
        Set<One> may = new HashSet<>();
        for (int i = 0; i < 100; i++) {
            One one = new One();
            one.guard = new Topics(i % 10 == 9 ? Set.of("t") : Set.of());
            if (i % 10 == 9) {
                may.add(one);
            }
            rotation.put(one);
            rotation.connected(one);
            rotation.free(one);
        }
        TopicName topic = TopicName.of("t");
        for (int round = 0; round < 3; round++) {
            Set<One> had = new HashSet<>();
            for (int i = 0; i < may.size(); i++) {
                One next = rotation.nextFree(topic, Set.of());
                assertNotNull(next);
                had.add(next);
            }
            // the first round begins with those that were asked in turn
            assertTrue(round == 0 || had.equals(may), had.size() + " of " + may.size());
        }
        assertNull(rotation.nextFree(TopicName.of("other"), Set.of()));
    }
}
