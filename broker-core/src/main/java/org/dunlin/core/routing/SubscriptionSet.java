package org.dunlin.core.routing;

import java.util.AbstractCollection;
import java.util.Arrays;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * The subscriptions of one receiver, each filter once. Shard thread only.
 *
 * <p>Nearly all have one, which is held without anything around it; up to {@value #PLAIN_MAX} are compared one by one, more
 * are found by a hash of the filter's text. That hash is this process's own, so that nobody can choose filters whose hashes
 * are equal.
 */
public final class SubscriptionSet extends AbstractCollection<Subscription> {
    /** Of those that have not had any. Nothing is put into it. */
    public static final SubscriptionSet NONE = new SubscriptionSet();

    static final int PLAIN_MAX = 16;

    private static final long SEED = ThreadLocalRandom.current().nextLong();
    private static final long FACTOR = ThreadLocalRandom.current().nextLong() | 1;

    /**
     * The {@link Subscription} if there is only one; else an array of them: the first {@link #size} places up to
     * {@value #PLAIN_MAX}, beyond that open addressing with linear probing in a power of two.
     */
    private @Nullable Object held;

    private int size;

    /** Of nobody yet. */
    public SubscriptionSet() {}

    @Override
    public int size() {
        return size;
    }

    /** The one with this text, or null. */
    public @Nullable Subscription of(String filter) {
        if (held instanceof Subscription one) {
            return is(one, filter) ? one : null;
        }
        if (held == null) {
            return null;
        }
        @Nullable Subscription[] table = table();
        int at = at(table, filter);
        return at < table.length ? table[at] : null;
    }

    /** @return the former one of the same filter, or null */
    public @Nullable Subscription put(Subscription subscription) {
        String filter = subscription.filter().text();
        if (held == null || held instanceof Subscription one && is(one, filter)) {
            Subscription former = (Subscription) held;
            held = subscription;
            size = 1;
            return former;
        }
        @Nullable Subscription[] table = room();
        int at = at(table, filter);
        Subscription former = table[at];
        table[at] = subscription;
        if (former == null) {
            size++;
        }
        return former;
    }

    /** @return what was there, or null */
    public @Nullable Subscription remove(String filter) {
        if (held instanceof Subscription one) {
            if (!is(one, filter)) {
                return null;
            }
            clear();
            return one;
        }
        if (held == null) {
            return null;
        }
        @Nullable Subscription[] table = table();
        int at = at(table, filter);
        Subscription former = at < table.length ? table[at] : null;
        if (former == null) {
            return null;
        }
        size--;
        if (table.length <= PLAIN_MAX) {
            table[at] = table[size];
            table[size] = null;
            if (size == 1) {
                held = table[0];
            }
        } else {
            close(table, at);
            if (size == PLAIN_MAX || size < table.length / 8) {
                held = copied(table, size == PLAIN_MAX ? PLAIN_MAX : table.length / 2);
            }
        }
        return former;
    }

    @Override
    public void clear() {
        held = null;
        size = 0;
    }

    /** Fails after the last one; not to be used once something has come or gone. */
    @Override
    public Iterator<Subscription> iterator() {
        @Nullable
        Subscription[] all = held instanceof Subscription one
                ? new Subscription[] {one}
                : held == null ? new Subscription[0] : table();
        return new Iterator<>() {
            private int at = next(0);

            private int next(int from) {
                int i = from;
                while (i < all.length && all[i] == null) {
                    i++;
                }
                return i;
            }

            @Override
            public boolean hasNext() {
                return at < all.length;
            }

            @Override
            public Subscription next() {
                Subscription found = at < all.length ? all[at] : null;
                if (found == null) {
                    throw new NoSuchElementException();
                }
                at = next(at + 1);
                return found;
            }
        };
    }

    private @Nullable Subscription[] table() {
        if (held instanceof @Nullable Subscription[] table) {
            return table;
        }
        throw new AssertionError("Not an array: " + held);
    }

    /** A table with room for one more. */
    private @Nullable Subscription[] room() {
        if (held instanceof Subscription one) {
            @Nullable Subscription[] first = {one, null};
            held = first;
            return first;
        }
        @Nullable Subscription[] table = table();
        if (size == PLAIN_MAX && table.length == PLAIN_MAX) {
            held = copied(table, PLAIN_MAX * 4);
        } else if (table.length < PLAIN_MAX && size == table.length) {
            held = Arrays.copyOf(table, Math.min(size + 2, PLAIN_MAX));
        } else if (table.length > PLAIN_MAX && size >= table.length / 4 * 3) {
            held = copied(table, table.length * 2);
        }
        return table();
    }

    private static @Nullable Subscription[] copied(@Nullable Subscription[] from, int length) {
        @Nullable Subscription[] to = new Subscription[length];
        for (Subscription each : from) {
            if (each != null) {
                to[at(to, each.filter().text())] = each;
            }
        }
        return to;
    }

    /** Where the filter is, or where it would be: a free place, or the length of a full table. */
    private static int at(@Nullable Subscription[] table, String filter) {
        boolean plain = table.length <= PLAIN_MAX;
        int mask = table.length - 1;
        int at = plain ? 0 : hash(filter) & mask;
        while (at < table.length) {
            Subscription there = table[at];
            if (there == null || is(there, filter)) {
                break;
            }
            at = plain ? at + 1 : at + 1 & mask;
        }
        return at;
    }

    /** Frees a place, and moves what probing would not find any more. */
    private static void close(@Nullable Subscription[] table, int free) {
        int mask = table.length - 1;
        int gap = free;
        for (int at = gap + 1 & mask; ; at = at + 1 & mask) {
            Subscription there = table[at];
            if (there == null) {
                break;
            }
            int home = hash(there.filter().text()) & mask;
            if ((at - home & mask) >= (at - gap & mask)) {
                table[gap] = there;
                gap = at;
            }
        }
        table[gap] = null;
    }

    private static boolean is(Subscription subscription, String filter) {
        return subscription.filter().text().equals(filter);
    }

    private static int hash(String text) {
        long hash = SEED;
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * FACTOR;
            hash ^= hash >>> 29;
        }
        return (int) (hash ^ hash >>> 32);
    }
}
