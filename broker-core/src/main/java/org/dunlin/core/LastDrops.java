package org.dunlin.core;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.dunlin.core.DropLedger.Drop;
import org.dunlin.core.DropLedger.Page;
import org.dunlin.core.spi.DropReason;
import org.jspecify.annotations.Nullable;

/**
 * The last losses one by one. Any thread; readers wait for each other, a writer for nobody. Each writer has a ring of its own:
 * with one for all, and one counter, loops that lose much would wait for each other's cache lines most of the time. So losses
 * get their numbers when somebody reads, in the order of their times.
 */
final class LastDrops {
    private final int most;
    private final List<Ring> rings = new CopyOnWriteArrayList<>();

    // under the lock of this object
    /** What has got its number, oldest first. */
    private final Deque<Drop> numbered = new ArrayDeque<>();

    private long newest;

    /** @param most losses that are kept, 1 or more */
    LastDrops(int most) {
        this.most = most;
    }

    /** One for each thread that writes. */
    Ring newRing() {
        Ring ring = new Ring(most);
        rings.add(ring);
        return ring;
    }

    /** The number of the last loss; 0 if there was none. */
    synchronized long newest() {
        number();
        return newest;
    }

    /**
     * @param after 0 or more
     * @param max 1 or more
     */
    synchronized Page page(long after, int max) {
        number();
        List<Drop> drops = new ArrayList<>();
        long next = after;
        long missed = 0;
        for (Drop drop : numbered) {
            if (drop.number() <= after) {
                continue;
            }
            if (drops.size() == max) {
                break;
            }
            missed += drop.number() - next - 1;
            next = drop.number();
            drops.add(drop);
        }
        return new Page(List.copyOf(drops), next, missed);
    }

    /** Gives numbers to what is new. What was overwritten before somebody read it was older, and gets the lower ones. */
    private void number() {
        List<Drop> fresh = new ArrayList<>();
        for (Ring ring : rings) {
            newest += ring.take(fresh);
        }
        fresh.sort(Comparator.comparingLong(Drop::atMillis));
        int surplus = Math.max(0, fresh.size() - most);
        long number = newest - fresh.size() + surplus;
        for (Drop drop : fresh.subList(surplus, fresh.size())) {
            number++;
            numbered.add(
                    new Drop(number, drop.atMillis(), drop.client(), drop.topic(), drop.reason(), drop.messages()));
        }
        while (numbered.size() > most) {
            numbered.remove();
        }
    }

    /** Of one writer. */
    static final class Ring {
        /** A loss of the ring's number n is in slot n modulo their number. */
        private final AtomicReferenceArray<@Nullable Drop> slots;

        private final AtomicLong written = new AtomicLong();
        /** Readers' own. */
        private long taken;

        private Ring(int most) {
            slots = new AtomicReferenceArray<>(most);
        }

        /** By its one thread only. */
        void add(long atMillis, String client, @Nullable String topic, DropReason reason, long messages) {
            long number = written.getPlain() + 1;
            slots.setRelease(slot(number), new Drop(number, atMillis, client, topic, reason, messages));
            written.setRelease(number);
        }

        /** @return how many there are since it was last asked; those that are still here are added to the list */
        private long take(List<Drop> to) {
            long last = written.getAcquire();
            long former = taken;
            for (long number = Math.max(former, last - slots.length()) + 1; number <= last; number++) {
                Drop drop = slots.getAcquire(slot(number));
                if (drop != null && drop.number() == number) { // else overwritten just now
                    to.add(drop);
                }
            }
            taken = last;
            return last - former;
        }

        private int slot(long number) {
            return (int) (number % slots.length());
        }
    }
}
