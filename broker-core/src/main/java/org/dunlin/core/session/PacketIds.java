package org.dunlin.core.session;

/** A small set of packet identifiers, 1 to 65,535, that grows with its content and not with their values. Single thread. */
final class PacketIds {
    private int[] slots = new int[8];
    private int size;

    int size() {
        return size;
    }

    boolean contains(int id) {
        for (int i = id & slots.length - 1; slots[i] != 0; i = i + 1 & slots.length - 1) {
            if (slots[i] == id) {
                return true;
            }
        }
        return false;
    }

    /** @return false if it was there already */
    boolean add(int id) {
        assert id > 0 && id <= 0xFFFF;
        if (contains(id)) {
            return false;
        }
        if ((size + 1) * 2 > slots.length) {
            int[] old = slots;
            slots = new int[old.length * 2];
            for (int other : old) {
                if (other != 0) {
                    put(other);
                }
            }
        }
        put(id);
        size++;
        return true;
    }

    private void put(int id) {
        int i = id & slots.length - 1;
        while (slots[i] != 0) {
            i = i + 1 & slots.length - 1;
        }
        slots[i] = id;
    }

    /** @return false if it was not there */
    boolean remove(int id) {
        int mask = slots.length - 1;
        int hole = id & mask;
        while (slots[hole] != id) {
            if (slots[hole] == 0) {
                return false;
            }
            hole = hole + 1 & mask;
        }
        // close the gap, so that what was pushed past it is still found
        for (int i = hole + 1 & mask; slots[i] != 0; i = i + 1 & mask) {
            int home = slots[i] & mask;
            if ((i - home & mask) >= (i - hole & mask)) {
                slots[hole] = slots[i];
                hole = i;
            }
        }
        slots[hole] = 0;
        size--;
        return true;
    }
}
