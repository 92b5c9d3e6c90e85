package org.dunlin.core.routing;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The subscriptions that one shard has under one pattern. Shard thread only, except {@link #owed()} and {@link #size()},
 * which any thread may ask: another one learns about how many there are.
 *
 * <p>An entry is known by its receiver (the object) and its filter, so that a subscription whose options were replaced since
 * is still found. Adding and removing cost the same whatever the size: removal moves the last entry into the gap, and from
 * {@value #INDEXED_FROM} entries on a hash index says where an entry is. Read by index while nothing is added or removed.
 */
public final class Receivers {
    static final int INDEXED_FROM = 32;

    private final int shard;
    /** The {@link Subscription} if there is only one, as for nearly every pattern; else {@link Several}; null if none. */
    private @Nullable Object held;

    private volatile int durable; // written by the shard's thread only

    Receivers(int shard, Subscription first) {
        this.shard = shard;
        this.held = first;
        this.durable = first.receiver().durable() ? 1 : 0;
    }

    /** At least 1 as long as a route hands it out. */
    public int size() {
        return held instanceof Several several ? several.size : held == null ? 0 : 1;
    }

    /** @param i from 0 to {@link #size()} - 1; in no particular order */
    public Subscription get(int i) {
        assert i < size() : i;
        return held instanceof Several several ? several.entries[i] : only();
    }

    /** Whether at least one receiver is durable, that is whether the store may owe something to this shard. Any thread. */
    public boolean owed() {
        return durable > 0;
    }

    /** The subscription of one receiver, or null if it has none. */
    public @Nullable Subscription of(Receiver receiver) {
        if (held instanceof Several several) {
            return several.of(receiver);
        }
        return held instanceof Subscription one && one.receiver() == receiver ? one : null;
    }

    int shard() {
        return shard;
    }

    void add(Subscription s) {
        if (has(s)) {
            throw new IllegalStateException("Receiver is subscribed to '" + s.filter() + "' already: replace it");
        }
        if (held == null) {
            held = s;
        } else if (held instanceof Several several) {
            several.add(s);
        } else {
            held = new Several(only(), s);
        }
        countDurable(s.receiver().durable() ? 1 : 0);
    }

    void replace(Subscription old, Subscription now) {
        if (!has(old)) {
            throw new IllegalStateException("Receiver is not subscribed to '" + old.filter() + "': add it");
        }
        boolean sameKey = same(old, now);
        if (!sameKey && has(now)) {
            throw new IllegalStateException("Receiver is subscribed to '" + now.filter() + "' already");
        }
        if (held instanceof Several several) {
            several.replace(old, now, sameKey);
        } else {
            held = now;
        }
        countDurable((now.receiver().durable() ? 1 : 0) - (old.receiver().durable() ? 1 : 0));
    }

    /** @return whether it was there */
    boolean remove(Subscription s) {
        if (held instanceof Several several) {
            int at = several.find(s);
            if (at < 0) {
                return false;
            }
            several.remove(at);
            if (several.size == 1) {
                held = several.entries[0];
            }
        } else if (has(s)) {
            held = null;
        } else {
            return false;
        }
        countDurable(s.receiver().durable() ? -1 : 0);
        return true;
    }

    private boolean has(Subscription s) {
        if (held instanceof Several several) {
            return several.find(s) >= 0;
        }
        return held instanceof Subscription one && same(one, s);
    }

    private Subscription only() {
        if (held instanceof Subscription one) {
            return one;
        }
        throw new AssertionError("Nobody is left");
    }

    private void countDurable(int change) {
        if (change != 0) {
            int count = durable + change;
            durable = count;
        }
    }

    private static boolean same(Subscription a, Subscription b) {
        return a.receiver() == b.receiver() && a.filter().equals(b.filter());
    }

    /** Two or more. */
    private static final class Several {
        private Subscription[] entries;
        private int size = 2;
        /** Open addressing with linear probing: hash in the upper half, position + 1 in the lower; 0 is free. */
        private long @Nullable [] index;

        Several(Subscription first, Subscription second) {
            this.entries = new Subscription[] {first, second};
        }

        @Nullable
        Subscription of(Receiver receiver) {
            if (index == null) {
                for (int i = 0; i < size; i++) {
                    if (entries[i].receiver() == receiver) {
                        return entries[i];
                    }
                }
                return null;
            }
            long hash = hash(receiver);
            int mask = index.length - 1;
            for (int slot = home(hash, mask); index[slot] != 0; slot = slot + 1 & mask) {
                Subscription found = entries[(int) index[slot] - 1];
                if ((index[slot] ^ hash) >>> 32 == 0 && found.receiver() == receiver) {
                    return found;
                }
            }
            return null;
        }

        void add(Subscription s) {
            if (size == entries.length) {
                entries = Arrays.copyOf(entries, size < 4 ? size + 1 : size * 2);
            }
            entries[size++] = s;
            if (index != null && size * 2 <= index.length) {
                enter(index, hash(s.receiver()), size - 1);
            } else if (size >= INDEXED_FROM) {
                reindex();
            }
        }

        void replace(Subscription old, Subscription now, boolean sameKey) {
            int at = find(old);
            if (!sameKey && index != null) {
                leave(index, slotOf(index, hash(old.receiver()), at));
                enter(index, hash(now.receiver()), at);
            }
            entries[at] = now;
        }

        void remove(int at) {
            int last = size - 1;
            if (index != null) {
                leave(index, slotOf(index, hash(entries[at].receiver()), at));
                if (at != last) {
                    long hash = hash(entries[last].receiver());
                    index[slotOf(index, hash, last)] = hash | at + 1;
                }
            }
            entries[at] = entries[last];
            entries = cleared(entries, last);
            size = last;
            if (index != null && size < INDEXED_FROM / 2) {
                index = null;
            } else if (index != null && size * 16 < index.length) {
                reindex();
            }
        }

        /** Without the last entry, and in half the room once three quarters are unused. */
        @SuppressWarnings("NullAway") // beyond size there is nothing
        private static Subscription[] cleared(Subscription[] entries, int last) {
            entries[last] = null;
            return entries.length > 8 && last < entries.length / 4
                    ? Arrays.copyOf(entries, entries.length / 2)
                    : entries;
        }

        int find(Subscription s) {
            if (index == null) {
                for (int i = 0; i < size; i++) {
                    if (same(entries[i], s)) {
                        return i;
                    }
                }
                return -1;
            }
            long hash = hash(s.receiver());
            int mask = index.length - 1;
            for (int slot = home(hash, mask); index[slot] != 0; slot = slot + 1 & mask) {
                int at = (int) index[slot] - 1;
                if ((index[slot] ^ hash) >>> 32 == 0 && same(entries[at], s)) {
                    return at;
                }
            }
            return -1;
        }

        private void reindex() {
            long[] larger = new long[Math.max(64, Integer.highestOneBit(size) * 4)];
            if (index == null) {
                for (int i = 0; i < size; i++) {
                    enter(larger, hash(entries[i].receiver()), i);
                }
            } else { // the hashes are in the index, so that no receiver has to be touched
                int known = 0;
                for (long entry : index) {
                    if (entry != 0) {
                        enter(larger, entry & -1L << 32, (int) entry - 1);
                        known++;
                    }
                }
                if (known < size) { // the newest, for which there was no room
                    enter(larger, hash(entries[size - 1].receiver()), size - 1);
                }
            }
            index = larger;
        }

        /** Of the receiver alone: under one pattern a receiver has one filter, except for a group of the same name. */
        private static long hash(Receiver receiver) {
            int mixed = System.identityHashCode(receiver) * 0x9E3779B9;
            return (long) mixed << 32;
        }

        private static int home(long hash, int mask) {
            int h = (int) (hash >>> 32);
            return (h ^ h >>> 16) & mask;
        }

        private static void enter(long[] index, long hash, int at) {
            int mask = index.length - 1;
            int slot = home(hash, mask);
            while (index[slot] != 0) {
                slot = slot + 1 & mask;
            }
            index[slot] = hash | at + 1;
        }

        private static int slotOf(long[] index, long hash, int at) {
            int mask = index.length - 1;
            int slot = home(hash, mask);
            while ((int) index[slot] != at + 1) {
                slot = slot + 1 & mask;
            }
            return slot;
        }

        /** Frees the slot and closes the gap, so that no probe ends too early. */
        private static void leave(long[] index, int gap) {
            int mask = index.length - 1;
            for (int slot = gap + 1 & mask; index[slot] != 0; slot = slot + 1 & mask) {
                int distance = slot - home(index[slot], mask) & mask;
                if (distance >= (slot - gap & mask)) {
                    index[gap] = index[slot];
                    gap = slot;
                }
            }
            index[gap] = 0;
        }
    }
}
