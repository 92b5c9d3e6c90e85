package org.dunlin.persistence.rocksdb;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Gives identifiers, out of blocks that were reserved in the files. A block is asked for long before the last one ends, and
 * always before an identifier of it is given: whatever is stored under it comes behind the reservation, so that no
 * identifier which the files hold is ever given again. Any thread; never blocks.
 */
final class Identifiers {
    static final long BLOCK = 10_000;

    private final Reservation reservation;
    private final AtomicLong last = new AtomicLong();
    private final AtomicLong limit = new AtomicLong();
    private final AtomicBoolean asking = new AtomicBoolean();

    Identifiers(Reservation reservation) {
        this.reservation = reservation;
    }

    /** Asks for all identifiers below a limit to be noted as given, before anything that is written later. */
    interface Reservation {
        void reserve(long limit);
    }

    /** @param next the first to be given; all below reserved are noted as given */
    void start(long next, long reserved) {
        last.set(next - 1);
        limit.set(reserved);
    }

    /** The limit that has to be noted when the files have been opened again. */
    long limit() {
        return Math.max(limit.get(), last.get() + 2 * BLOCK);
    }

    long next() {
        long id = last.incrementAndGet();
        long reserved = limit.get();
        if (id > reserved - BLOCK) {
            boolean mine = asking.compareAndSet(false, true);
            if (mine || id >= reserved) { // behind the limit nobody waits for another who asks
                long next = id + 2 * BLOCK;
                reservation.reserve(next);
                limit.accumulateAndGet(next, Math::max);
            }
            if (mine) {
                asking.set(false);
            }
        }
        return id;
    }
}
