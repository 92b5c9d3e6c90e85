package org.dunlin.persistence.rocksdb;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.dunlin.core.spi.Store.Completion;
import org.dunlin.persistence.rocksdb.Layout.Family;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;
import org.rocksdb.WriteBatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Clears away what owners that are gone have left, page by page: a thread of the readers looks for it, the writer deletes it.
 * {@link #add} on any thread; the rest on one at a time.
 */
final class Clearing {
    private static final Logger LOG = LoggerFactory.getLogger(Clearing.class);
    private static final Family[] FAMILIES = {Family.SUBSCRIPTION, Family.QUEUE, Family.FLOW};
    private static final int PAGE_ROWS = 4096;
    private static final int PAGE_OWNERS = 256;
    /** Each range that was deleted slows reads, so it takes many rows to be worth one. */
    private static final int RANGE_ROWS = 1000;

    private final Lender lender;
    private final Executor executor;
    private final Target target;
    private final Queue<Long> waiting = new ConcurrentLinkedQueue<>();
    /** How many errands there are; the one that makes it 1 goes to work. */
    private final AtomicInteger errands = new AtomicInteger();

    private @Nullable Place place;

    Clearing(Lender lender, Executor executor, Target target) {
        this.lender = lender;
        this.executor = executor;
        this.target = target;
    }

    /** Where pages go to be deleted. */
    interface Target {
        void clear(Page page, Completion done);
    }

    /** How far it has come with one owner. */
    private record Place(long sid, int family, byte[] from) {}

    /** @param done owners of which nothing is left after it */
    record Page(List<Rows> rows, List<Body> bodies, List<Long> done) {}

    /** A message that is kept apart from the place it had. */
    record Body(long sid, long seq, long id) {}

    /** Neighbouring rows of one family. */
    record Rows(Family family, List<byte[]> keys) {
        void deleteFrom(WriteBatch batch, Database database) throws RocksDBException {
            if (keys.size() > RANGE_ROWS) {
                byte[] last = keys.get(keys.size() - 1);
                batch.deleteRange(database.family(family), keys.get(0), Arrays.copyOf(last, last.length + 1));
                return;
            }
            for (byte[] key : keys) {
                batch.delete(database.family(family), key);
            }
        }
    }

    void add(Collection<Long> owners) {
        if (!owners.isEmpty()) {
            waiting.addAll(owners);
            if (errands.getAndIncrement() == 0) {
                goOn();
            }
        }
    }

    private void goOn() {
        try {
            executor.execute(this::work);
        } catch (RejectedExecutionException e) {
            LOG.debug("The store is closed; the rest is cleared away after the next start");
        }
    }

    private void work() {
        int known = errands.get();
        Page page;
        try {
            page = lender.use(this::read);
        } catch (RocksDBException | Records.Unreadable | RuntimeException e) {
            LOG.error("Cannot clear away what sessions have left that are gone: {}", e.getMessage());
            end(known, "");
            return;
        }
        if (page.rows.isEmpty() && page.done.isEmpty()) {
            end(known, "");
            return;
        }
        target.clear(page, failure -> {
            if (failure == null) {
                goOn();
            } else {
                end(known, failure);
            }
        });
    }

    /** @param failure if not empty, the rest comes again when the files have been opened again */
    private void end(int known, String failure) {
        place = null;
        if (!failure.isEmpty()) {
            waiting.clear();
        }
        if (errands.addAndGet(-known) != 0) {
            goOn();
        }
    }

    private Page read(Database database) throws RocksDBException, Records.Unreadable {
        Page page = new Page(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        int room = PAGE_ROWS;
        while (room > 0 && page.done.size() < PAGE_OWNERS) {
            Place at = place;
            if (at == null) {
                Long sid = waiting.poll();
                if (sid == null) {
                    break;
                }
                at = new Place(sid, 0, Layout.key(sid));
            }
            Rows rows = rows(database, at, room, page.bodies);
            if (!rows.keys.isEmpty()) {
                page.rows.add(rows);
                room -= rows.keys.size();
            }
            if (room == 0) {
                byte[] last = rows.keys.get(rows.keys.size() - 1);
                place = new Place(at.sid, at.family, Arrays.copyOf(last, last.length + 1));
            } else if (at.family < FAMILIES.length - 1) {
                place = new Place(at.sid, at.family + 1, Layout.key(at.sid));
            } else {
                page.done.add(at.sid);
                place = null;
            }
        }
        return page;
    }

    private static Rows rows(Database database, Place at, int room, List<Body> bodies)
            throws RocksDBException, Records.Unreadable {
        Family family = FAMILIES[at.family];
        List<byte[]> keys = new ArrayList<>();
        try (Slice end = new Slice(Layout.key(at.sid + 1));
                ReadOptions options = new ReadOptions().setFillCache(false).setIterateUpperBound(end);
                RocksIterator rows = database.rocks.newIterator(database.family(family), options)) {
            for (rows.seek(at.from); rows.isValid() && keys.size() < room; rows.next()) {
                keys.add(rows.key());
                if (family == Family.QUEUE) {
                    long body = Records.body(ByteBuffer.wrap(rows.value()));
                    if (body != 0) {
                        bodies.add(new Body(at.sid, Layout.number(rows.key(), 8), body));
                    }
                }
            }
            rows.status();
        }
        return new Rows(family, keys);
    }
}
