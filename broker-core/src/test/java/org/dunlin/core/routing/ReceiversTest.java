package org.dunlin.core.routing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.dunlin.core.routing.Topics.Someone;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.Test;

final class ReceiversTest {
    private static final String FILTER = "a/+";

    @Test
    void addReplaceRemove_atRandomSizes_agreesWithList() {
        Random random = new Topics().random();
        List<Subscription> model = new ArrayList<>();
        Subscription first = Topics.subscription(new Someone(false), FILTER);
        model.add(first);
        Receivers receivers = new Receivers(0, first);
        int durable = 0;
        for (int step = 0; step < 60_000; step++) {
            boolean growing = step / 5000 % 2 == 0;
            int kind = random.nextInt(10);
            if (kind < (growing ? 6 : 2) || model.isEmpty()) {
                Subscription s = Topics.subscription(new Someone(random.nextInt(4) == 0), FILTER);
                receivers.add(s);
                model.add(s);
                durable += s.receiver().durable() ? 1 : 0;
            } else if (kind < 8) {
                int at = random.nextInt(model.size());
                Subscription s = model.set(at, model.get(model.size() - 1));
                model.remove(model.size() - 1);
                assertTrue(receivers.remove(s));
                assertFalse(receivers.remove(s));
                durable -= s.receiver().durable() ? 1 : 0;
            } else {
                int at = random.nextInt(model.size());
                Subscription old = model.get(at);
                boolean other = random.nextInt(3) == 0;
                Receiver receiver = other ? new Someone(random.nextBoolean()) : old.receiver();
                Subscription now =
                        new Subscription(receiver, old.filter(), Qos.EXACTLY_ONCE, true, true, new int[] {1 + step});
                receivers.replace(old, now);
                model.set(at, now);
                durable += (receiver.durable() ? 1 : 0) - (old.receiver().durable() ? 1 : 0);
            }
            assertEquals(model.size(), receivers.size());
            assertEquals(durable > 0, receivers.owed());
            if (step % 500 == 0) {
                assertSameEntries(model, receivers);
            }
        }
        assertSameEntries(model, receivers);
    }

    @Test
    void remove_withOptionsOfBefore_findsWhatReplacedIt() {
        Subscription old = Topics.subscription(new Someone(true), FILTER);
        Receivers receivers = new Receivers(0, old);
        Subscription now = new Subscription(old.receiver(), old.filter(), Qos.EXACTLY_ONCE, true, true, new int[] {7});
        receivers.replace(old, now);
        assertSame(now, receivers.get(0));
        assertTrue(receivers.remove(old));
        assertEquals(0, receivers.size());
        assertFalse(receivers.owed());
    }

    @Test
    void add_sameReceiverAndFilter_isRefusedButAnotherGroupIsNot() {
        Someone one = new Someone(false);
        Receivers receivers = new Receivers(0, Topics.subscription(one, FILTER));
        assertThrows(IllegalStateException.class, () -> receivers.add(Topics.subscription(one, FILTER)));
        receivers.add(Topics.subscription(one, "$share/g/" + FILTER));
        receivers.add(Topics.subscription(one, "$share/h/" + FILTER));
        assertEquals(3, receivers.size());
        assertTrue(receivers.remove(Topics.subscription(one, "$share/g/" + FILTER)));
        assertEquals("$share/h/" + FILTER, receivers.get(1).filter().text());
    }

    private static void assertSameEntries(List<Subscription> model, Receivers receivers) {
        Set<Subscription> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        for (int i = 0; i < receivers.size(); i++) {
            assertTrue(seen.add(receivers.get(i)));
        }
        assertEquals(model.size(), seen.size());
        assertTrue(seen.containsAll(model));
    }
}
