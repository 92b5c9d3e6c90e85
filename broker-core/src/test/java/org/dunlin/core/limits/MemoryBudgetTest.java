package org.dunlin.core.limits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.junit.jupiter.api.Test;

class MemoryBudgetTest {
    private static final long LIMIT = 100_000;
    private static final long PATIENCE = 1000;

    private final List<String> told = new ArrayList<>();
    private long now = 5000;
    private long others;
    private final MemoryBudget budget = new MemoryBudget(
            LIMIT, PATIENCE, () -> others, (exhausted, used, limit) -> told.add(exhausted ? "exhausted" : "relieved"));
    private final MemoryBudget.Account one = budget.account(() -> now);
    private final MemoryBudget.Account other = budget.account(() -> now);

    private static Message message(int bytes) {
        return new Message(
                1, "p", TopicName.of("t"), new byte[bytes], Qos.AT_LEAST_ONCE, false, Message.NEVER, Message.NO_BYTES);
    }

    @Test
    void accounts_add_isWhatIsUsed() {
        one.add(30_000);
        other.add(20_000);
        one.add(-10_000);
        assertEquals(40_000, budget.usedBytes());
    }

    @Test
    void otherBounds_countFromTheNextReview() {
        one.add(90_000);
        budget.bounds(80_000, 10);
        budget.review(now);
        assertTrue(budget.isExhausted() && budget.isTight());
        assertTrue(budget.isRefusing(now + 10), "by the other patience");
        budget.bounds(1_000_000, 10);
        budget.review(now);
        assertFalse(budget.isExhausted() || budget.isTight());
        assertEquals(List.of("exhausted", "relieved"), told);
        assertEquals(1_000_000, budget.limitBytes());
    }

    @Test
    void largeMessage_heldByMany_isCountedOnce() {
        Message large = message(10_000);
        one.hold(large);
        one.hold(large);
        other.hold(large);
        assertEquals(large.weight() + 3 * MemoryBudget.ENTRY_BYTES, all());
        one.letGo(large);
        other.letGo(large);
        assertEquals(large.weight() + MemoryBudget.ENTRY_BYTES, all());
        one.letGo(large);
        assertEquals(0, all());
    }

    @Test
    void smallMessage_heldByMany_isCountedWithEach() {
        Message small = message(10);
        one.hold(small);
        other.hold(small);
        assertEquals(2 * (small.weight() + MemoryBudget.ENTRY_BYTES), all());
        other.letGo(small);
        one.letGo(small);
        assertEquals(0, all());
    }

    private long all() {
        return budget.countedBytes() + one.untoldBytes() + other.untoldBytes();
    }

    @Test
    void budget_beforeItsEnd_isTight() {
        one.add(74_000);
        assertFalse(budget.isTight());
        one.add(2_000);
        assertTrue(budget.isTight());
        assertFalse(budget.isExhausted());
    }

    @Test
    void pause_growsFromThreeQuartersToTheEnd() {
        one.add(75_000);
        assertEquals(0, budget.pauseMillis());
        one.add(2_500);
        long first = budget.pauseMillis();
        one.add(10_000);
        long half = budget.pauseMillis();
        one.add(50_000);
        long last = budget.pauseMillis();
        assertTrue(0 < first && first < half && half < last, first + " " + half + " " + last);
        assertEquals(125, half);
        assertEquals(500, last);
        one.add(-80_000);
        assertEquals(0, budget.pauseMillis());
    }

    @Test
    void budget_atItsEnd_isExhaustedUntilATenthIsFree() {
        one.add(LIMIT);
        assertTrue(budget.isExhausted());
        one.add(-9_000);
        assertTrue(budget.isExhausted());
        one.add(-2_000);
        assertFalse(budget.isExhausted());
        assertEquals(List.of("exhausted", "relieved"), told);
    }

    @Test
    void exhausted_refusesAfterPatience() {
        one.add(LIMIT);
        assertFalse(budget.isRefusing(now));
        now += PATIENCE - 1;
        assertFalse(budget.isRefusing(now));
        now++;
        assertTrue(budget.isRefusing(now));
        one.add(-LIMIT);
        assertFalse(budget.isRefusing(now));
    }

    @Test
    void exhausted_byFar_refusesAtOnce() {
        one.add(LIMIT + LIMIT / 8 + 1000);
        assertTrue(budget.isRefusing(now));
    }

    @Test
    void exhausted_asecondTime_hasPatienceAnew() {
        one.add(LIMIT);
        now += PATIENCE;
        one.add(-LIMIT);
        one.add(LIMIT);
        assertFalse(budget.isRefusing(now));
    }

    @Test
    void buffers_countWithTheNextReview() {
        others = LIMIT;
        assertFalse(budget.isExhausted());
        budget.review(now);
        assertTrue(budget.isExhausted());
        others = 0;
        budget.review(now);
        assertFalse(budget.isExhausted());
    }

    @Test
    void waiters_runWhenRelieved_once() {
        List<String> ran = new ArrayList<>();
        one.add(LIMIT);
        budget.whenRelieved(() -> ran.add("a"));
        assertEquals(List.of(), ran);
        one.add(-LIMIT);
        assertEquals(List.of("a"), ran);
        budget.whenRelieved(() -> ran.add("b"));
        assertEquals(List.of("a", "b"), ran);
        one.add(LIMIT);
        one.add(-LIMIT);
        assertEquals(List.of("a", "b"), ran);
    }
}
