package org.dunlin.core.routing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.Set;
import org.dunlin.mqtt.TopicFilter;
import org.junit.jupiter.api.Test;

final class SubscriptionSetTest {
    private final SubscriptionSet set = new SubscriptionSet();
    private final Receiver receiver = new Topics.Someone(false);

    @Test
    void random_putAndRemove_asAMapOfTexts() {
        long seed = Long.getLong("dunlin.seed", System.nanoTime());
        System.out.println("dunlin.seed=" + seed);
        Random random = new Random(seed);
        Map<String, Subscription> expected = new HashMap<>();
        for (int most : new int[] {2, 5, SubscriptionSet.PLAIN_MAX + 2, 40, 3000, 12, 1, 500}) {
            for (int step = 0; step < most * 20; step++) {
                String text = "f/" + random.nextInt(most * 2);
                if (random.nextInt(most * 2) >= expected.size()) {
                    Subscription next = subscription(text);
                    assertSame(expected.put(text, next), set.put(next));
                } else {
                    assertSame(expected.remove(text), set.remove(text));
                }
                assertEquals(expected.size(), set.size());
                assertSame(expected.get(text), set.of(text));
            }
            assertHasAll(expected);
        }
        for (String text : Set.copyOf(expected.keySet())) {
            assertSame(expected.remove(text), set.remove(text));
        }
        assertHasAll(Map.of());
    }

    @Test
    void manyTextsWithTheSameStringHash_areStillFoundAtOnce() {
        int bits = 13;
        for (int i = 0; i < 1 << bits; i++) {
            set.put(subscription(sameHash(i, bits)));
        }
        assertEquals(1 << bits, set.size());
        for (int i = 0; i < 1 << bits; i++) {
            assertEquals(
                    sameHash(i, bits), set.remove(sameHash(i, bits)).filter().text());
        }
        assertEquals(0, set.size());
    }

    @Test
    void cleared_hasNothing() {
        set.put(subscription("a"));
        set.put(subscription("b"));

        set.clear();

        assertHasAll(Map.of());
        assertNull(set.of("a"));
        assertNull(set.remove("a"));
        assertThrows(NoSuchElementException.class, set.iterator()::next);
    }

    private void assertHasAll(Map<String, Subscription> expected) {
        Set<Subscription> found = new HashSet<>();
        for (Subscription each : set) {
            assertSame(expected.get(each.filter().text()), each);
            found.add(each);
        }
        assertEquals(expected.size(), found.size());
        assertEquals(expected.size(), set.size());
        expected.forEach((text, subscription) -> assertSame(subscription, set.of(text)));
    }

    /** "Aa" and "BB" have equal hashes, and so has whatever is put together of them. */
    private static String sameHash(int number, int bits) {
        StringBuilder text = new StringBuilder();
        for (int bit = 0; bit < bits; bit++) {
            text.append((number >> bit & 1) == 0 ? "Aa" : "BB");
        }
        return text.toString();
    }

    private Subscription subscription(String filter) {
        return Topics.subscription(receiver, TopicFilter.of(filter));
    }
}
