package org.dunlin.core.figures;

/** What one shard counts of its own. Its thread counts, any thread reads. */
public final class ShardFigures {
    private final Depth sessions = new Depth();
    private final Depth groups = new Depth();
    private final Tally inflight = new Tally();
    private final Tally subscriptions = new Tally();

    /** All at 0. */
    public ShardFigures() {}

    /** Queues of sessions. */
    public Depth sessions() {
        return sessions;
    }

    /** Queues of shared groups. */
    public Depth groups() {
        return groups;
    }

    /** QoS 1 and 2 flows to clients that are not completed. */
    public Tally inflight() {
        return inflight;
    }

    /** Of all sessions, each of its filters counted. */
    public Tally subscriptions() {
        return subscriptions;
    }

    /** Any thread. */
    public Reading read() {
        return new Reading(sessions.read(), groups.read(), inflight.get(), subscriptions.get());
    }

    /** What was there at a moment. */
    public record Reading(Depth.Reading sessions, Depth.Reading groups, long inflight, long subscriptions) {
        public static final Reading NONE = new Reading(Depth.Reading.NONE, Depth.Reading.NONE, 0, 0);

        public Reading plus(Reading other) {
            return new Reading(
                    sessions.plus(other.sessions),
                    groups.plus(other.groups),
                    inflight + other.inflight,
                    subscriptions + other.subscriptions);
        }
    }
}
