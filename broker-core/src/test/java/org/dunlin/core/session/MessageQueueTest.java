package org.dunlin.core.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.dunlin.core.figures.Depth;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.limits.QueueLimits.Overflow;
import org.dunlin.mqtt.Message;
import org.junit.jupiter.api.Test;

/** The test's thread only. */
class MessageQueueTest {
    private static final int WEIGHT = ScriptedPages.message("a").weight();

    private final MemoryBudget.Account memory = MemoryBudget.unlimited().account(() -> 0);
    private final Depth depth = new Depth();
    private final ScriptedPages pages = new ScriptedPages();
    private long now;
    private MessageQueue queue = queue(100, 2, 2, 1);

    /** @param low messages in the heap below which a page is asked for */
    private MessageQueue queue(int maxMessages, int heap, int page, int low) {
        return queue(maxMessages, 1 << 20, new MessageQueue.Paging(heap, 1 << 20, page, 1 << 20, low));
    }

    private MessageQueue queue(int maxMessages, long maxBytes, MessageQueue.Paging paging) {
        QueueLimits limits = new QueueLimits(maxMessages, maxBytes, Overflow.DROP_OLDEST, 1000, false, List.of());
        return new MessageQueue(() -> limits, paging, memory, depth, message -> message.isExpired(now), pages);
    }

    private void addStored(String... names) {
        for (String name : names) {
            queue.add(pages.stored(name), Overflow.DROP_OLDEST);
        }
    }

    /** Takes out what can be had, pages and all, as an owner with a window that is always free. */
    private List<String> drain() {
        List<String> names = new ArrayList<>();
        Outgoing next = queue.poll();
        while (next != null || pages.pagesWaiting() > 0) {
            if (next == null) {
                pages.page();
            } else {
                names.add(ScriptedPages.name(next.message()));
                pages.done(next.seq);
            }
            next = queue.poll();
        }
        return names;
    }

    // ---- paging

    @Test
    void add_ofStoredMessages_keepsTheOldestAndReadsTheRestInOrder() {
        queue.takeIn();
        addStored("a", "b", "c", "d", "e");
        assertEquals(2, queue.inHeap());
        assertEquals(5, queue.size());

        assertEquals(List.of("a", "b", "c", "d", "e"), drain());

        assertTrue(queue.isIdle());
        assertEquals(List.of("2-5", "4-5"), pages.asked);
    }

    @Test
    void add_whileAPageIsOnItsWay_comesBehindIt() {
        queue.takeIn();
        addStored("a", "b", "c");
        queue.poll();
        queue.poll();
        addStored("d");
        assertEquals(List.of("c", "d"), drain());
        assertTrue(queue.isEmpty());
    }

    @Test
    void add_whileTheOwnerIsAway_keepsNothingInTheHeap() {
        addStored("a", "b");
        assertEquals(0, queue.inHeap());
        assertNull(queue.poll());
        queue.takeIn();
        assertEquals(List.of("a", "b"), drain());
    }

    @Test
    void heapBytes_boundWhatIsInTheHeap() {
        queue = queue(100, 1 << 20, new MessageQueue.Paging(100, 2L * WEIGHT, 100, WEIGHT, 1));
        queue.takeIn();
        addStored("a", "b", "c", "d");
        assertEquals(2, queue.inHeap());
        assertEquals(List.of("a", "b", "c", "d"), drain());
    }

    @Test
    void putOut_whileAPageIsOnItsWay_neitherLosesNorDoublesAnything() {
        queue.takeIn();
        addStored("a", "b", "c", "d");
        queue.poll();
        pages.done(1);
        queue.poll();
        pages.done(2); // c and d have been asked for
        assertTrue(queue.isLoading());

        queue.putOut();
        assertFalse(queue.isLoading());
        pages.page();
        assertEquals(0, queue.inHeap(), "nobody waits for that page any more");
        assertEquals(0, pages.loaded);

        queue.takeIn();
        assertEquals(List.of("c", "d"), drain());
    }

    @Test
    void putOut_ofWhatIsInTheHeap_readsItAgain() {
        queue.takeIn();
        addStored("a", "b", "c");
        queue.putOut();
        assertEquals(0, queue.inHeap());
        assertEquals(3, queue.size());
        queue.takeIn();
        assertEquals(List.of("a", "b", "c"), drain());
    }

    @Test
    void putOut_ofAnOwnerThatIsNotKept_keepsEverything() {
        queue.takeIn();
        queue.add(ScriptedPages.unstored("a"), Overflow.DROP_OLDEST);
        queue.putOut();
        assertEquals(1, queue.inHeap());
        assertEquals(List.of("a"), drain());
    }

    @Test
    void whatHasBeenTakenOut_isNeverReadAgain() {
        queue.takeIn();
        addStored("a", "b", "c");
        Outgoing inFlight = queue.poll(); // the store keeps it until it is acknowledged
        queue.putOut();
        queue.takeIn();
        pages.allPages();
        assertEquals("a", ScriptedPages.name(inFlight.message()));
        assertEquals(List.of("b", "c"), drain());
    }

    @Test
    void passed_isSkippedByPages_andForgottenOnlyBehindThePageOnItsWay() {
        addStored("a");
        Outgoing past = pages.stored("past");
        queue.passed(past.seq);
        addStored("b");
        queue.takeIn();
        assertTrue(queue.isPassed(past.seq));
        pages.late = true;
        pages.page(); // read while the store had it
        pages.done(past.seq);
        queue.forgetPassed(past.seq);
        assertTrue(queue.isPassed(past.seq), "the page holds it");

        assertEquals(List.of("a", "b"), drain());
        assertFalse(queue.isPassed(past.seq));
        assertTrue(queue.isIdle());
    }

    @Test
    void forgetPassed_whileNothingIsRead_forgetsAtOnce() {
        addStored("a");
        Outgoing past = pages.stored("past");
        queue.passed(past.seq);
        queue.forgetPassed(past.seq);
        assertFalse(queue.isPassed(past.seq));
    }

    @Test
    void passed_atAnEmptyQueue_needsNoNote() {
        Outgoing past = pages.stored("past");
        queue.passed(past.seq);
        assertFalse(queue.isPassed(past.seq));
        addStored("a");
        queue.takeIn();
        assertEquals(List.of("a"), drain());
    }

    @Test
    void forgetSpilled_whileAPageIsOnItsWay_leavesNothing() {
        addStored("a", "b", "c");
        queue.takeIn();
        assertEquals(3, queue.forgetSpilled());
        pages.allPages();
        assertTrue(queue.isIdle());
        assertEquals(0, queue.inHeap());
    }

    @Test
    void page_withFewerMessagesThanWereThought_endsTheReading() {
        queue.restore(5, 5L * WEIGHT, 1, 5);
        pages.stored("a");
        pages.stored("b");
        queue.takeIn();
        assertEquals(List.of("a", "b"), drain());
        assertTrue(queue.isIdle());
        addStored("c");
        assertEquals(List.of("c"), drain());
    }

    @Test
    void page_thatFails_isToldAndAskedForAgainByTheNextTakeIn() {
        addStored("a");
        pages.failure = "the disk is broken";
        queue.takeIn();
        pages.page();
        assertEquals(List.of("the disk is broken"), pages.failures);
        assertEquals(0, pages.pagesWaiting());
        queue.takeIn();
        assertEquals(List.of("a"), drain());
    }

    @Test
    void doubted_messagesAreMarkedAsSentBefore_alsoWhenTheyHaveBeenPutOutAgain() {
        for (String name : List.of("a", "b", "c")) {
            pages.stored(name);
        }
        queue.restore(3, 3L * WEIGHT, 1, 3);
        queue.doubt(2);
        queue.takeIn();
        pages.page();
        queue.putOut();
        queue.takeIn();
        pages.page();
        assertTrue(queue.poll().dup);
        assertTrue(queue.poll().dup);
        pages.allPages();
        assertFalse(queue.poll().dup);
    }

    // ---- expiry

    @Test
    void poll_passesByWhatHasExpiredInAPage_butNotWhatTheClientMayKnow() {
        pages.stored(ScriptedPages.message("known", 10));
        Message late = ScriptedPages.message("late", 10);
        pages.stored(late);
        pages.stored("kept");
        queue.restore(3, 3L * WEIGHT, 1, 3);
        queue.doubt(1);
        now = 11;
        queue.takeIn();
        assertEquals(List.of("known", "kept"), drain());
        assertEquals(List.of("late expired"), pages.drops);
        assertTrue(queue.isIdle());
    }

    // ---- a full queue

    @Test
    void dropOldest_takesFromTheHeapFirst() {
        queue = queue(3, 2, 2, 1);
        queue.takeIn();
        addStored("a", "b", "c", "d");
        assertEquals(List.of("a queue-full"), pages.drops);
        assertEquals(List.of("b", "c", "d"), drain());
    }

    @Test
    void dropOldest_ofWhatOnlyTheStoreHas_readsItAndLeavesTheRestThere() {
        queue = queue(3, 2, 2, 1);
        addStored("a", "b", "c", "d", "e", "f");
        pages.allPages();
        assertEquals(List.of("a queue-full", "b queue-full", "c queue-full"), pages.drops);
        assertEquals(3, queue.size());
        addStored("g");
        pages.allPages();
        assertEquals(3, queue.size());
        queue.takeIn();
        assertEquals(List.of("e", "f", "g"), drain());
    }

    @Test
    void dropOldest_byBytes_keepsOneMessageWhateverItWeighs() {
        queue = queue(100, 2L * WEIGHT, new MessageQueue.Paging(10, 1 << 20, 10, 1 << 20, 1));
        addStored("a", "b", "c");
        pages.allPages();
        assertEquals(List.of("a queue-full"), pages.drops);
        addStored("x".repeat(10 * WEIGHT));
        pages.allPages();
        assertEquals(1, queue.size());
    }

    @Test
    void dropOldest_whenTheStoreDoesNotKeepUp_dropsTheNewestInTheEnd() {
        queue = queue(2, 3, 2, 1);
        for (int i = 0; i < 50; i++) {
            addStored("m" + i);
        }
        assertEquals(2 * 2 + 3, queue.size());
        assertEquals("m7 queue-full", pages.drops.get(0));
        assertEquals(43, pages.drops.size());
        pages.allPages();
        queue.takeIn();
        assertEquals(List.of("m5", "m6"), drain());
        assertTrue(queue.isIdle());
    }

    @Test
    void dropOldest_whenTheStoreCannotBeRead_staysBoundedAndRecovers() {
        queue = queue(2, 3, 2, 1);
        for (int i = 0; i < 50; i++) {
            pages.failure = "the disk is broken";
            addStored("m" + i);
            pages.allPages();
            assertTrue(queue.size() <= 2 * 2 + 3, "it has grown to " + queue.size());
        }
        pages.failure = null;
        addStored("last");
        pages.allPages();
        assertEquals(2, queue.size());
    }

    @Test
    void dropNewest_isNotReadBack() {
        queue = queue(2, 2, 2, 1);
        for (String name : List.of("a", "b", "c")) {
            queue.add(pages.stored(name), Overflow.DROP_NEWEST);
        }
        assertEquals(List.of("c queue-full"), pages.drops);
        queue.takeIn();
        assertEquals(List.of("a", "b"), drain());
    }

    @Test
    void reserved_underAPolicyThatAnswers_keepsItsRoom() {
        queue = queue(2, 2, 2, 1);
        queue.reserve(WEIGHT, Overflow.REJECT);
        assertTrue(queue.admits(WEIGHT));
        queue.reserve(WEIGHT, Overflow.REJECT);
        assertFalse(queue.admits(WEIGHT));
        assertFalse(queue.isIdle());
        queue.unreserve(WEIGHT, Overflow.REJECT);
        assertTrue(queue.admits(WEIGHT), "its promise is void");
        queue.unreserve(WEIGHT, Overflow.REJECT);
        assertTrue(queue.isIdle());
    }

    @Test
    void reserved_underAPolicyThatDrops_takesNoRoomYet() {
        queue = queue(1, 2, 2, 1);
        queue.reserve(WEIGHT, Overflow.DROP_OLDEST);
        assertTrue(queue.admits(WEIGHT));
        assertFalse(queue.isIdle());
        queue.unreserve(WEIGHT, Overflow.DROP_OLDEST);
        assertTrue(queue.isIdle());
    }

    @Test
    void dropOldest_makesRoomForWhatHasBeenPromised() {
        queue = queue(2, 4, 4, 1);
        queue.takeIn();
        addStored("a");
        queue.reserve(WEIGHT, Overflow.HOLD_ACK);
        addStored("b");
        queue.unreserve(WEIGHT, Overflow.HOLD_ACK);
        queue.add(pages.stored("c"), Overflow.HOLD_ACK);
        assertEquals(List.of("a queue-full"), pages.drops);
        assertEquals(List.of("b", "c"), drain());
    }

    @Test
    void queue_withFourFifthsOfWhatItMayHave_isCountedAsNearlyFull() {
        queue = queue(10, 100, 2, 1);
        addStored("1", "2", "3", "4", "5", "6", "7");
        assertEquals(0, depth.read().nearlyFull());
        addStored("8");
        assertEquals(1, depth.read().nearlyFull());
        addStored("9", "10", "11");
        assertEquals(1, depth.read().nearlyFull());
        queue.clear();
        assertEquals(0, depth.read().nearlyFull());
        assertEquals(0, depth.read().messages());
        assertEquals(0, depth.read().bytes());
    }
}
