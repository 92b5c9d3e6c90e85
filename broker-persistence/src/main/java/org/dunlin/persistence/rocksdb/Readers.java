package org.dunlin.persistence.rocksdb;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.dunlin.core.spi.Store.Page;
import org.dunlin.core.spi.Store.Stored;
import org.dunlin.mqtt.Message;
import org.dunlin.persistence.rocksdb.Layout.Family;
import org.dunlin.persistence.rocksdb.Records.Unreadable;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;
import org.rocksdb.Snapshot;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads pages of queues on threads of its own. {@link #read} on any thread. */
final class Readers {
    private static final Logger LOG = LoggerFactory.getLogger(Readers.class);
    private static final int THREADS = 2;

    private final Lender lender;
    private final Ledger ledger;
    private final ExecutorService threads;

    Readers(Lender lender, Ledger ledger) {
        this.lender = lender;
        this.ledger = ledger;
        AtomicInteger number = new AtomicInteger();
        this.threads = Executors.newFixedThreadPool(THREADS, task -> {
            Thread thread = new Thread(task, "store-reader-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
    }

    ExecutorService threads() {
        return threads;
    }

    /** What is asked for, in the terms of {@link org.dunlin.core.spi.Store#readQueue}. */
    record Request(long owner, long afterSeq, long throughSeq, int maxMessages, long maxBytes) {}

    void read(Request request, Page page) {
        if (request.throughSeq <= request.afterSeq) {
            page.read(List.of(), false, null);
            return;
        }
        try {
            threads.execute(() -> answer(request, page));
        } catch (RejectedExecutionException e) {
            page.read(List.of(), false, "the store is closed");
        }
    }

    private void answer(Request request, Page page) {
        List<Stored> messages = new ArrayList<>();
        boolean more = false;
        String failure = null;
        try {
            if (!ledger.isGone(request.owner)) {
                more = lender.use(database -> fill(messages, request, database));
            }
        } catch (RocksDBException | Unreadable | RuntimeException | Error e) { // no page must be waited for in vain
            failure = "its queue cannot be read after place "
                    + (messages.isEmpty()
                            ? request.afterSeq
                            : messages.get(messages.size() - 1).seq()) + ": "
                    + (e instanceof Error ? e.toString() : e.getMessage());
            LOG.error("Queue of owner {}: {}", request.owner, failure);
        }
        if (failure != null && !messages.isEmpty()) {
            // What lies before the damage is good; the next page begins with it.
            more = true;
            failure = null;
        }
        try {
            page.read(messages, more, failure);
        } catch (RuntimeException | Error e) {
            LOG.error("A reader of a queue has failed", e);
        }
    }

    /** Queue and bodies are read as of one moment, else an acknowledgement in between would look like damage. */
    private static boolean fill(List<Stored> messages, Request request, Database database)
            throws RocksDBException, Unreadable {
        byte[] end = request.throughSeq == Long.MAX_VALUE
                ? Layout.key(request.owner + 1)
                : Layout.key(request.owner, request.throughSeq + 1);
        Snapshot moment = database.rocks.getSnapshot();
        try (Slice bound = new Slice(end);
                ReadOptions options = new ReadOptions().setSnapshot(moment).setIterateUpperBound(bound);
                RocksIterator rows = database.rocks.newIterator(database.family(Family.QUEUE), options)) {
            long bytes = 0;
            for (rows.seek(Layout.key(request.owner, request.afterSeq + 1)); rows.isValid(); rows.next()) {
                byte[] value = rows.value();
                ByteBuffer head = ByteBuffer.wrap(value);
                bytes += Records.weight(head);
                if (messages.size() == request.maxMessages || !messages.isEmpty() && bytes > request.maxBytes) {
                    return true;
                }
                long body = Records.body(head);
                Message apart = body == 0 ? null : body(body, options, database);
                messages.add(Records.queued(Layout.number(rows.key(), 8), value, apart));
            }
            rows.status();
            return false;
        } finally {
            database.rocks.releaseSnapshot(moment);
        }
    }

    private static Message body(long body, ReadOptions options, Database database) throws RocksDBException, Unreadable {
        byte[] value = database.rocks.get(database.family(Family.BODY), options, Layout.key(body));
        if (value == null) {
            throw new Unreadable("the body " + body + " of a message is missing");
        }
        return Records.message(value);
    }

    /** Waits for pages that are being read. */
    void close() {
        threads.shutdown();
        boolean interrupted = false;
        while (true) {
            try {
                if (threads.awaitTermination(1, TimeUnit.MINUTES)) {
                    break;
                }
                LOG.warn("Still waiting for queues that are being read");
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
