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

    /** Asks for all identifiers below a limit to be noted as given. */
    interface Reservation {
        void reserve(long limit, Runnable done);
    }

    /** @param next the first to be given; all below limit are reserved */
    void start(long next, long reserved) {
        last.set(next - 1);
        limit.set(reserved);
    }

    /** The limit that has to be reserved when the files have been opened again. */
    long limit() {
        return Math.max(limit.get(), last.get() + 2 * BLOCK);
    }

    long next() {
        long id = last.incrementAndGet();
        if (id > limit.get() - BLOCK && asking.compareAndSet(false, true)) {
            long next = limit.accumulateAndGet(id + 2 * BLOCK, Math::max);
            reservation.reserve(next, () -> asking.set(false));
        }
        return id;
    }
}
