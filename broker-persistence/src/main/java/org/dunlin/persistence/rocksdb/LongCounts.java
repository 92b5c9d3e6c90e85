package org.dunlin.persistence.rocksdb;

/**
 * Counts by a number above 0, 12 bytes and some room each: open addressing with linear probing, removal by moving back what
 * follows. One thread at a time.
 */
public final class LongCounts {
    private long[] keys = new long[1024];
    private int[] counts = new int[1024];
    private int size;

    public int size() {
        return size;
    }

    public void add(long key, int count) {
        int at = place(key);
        if (keys[at] == key) {
            counts[at] += count;
            return;
        }
        keys[at] = key;
        counts[at] = count;
        if (++size > keys.length - (keys.length >> 2)) {
            grow();
        }
    }

    /** 0 if there is none. */
    public int count(long key) {
        int at = place(key);
        return keys[at] == key ? counts[at] : 0;
    }

    /** Takes one off and returns what is left; below 0 if there was none. */
    public int release(long key) {
        int at = place(key);
        if (keys[at] != key) {
            return -1;
        }
        int left = --counts[at];
        if (left == 0) {
            remove(at);
        }
        return left;
    }

    public void clear() {
        keys = new long[1024];
        counts = new int[1024];
        size = 0;
    }

    private int place(long key) {
        int mask = keys.length - 1;
        int at = home(key);
        while (keys[at] != 0 && keys[at] != key) {
            at = (at + 1) & mask;
        }
        return at;
    }

    private int home(long key) {
        return (int) ((key * 0x9E3779B97F4A7C15L) >>> 32) & keys.length - 1;
    }

    private void remove(int hole) {
        int mask = keys.length - 1;
        int at = hole;
        while (true) {
            at = (at + 1) & mask;
            if (keys[at] == 0) {
                break;
            }
            int distance = (at - home(keys[at])) & mask;
            if (distance >= ((at - hole) & mask)) {
                keys[hole] = keys[at];
                counts[hole] = counts[at];
                hole = at;
            }
        }
        keys[hole] = 0;
        size--;
    }

    private void grow() {
        long[] oldKeys = keys;
        int[] oldCounts = counts;
        keys = new long[oldKeys.length * 2];
        counts = new int[keys.length];
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldKeys[i] != 0) {
                int at = place(oldKeys[i]);
                keys[at] = oldKeys[i];
                counts[at] = oldCounts[i];
            }
        }
    }
}
