package org.dunlin.core.session;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.dunlin.core.figures.Depth;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.limits.QueueLimits.Overflow;
import org.dunlin.mqtt.Message;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

/**
 * The test's thread only. A queue with pages, owners that come and go, and a store that answers late, compared with a plain
 * list. {@code -Ddunlin.queue.seed=N} replays one run.
 */
class MessageQueueModelTest {
    private static final int RUNS = 3000;

    @Test
    void queue_behavesAsAPlainList() {
        Long one = Long.getLong("dunlin.queue.seed");
        if (one != null) {
            new Run(one).run();
            return;
        }
        Random fresh = new Random();
        for (int i = 0; i < RUNS; i++) {
            long seed = i < RUNS / 2 ? i : fresh.nextLong();
            try {
                new Run(seed).run();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("dunlin.queue.seed=" + seed + ": " + e, e);
            }
        }
    }

    private static final class Run {
        private final Random random;
        private final ScriptedPages pages = new ScriptedPages();
        private final QueueLimits limits;
        private final MessageQueue.Paging paging;
        private final MemoryBudget.Account memory;
        private final Depth depth = new Depth();
        private final boolean tightBudget;
        private final MessageQueue queue;
        /** What waits, oldest first. */
        private final ArrayDeque<String> model = new ArrayDeque<>();
        /** Taken out or gone past, and not acknowledged yet. */
        private final List<Outgoing> open = new ArrayList<>();
        /** Gone past and acknowledged, which the queue has not been told. */
        private final List<Long> acked = new ArrayList<>();

        private long now;
        private int last;
        private int restored;
        private int drops;
        private boolean there;
        private boolean failed;
        private long expiresAt = Message.NEVER;

        Run(long seed) {
            random = new Random(seed * 0x9E3779B97F4A7C15L);
            boolean tight = random.nextBoolean();
            limits = new QueueLimits(
                    tight ? 1 + random.nextInt(6) : 1000,
                    random.nextInt(4) == 0 ? 300 + random.nextInt(600) : 1 << 20,
                    Overflow.DROP_OLDEST,
                    1000,
                    false,
                    List.of());
            paging = new MessageQueue.Paging(
                    1 + random.nextInt(5),
                    random.nextInt(3) == 0 ? 100 + random.nextInt(300) : 1 << 20,
                    1 + random.nextInt(4),
                    random.nextInt(3) == 0 ? 1 + random.nextInt(300) : 1 << 20,
                    1 + random.nextInt(3));
            tightBudget = random.nextInt(3) == 0;
            MemoryBudget budget = tightBudget
                    ? new MemoryBudget(1 + random.nextInt(4000), 0, () -> 0, (exhausted, used, limit) -> {})
                    : MemoryBudget.unlimited();
            memory = budget.account(() -> 0);
            queue = new MessageQueue(() -> limits, paging, memory, depth, message -> message.isExpired(now), pages);
        }

        void run() {
            if (random.nextInt(3) == 0) {
                restore();
            }
            for (int steps = 20 + random.nextInt(150); steps > 0; steps--) {
                step();
                check();
            }
            pages.failure = null;
            queue.takeIn();
            there = true;
            do {
                pages.allPages();
                check();
            } while (take() || pages.pagesWaiting() > 0);
            Assertions.assertEquals(List.of(), List.copyOf(model), "still owed");
            Assertions.assertTrue(queue.isIdle(), () -> queue.size() + " wait");
            Assertions.assertEquals(0, memory.budget().countedBytes() + memory.untoldBytes(), "still counted");
            Assertions.assertEquals(new Depth().read(), depth.read(), "still counted as waiting");
        }

        private void restore() {
            long bytes = 0;
            int count = 1 + random.nextInt(12);
            long lastSeq = 0;
            for (int i = 0; i < count; i++) {
                Message message = message();
                lastSeq = pages.stored(message).seq;
                model.add(ScriptedPages.name(message));
                bytes += message.weight();
            }
            restored = count;
            queue.restore(count, bytes, 1, lastSeq);
            queue.doubt(random.nextInt(count + 1));
        }

        private Message message() {
            expiresAt = random.nextInt(10) == 0 ? now + random.nextInt(30) : Message.NEVER;
            return ScriptedPages.message("m" + ++last + (random.nextInt(8) == 0 ? "x".repeat(100) : ""), expiresAt);
        }

        private void step() {
            now++;
            switch (random.nextInt(12)) {
                case 0, 1, 2 -> add();
                case 3, 4 -> {
                    if (there) {
                        take();
                    }
                }
                case 5, 6 -> page();
                case 7 -> {
                    queue.takeIn();
                    there = true;
                }
                case 8 -> {
                    queue.putOut();
                    there = false;
                }
                case 9 -> pass();
                case 10 -> acknowledge();
                default -> forget();
            }
        }

        private void add() {
            Overflow overflow = Overflow.values()[random.nextInt(Overflow.values().length)];
            Message message = message();
            if (overflow.answers()) {
                if (!queue.admits(message.weight())) {
                    return;
                }
                queue.reserve(message.weight(), overflow);
                queue.unreserve(message.weight(), overflow);
            }
            model.add(ScriptedPages.name(message));
            queue.add(pages.stored(message), overflow);
            takeDrops();
        }

        /** A message that is taken over from a group goes past all that wait. */
        private void pass() {
            Outgoing message = pages.stored(message());
            queue.passed(message.seq);
            open.add(message);
        }

        private boolean take() {
            Outgoing message = queue.poll();
            takeDrops();
            if (message == null) {
                return false;
            }
            Assertions.assertEquals(model.poll(), ScriptedPages.name(message.message()), "not the oldest");
            open.add(message);
            return true;
        }

        private void page() {
            if (pages.pagesWaiting() == 0) {
                return;
            }
            pages.late = random.nextInt(3) == 0;
            if (random.nextInt(8) == 0) {
                pages.failure = "the disk is broken";
                failed = true;
            }
            pages.page();
            takeDrops();
        }

        private void acknowledge() {
            if (open.isEmpty()) {
                return;
            }
            Outgoing message = open.remove(random.nextInt(open.size()));
            pages.done(message.seq);
            if (queue.isPassed(message.seq)) {
                acked.add(message.seq);
            }
        }

        private void forget() {
            if (!acked.isEmpty()) {
                queue.forgetPassed(acked.remove(random.nextInt(acked.size())));
            }
        }

        /** What is dropped is the oldest, or the newest, which has just come. */
        private void takeDrops() {
            for (; drops < pages.drops.size(); drops++) {
                String name = pages.drops.get(drops).split(" ", 2)[0];
                if (!name.equals(model.peekFirst())) {
                    Assertions.assertEquals(model.peekLast(), name, "dropped from the middle");
                    model.removeLast();
                } else {
                    model.removeFirst();
                }
            }
        }

        private void check() {
            takeDrops();
            Assertions.assertEquals(model.size(), queue.size());
            Assertions.assertEquals(queue.inHeap(), depth.read().inMemory(), "counted in the heap");
            Assertions.assertEquals(queue.size(), depth.read().messages(), "counted as waiting");
            int heap = Math.max(paging.heapMessages(), paging.low() - 1 + paging.pageMessages());
            Assertions.assertTrue(queue.inHeap() <= heap, () -> queue.inHeap() + " in the heap");
            long most = Math.max(restored, 2L * limits.maxMessages() + paging.heapMessages());
            Assertions.assertTrue(queue.size() <= most, () -> queue.size() + " wait");
            if (!failed && pages.pagesWaiting() == 0) {
                Assertions.assertTrue(queue.inHeap() > 0 || model.isEmpty() || !there, "nobody reads");
            }
        }
    }
}
