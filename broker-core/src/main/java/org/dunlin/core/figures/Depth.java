package org.dunlin.core.figures;

/** What waits in the queues of one shard's sessions, or of its shared groups. The shard's thread counts, any thread reads. */
public final class Depth {
    private final Tally inMemory = new Tally();
    private final Tally bytesInMemory = new Tally();
    private final Tally stored = new Tally();
    private final Tally bytesStored = new Tally();
    private final Tally nearlyFull = new Tally();

    /** Nothing waits. */
    public Depth() {}

    /** So many more, or fewer, are in the heap. */
    public void inMemory(long messages, long bytes) {
        inMemory.add(messages);
        bytesInMemory.add(bytes);
    }

    /** So many more, or fewer, are with the store alone. */
    public void stored(long messages, long bytes) {
        stored.add(messages);
        bytesStored.add(bytes);
    }

    /** A queue has become nearly full, or is not any more. */
    public void nearlyFull(boolean isNow) {
        nearlyFull.add(isNow ? 1 : -1);
    }

    /** Any thread. */
    public Reading read() {
        return new Reading(inMemory.get(), bytesInMemory.get(), stored.get(), bytesStored.get(), nearlyFull.get());
    }

    /**
     * What waited at a moment.
     *
     * @param nearlyFull queues that have four fifths of the messages or bytes that they may have
     */
    public record Reading(long inMemory, long bytesInMemory, long stored, long bytesStored, long nearlyFull) {
        static final Reading NONE = new Reading(0, 0, 0, 0, 0);

        Reading plus(Reading other) {
            return new Reading(
                    inMemory + other.inMemory,
                    bytesInMemory + other.bytesInMemory,
                    stored + other.stored,
                    bytesStored + other.bytesStored,
                    nearlyFull + other.nearlyFull);
        }

        public long messages() {
            return inMemory + stored;
        }

        public long bytes() {
            return bytesInMemory + bytesStored;
        }
    }
}
