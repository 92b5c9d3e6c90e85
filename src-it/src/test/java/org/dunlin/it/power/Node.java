package org.dunlin.it.power;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A file or directory as programs see it, as it is on disk for certain, and the changes in between. The n-th change is on disk
 * if a sync that began behind it has ended; else a power cut may leave it, or not. One thread.
 */
abstract sealed class Node {
    private long changes;
    private long synced;

    /** Counts a change. */
    final void changed() {
        changes++;
    }

    /** What a sync that begins now will have brought to disk when it ends. */
    final long changes() {
        return changes;
    }

    /** All changes up to that number are on disk. */
    final void synced(long through) {
        for (; synced < through; synced++) {
            keepNext();
        }
    }

    /** The oldest change that was not on disk is. */
    abstract void keepNext();

    /**
     * The power fails: of what is not on disk, some is kept by chance, and the rest is gone.
     *
     * @param chance null if nothing is kept
     */
    final void cut(@Nullable Random chance, Loss loss) {
        if (chance != null) {
            synced(synced + someOf(changes - synced, chance));
        }
        cutRest(chance, loss);
        synced = changes;
    }

    abstract void cutRest(@Nullable Random chance, Loss loss);

    private static long someOf(long count, Random random) {
        return switch (random.nextInt(3)) {
            case 0 -> 0;
            case 1 -> count;
            default -> random.nextInt((int) count + 1);
        };
    }

    /** What power cuts have cost that had not been synced. */
    static final class Loss {
        long writes;
        long names;
        long torn;
    }

    /** A file. */
    static final class File extends Node {
        /** A disk writes one of these wholly or not at all, where it overwrites; a page of the system's cache has 4096 bytes. */
        private static final int SECTOR = 512;

        private static final int PAGE = 4096;

        /** @param bytes null if it is a new size, which shrinks the file only if it says so */
        private record Change(int at, byte @Nullable [] bytes, boolean shrinks) {}

        private final List<Change> pending = new ArrayList<>();
        private Content now;
        private final Content kept;

        File(byte[] bytes) {
            now = new Content(bytes);
            kept = new Content(bytes);
        }

        byte[] now() {
            return now.toArray();
        }

        void write(long at, byte[] bytes) {
            add(new Change(Math.toIntExact(at), bytes, false));
        }

        void truncate(long size) {
            add(new Change(Math.toIntExact(size), null, true));
        }

        void grow(long size) {
            add(new Change(Math.toIntExact(size), null, false));
        }

        private void add(Change change) {
            apply(now, change);
            pending.add(change);
            changed();
        }

        private static void apply(Content content, Change change) {
            byte[] bytes = change.bytes;
            if (bytes != null) {
                content.write(change.at, bytes, bytes.length);
            } else if (change.shrinks) {
                content.truncate(change.at);
            } else {
                content.grow(change.at);
            }
        }

        private int done;

        @Override
        void keepNext() {
            apply(kept, pending.get(done++));
            if (done > 1000) {
                pending.subList(0, done).clear();
                done = 0;
            }
        }

        @Override
        void cutRest(@Nullable Random chance, Loss loss) {
            loss.writes += pending.size() - done;
            if (done < pending.size() && chance != null) {
                leaveTraces(pending.get(done), chance, loss);
            }
            pending.clear();
            done = 0;
            now = new Content(kept.toArray());
        }

        /** Of the first change that is lost a part may be there. */
        private void leaveTraces(Change change, Random random, Loss loss) {
            int before = kept.size();
            tear(change, random);
            if (kept.size() > before && random.nextInt(4) == 0) { // pages reach the disk in any order
                int from = Math.max(before, (before + random.nextInt(kept.size() - before)) / PAGE * PAGE);
                kept.zero(from, Math.min(kept.size(), (from / PAGE + 1) * PAGE));
                loss.torn++;
            }
            int room = Math.min(SECTOR * (1 + random.nextInt(PAGE / SECTOR)), now.size() - kept.size());
            if (room > 0 && random.nextInt(3) == 0) { // the size is on disk and the bytes are not
                tail(room, random);
                loss.torn++;
            }
        }

        /** Does a part of a change: appending may stop anywhere, overwriting at a sector's border. */
        private void tear(Change change, Random random) {
            byte[] bytes = change.bytes;
            if (bytes == null) {
                return;
            }
            int length = random.nextInt(bytes.length + 1);
            if (change.at < kept.size()) {
                length = Math.max(0, (change.at + length) / SECTOR * SECTOR - change.at);
            }
            kept.write(change.at, bytes, length);
        }

        private void tail(int room, Random random) {
            int end = kept.size();
            if (random.nextBoolean()) {
                kept.grow(end + room);
            } else {
                kept.garbage(end, end + room, random);
            }
        }
    }

    /** A directory. A file's own sync says nothing of its name. */
    static final class Directory extends Node {
        /** A name that comes, one that goes in the same moment, or one of both. */
        private record Change(
                @Nullable String added,
                @Nullable Node node,
                Directory from,
                @Nullable String removed) {}

        private final List<Change> pending = new ArrayList<>();
        private final Map<String, Node> now = new HashMap<>();
        private final Map<String, Node> kept = new HashMap<>();

        Map<String, Node> now() {
            return now;
        }

        void add(String name, Node node) {
            add(new Change(name, node, this, null));
        }

        void remove(String name) {
            add(new Change(null, null, this, name));
        }

        /** A rename belongs to the directory it goes to: no journal of a file system forgets one half of it. */
        void move(Directory from, String name, String to) {
            add(new Change(to, from.now.get(name), from, name));
        }

        private void add(Change change) {
            if (change.removed != null) {
                change.from.now.remove(change.removed);
            }
            if (change.added != null && change.node != null) {
                now.put(change.added, change.node);
            }
            pending.add(change);
            changed();
        }

        @Override
        void keepNext() {
            Change change = pending.remove(0);
            if (change.removed != null) {
                change.from.kept.remove(change.removed);
            }
            if (change.added != null && change.node != null) {
                kept.put(change.added, change.node);
            }
        }

        @Override
        void cutRest(@Nullable Random chance, Loss loss) {
            loss.names += pending.size();
            pending.clear();
            now.clear();
            now.putAll(kept);
            for (Node node : kept.values()) {
                node.cut(chance, loss);
            }
        }
    }
}
