package org.dunlin.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.dunlin.core.figures.Tally;
import org.dunlin.core.spi.DropReason;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/**
 * What messages were lost, by whom and why: totals by reason, counts by client and reason, and the last losses one by one.
 * Any thread; loops write while others read, and neither waits for the other. Since the start of the process, in memory alone.
 *
 * <p>A flood is lost as fast as it comes, by all loops at once. So what all would write (totals, the last losses) is each thread's
 * own ({@link Writer}), and put together by who reads; shared are the counts of a client, which mostly has one loop.
 *
 * <p>Bounded, whatever clients do: so many clients are counted by themselves; for each one more, one that has lost nothing for
 * long becomes part of {@link #others()}, and begins at 0 if it loses something again. Who has not lost anything for the
 * longest time goes first, as far as it can be told in a few steps. Long client identifiers and topics are cut. What is bounded
 * is the detail only: at rest, totals are exact, and the counts of all clients and of the others add up to them.
 */
public final class DropLedger {
    public static final int CLIENTS = 10_000;
    public static final int LAST = 1_000;

    /** Characters of a client identifier or topic that are kept. */
    static final int TEXT_MOST = 256;
    /** What stays of a client identifier that is longer, before an ellipsis and its hash. */
    private static final int TEXT_CUT = TEXT_MOST - 9;
    /** Clients looked at to find one that has lost nothing for long. */
    private static final int TRIES = 64;

    private static final DropReason[] REASONS = DropReason.values();

    private final int maxClients;
    private final LongSupplier wallMillis;

    private final List<Writer> writers = new CopyOnWriteArrayList<>();
    private final ThreadLocal<Writer> writer = ThreadLocal.withInitial(this::newWriter);
    private final LastDrops last;

    private final Map<String, Account> accounts = new ConcurrentHashMap<>();
    /** All accounts, each once unless somebody is just looking at it; the first is the next to be looked at. */
    private final ConcurrentLinkedQueue<Account> turn = new ConcurrentLinkedQueue<>();

    private final AtomicInteger opened = new AtomicInteger();
    private final Account others = new Account("");

    public DropLedger() {
        this(CLIENTS, LAST, System::currentTimeMillis);
    }

    /**
     * @param maxClients counted by themselves, 1 or more
     * @param maxLast losses kept one by one, 1 or more; each thread that writes keeps as many
     * @param wallMillis the time of day, in milliseconds since 1970
     */
    public DropLedger(int maxClients, int maxLast, LongSupplier wallMillis) {
        if (maxClients < 1 || maxLast < 1) {
            throw new IllegalArgumentException(
                    "1 or more, not " + maxClients + " client(s) and " + maxLast + " drop(s)");
        }
        this.maxClients = maxClients;
        this.wallMillis = wallMillis;
        this.last = new LastDrops(maxLast);
    }

    // ---- writing

    /**
     * Counts messages that are lost.
     *
     * @param client as in {@link org.dunlin.core.spi.BrokerEvents#dropped}: a client identifier, or the filter of a shared group
     * @param topic null for several messages at once
     * @param messages 1 or more
     * @param nowNanos by {@link System#nanoTime}, which the caller has read anyway
     */
    public void record(String client, @Nullable TopicName topic, DropReason reason, long messages, long nowNanos) {
        String name = name(client);
        count(name, reason, messages);
        writer.get().write(nowNanos, name, topic == null ? null : cut(topic.text()), reason, messages);
    }

    /** What a thread has counted stays when it ends, and goes on with the next new one. */
    private Writer newWriter() {
        Thread thread = Thread.currentThread();
        for (Writer each : writers) {
            if (each.isTakenOverBy(thread)) {
                return each;
            }
        }
        Writer fresh = new Writer(thread, wallMillis, last.newRing());
        writers.add(fresh);
        return fresh;
    }

    private void count(String name, DropReason reason, long messages) {
        Account account = accounts.get(name);
        if (account != null && account.add(reason, messages)) {
            account.use();
            return;
        }
        while (!open(name).add(reason, messages)) {
            Thread.onSpinWait(); // closed in between: it is opened anew
        }
    }

    private Account open(String name) {
        while (opened.incrementAndGet() > maxClients) {
            opened.decrementAndGet();
            if (!closeOne()) {
                return others; // every account is being looked at by another thread
            }
        }
        Account fresh = new Account(name);
        Account present = accounts.putIfAbsent(name, fresh);
        if (present != null) {
            opened.decrementAndGet();
            return present;
        }
        turn.add(fresh);
        return fresh;
    }

    /** Makes one account part of the others'. An account that was used since its last turn waits for the next one. */
    private boolean closeOne() {
        for (int tries = 1; ; tries++) {
            Account account = turn.poll();
            if (account == null) {
                return false;
            }
            if (account.used && tries < TRIES) {
                account.used = false;
                turn.add(account);
                continue;
            }
            accounts.remove(account.name, account); // first, so that who finds it closed does not find it again
            account.closeInto(others);
            opened.decrementAndGet();
            return true;
        }
    }

    /** Shortened in a way that keeps identifiers apart which begin alike. */
    private static String name(String client) {
        if (client.length() <= TEXT_MOST) {
            return client;
        }
        String hash = Integer.toHexString(client.hashCode());
        return begin(client, TEXT_CUT) + "…" + "0".repeat(8 - hash.length()) + hash;
    }

    private static String cut(String topic) {
        return topic.length() <= TEXT_MOST ? topic : begin(topic, TEXT_MOST - 1) + "…";
    }

    /** Never half of a surrogate pair. */
    private static String begin(String text, int chars) {
        return text.substring(0, Character.isHighSurrogate(text.charAt(chars - 1)) ? chars - 1 : chars);
    }

    // ---- reading

    /** Messages lost for that reason. */
    public long total(DropReason reason) {
        long sum = 0;
        for (Writer each : writers) {
            sum += each.total(reason);
        }
        return sum;
    }

    /** Messages lost. */
    public long total() {
        long sum = 0;
        for (DropReason reason : REASONS) {
            sum += total(reason);
        }
        return sum;
    }

    /** What one client has lost; all 0 if it is not among those that are counted by themselves. */
    public Losses client(String client) {
        Account account = accounts.get(name(client));
        return account == null ? new Losses(client, Map.of()) : account.losses();
    }

    /** What clients have lost together that are not counted by themselves any more. Its name is empty. */
    public Losses others() {
        return others.losses();
    }

    /**
     * Clients that have lost something, in the order of their names. Looks at all of them: not for a loop.
     *
     * @param after the last name of the former page, or the empty text; the broker itself, whose name is empty, is not listed
     * @param max 1 or more
     */
    public List<Losses> clients(String after, int max) {
        PriorityQueue<String> first = new PriorityQueue<>((a, b) -> b.compareTo(a));
        for (String name : accounts.keySet()) {
            if (name.compareTo(after) > 0) {
                first.add(name);
                if (first.size() > max) {
                    first.remove();
                }
            }
        }
        List<String> names = new ArrayList<>(first);
        names.sort(null);
        List<Losses> page = new ArrayList<>(names.size());
        for (String name : names) {
            Account account = accounts.get(name);
            if (account != null) {
                page.add(account.losses());
            }
        }
        return page;
    }

    /** The number of the last loss; 0 if there was none. The last ten are {@code last(newest() - 10, 10)}. */
    public long newest() {
        return last.newest();
    }

    /**
     * The losses that are still kept, oldest first.
     *
     * @param after the {@link Page#next} of the former page; 0 or less for the oldest that are kept
     * @param max 1 or more
     */
    public Page last(long after, int max) {
        return last.page(Math.max(after, 0), max);
    }

    /**
     * One loss.
     *
     * @param number of this loss, from 1, without gaps; by their times, as far as they were there when somebody first read
     * @param atMillis time of day, in milliseconds since 1970
     * @param client cut if it is long; empty for a message of the broker's own
     * @param topic cut if it is long; null for several messages at once
     * @param messages 1 or more
     */
    public record Drop(
            long number,
            long atMillis,
            String client,
            @Nullable String topic,
            DropReason reason,
            long messages) {}

    /**
     * @param next goes on from here
     * @param missed losses after {@code after} that are not kept any more
     */
    public record Page(List<Drop> drops, long next, long missed) {}

    /** @param messages by reason, above 0 each; a reason that has not come up is missing */
    public record Losses(String client, Map<DropReason, Long> messages) {
        public long count(DropReason reason) {
            Long count = messages.get(reason);
            return count == null ? 0 : count;
        }

        public long total() {
            long sum = 0;
            for (long count : messages.values()) {
                sum += count;
            }
            return sum;
        }
    }

    /** What one thread at a time has lost. It alone writes, any thread reads the totals. */
    private static final class Writer {
        /** For how long the time of day follows from the other clock. */
        private static final long TIME_HOLDS_NANOS = 100_000_000;

        private static final long MILLI_NANOS = 1_000_000;

        private final AtomicReference<Thread> owner;
        private final LongSupplier wallMillis;
        private final LastDrops.Ring last;
        private final Tally[] totals = new Tally[REASONS.length];
        private boolean timeKnown;
        private long readAtNanos;
        private long readMillis;

        private Writer(Thread owner, LongSupplier wallMillis, LastDrops.Ring last) {
            this.owner = new AtomicReference<>(owner);
            this.wallMillis = wallMillis;
            this.last = last;
            for (int i = 0; i < totals.length; i++) {
                totals[i] = new Tally();
            }
        }

        /** If its thread has ended, whose last writes are seen then. */
        private boolean isTakenOverBy(Thread next) {
            Thread former = owner.get();
            return former != null && !former.isAlive() && owner.compareAndSet(former, next);
        }

        private void write(long nowNanos, String name, @Nullable String topic, DropReason reason, long messages) {
            totals[reason.ordinal()].add(messages);
            last.add(millis(nowNanos), name, topic, reason, messages);
        }

        private long millis(long nowNanos) {
            long since = nowNanos - readAtNanos;
            if (since < 0 || since >= TIME_HOLDS_NANOS || !timeKnown) {
                readAtNanos = nowNanos;
                readMillis = wallMillis.getAsLong();
                timeKnown = true;
                return readMillis;
            }
            return readMillis + since / MILLI_NANOS;
        }

        private long total(DropReason reason) {
            return totals[reason.ordinal()].get();
        }
    }

    /** The counts of one client. */
    private static final class Account {
        private static final long CLOSED = -1;

        private final String name;
        private final AtomicLongArray counts = new AtomicLongArray(REASONS.length);
        /** Since its last turn. A race may cost an account its second chance, nothing else. */
        private volatile boolean used;

        private Account(String name) {
            this.name = name;
        }

        /** @return false if it is closed, and nothing is counted */
        private boolean add(DropReason reason, long messages) {
            int i = reason.ordinal();
            long former = counts.get(i);
            while (former != CLOSED && !counts.compareAndSet(i, former, former + messages)) {
                former = counts.get(i);
            }
            return former != CLOSED;
        }

        /** It has lost something again. */
        private void use() {
            if (!used) {
                used = true;
            }
        }

        private void closeInto(Account others) {
            for (int i = 0; i < REASONS.length; i++) {
                long count = counts.getAndSet(i, CLOSED);
                if (count > 0) {
                    others.add(REASONS[i], count);
                }
            }
        }

        private Losses losses() {
            Map<DropReason, Long> messages = new EnumMap<>(DropReason.class);
            for (int i = 0; i < REASONS.length; i++) {
                long count = counts.get(i);
                if (count > 0) {
                    messages.put(REASONS[i], count);
                }
            }
            return new Losses(name, Collections.unmodifiableMap(messages));
        }
    }
}
