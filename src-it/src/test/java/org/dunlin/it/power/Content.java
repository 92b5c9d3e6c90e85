package org.dunlin.it.power;

import java.util.Arrays;
import java.util.Random;

/** Bytes of a file, which grow. One thread. */
final class Content {
    private byte[] bytes;
    private int size;

    Content(byte[] bytes) {
        this.bytes = bytes.clone();
        size = bytes.length;
    }

    int size() {
        return size;
    }

    byte[] toArray() {
        return Arrays.copyOf(bytes, size);
    }

    /** Puts the first bytes of an array at a place; a gap before it is zeros. */
    void write(int at, byte[] from, int length) {
        if (length > 0) {
            grow(at + length);
            System.arraycopy(from, 0, bytes, at, length);
        }
    }

    void grow(int to) {
        if (to > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(to, Math.multiplyExact(bytes.length, 2)));
        }
        size = Math.max(size, to);
    }

    void truncate(int to) {
        if (to < size) {
            Arrays.fill(bytes, to, size, (byte) 0);
            size = to;
        } else {
            grow(to);
        }
    }

    void zero(int from, int to) {
        Arrays.fill(bytes, from, to, (byte) 0);
    }

    void garbage(int from, int to, Random random) {
        byte[] garbage = new byte[to - from];
        random.nextBytes(garbage);
        write(from, garbage, garbage.length);
    }
}
