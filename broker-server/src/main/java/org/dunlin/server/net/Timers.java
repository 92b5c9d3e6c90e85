package org.dunlin.server.net;

import io.netty.channel.EventLoop;
import java.util.Arrays;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.dunlin.core.spi.Loop;
import org.jspecify.annotations.Nullable;

/**
 * The loop's thread only, but for {@link #schedule}. What one event loop has to do later, the earliest first: each connection
 * has a timer for its keep alive, and 32 bytes of ours are a third of what Netty takes for one. Netty has a single timer of us,
 * for the first that is due.
 */
final class Timers {
    private static final int FIRST_SLOTS = 16;
    /** A century: nobody waits longer, and sums of times cannot overflow. */
    private static final long MOST_MILLIS = TimeUnit.DAYS.toMillis(36_525);

    private final NettyLoop loop;
    private final EventLoop eventLoop;
    private final long startNanos = System.nanoTime();
    /** A binary heap by {@link Entry#dueNanos}: at {@code 2 i + 1} and {@code 2 i + 2} is what comes behind {@code i}. */
    private @Nullable Entry[] heap = new @Nullable Entry[FIRST_SLOTS];

    private int size;
    private boolean running;
    private @Nullable Future<?> alarm;
    private long alarmNanos;

    Timers(NettyLoop loop, EventLoop eventLoop) {
        this.loop = loop;
        this.eventLoop = eventLoop;
    }

    /** Runs a task on the loop when that many milliseconds have passed, at once if below 0. Any thread. */
    Loop.Timer schedule(Runnable task, long delayMillis) {
        long delay = TimeUnit.MILLISECONDS.toNanos(Math.min(Math.max(delayMillis, 0), MOST_MILLIS));
        Entry entry = new Entry(this, task, nanos() + delay);
        if (eventLoop.inEventLoop()) {
            add(entry);
        } else {
            eventLoop.execute(() -> add(entry));
        }
        return entry;
    }

    /** That wait for their time. */
    int size() {
        return size;
    }

    private long nanos() {
        return System.nanoTime() - startNanos;
    }

    private void add(Entry entry) {
        if (entry.task == null) {
            return; // cancelled on its way to here
        }
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, 2 * size);
        }
        up(entry, size++);
        if (!running) {
            setAlarm();
        }
    }

    /** Has Netty wake us for the first of them; for one that has been cancelled we are woken in vain. */
    private void setAlarm() {
        Entry first = heap[0];
        if (first == null || alarm != null && alarmNanos <= first.dueNanos) {
            return;
        }
        if (alarm != null) {
            alarm.cancel(false);
        }
        alarmNanos = first.dueNanos;
        alarm = eventLoop.schedule(this::wake, Math.max(alarmNanos - nanos(), 0), TimeUnit.NANOSECONDS);
    }

    private void wake() {
        alarm = null;
        runDue();
    }

    /** With very many of them others have their turn before the last. */
    private void runDue() {
        long now = nanos();
        running = true;
        boolean late = false;
        Entry first = heap[0];
        while (first != null && first.dueNanos <= now && !late) {
            Runnable task = first.task;
            remove(first);
            if (task != null) {
                loop.run(task);
            }
            first = heap[0];
            late = loop.isTurnLong();
        }
        running = false;
        if (first != null && first.dueNanos <= now) {
            loop.inNextTurn(this::runDue);
        } else {
            setAlarm();
        }
    }

    private void remove(Entry entry) {
        int hole = entry.at;
        Entry last = heap[--size];
        heap[size] = null;
        entry.at = Entry.NOWHERE;
        entry.task = null;
        if (last != null && last != entry) {
            Entry above = heap[(hole - 1) / 2];
            if (hole > 0 && above != null && last.dueNanos < above.dueNanos) {
                up(last, hole);
            } else {
                down(last, hole);
            }
        }
    }

    private void up(Entry entry, int from) {
        int at = from;
        while (at > 0) {
            Entry above = heap[(at - 1) / 2];
            if (above == null || above.dueNanos <= entry.dueNanos) {
                break;
            }
            put(above, at);
            at = (at - 1) / 2;
        }
        put(entry, at);
    }

    private void down(Entry entry, int from) {
        int at = from;
        while (2 * at + 1 < size) {
            int next = 2 * at + 1;
            Entry below = heap[next];
            Entry other = next + 1 < size ? heap[next + 1] : null;
            if (other != null && below != null && other.dueNanos < below.dueNanos) {
                below = other;
                next++;
            }
            if (below == null || below.dueNanos >= entry.dueNanos) {
                break;
            }
            put(below, at);
            at = next;
        }
        put(entry, at);
    }

    private void put(Entry entry, int at) {
        heap[at] = entry;
        entry.at = at;
    }

    /** One task and its place. */
    private static final class Entry implements Loop.Timer {
        private static final int NOWHERE = -1;

        private final Timers timers;
        private final long dueNanos;
        /** Null once it has begun or been cancelled. */
        private @Nullable Runnable task;

        private int at = NOWHERE;

        Entry(Timers timers, Runnable task, long dueNanos) {
            this.timers = timers;
            this.task = task;
            this.dueNanos = dueNanos;
        }

        @Override
        public void cancel() {
            assert timers.eventLoop.inEventLoop();
            task = null;
            if (at != NOWHERE) {
                timers.remove(this);
            }
        }
    }
}
