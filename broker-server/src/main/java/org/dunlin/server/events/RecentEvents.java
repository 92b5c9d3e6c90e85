package org.dunlin.server.events;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The last of what has happened to clients. Any thread; loops write while others read, and neither waits for the other. In memory
 * alone. What goes wrong has a place of its own, so that many that come and go do not wash it away, nor the other way round.
 */
public final class RecentEvents {
    private static final int KEPT_OF_EACH = 4096;
    private static final int TEXT_MOST = 512;

    private final Ring troubles;
    private final Ring comings;
    private final LongSupplier wallMillis;
    private final AtomicLong last = new AtomicLong();

    public RecentEvents() {
        this(KEPT_OF_EACH, System::currentTimeMillis);
    }

    RecentEvents(int keptOfEach, LongSupplier wallMillis) {
        this.troubles = new Ring(keptOfEach);
        this.comings = new Ring(keptOfEach);
        this.wallMillis = wallMillis;
    }

    /** What has happened. */
    public enum Kind {
        CONNECTED(false),
        DISCONNECTED(false),
        /** A connection that never came to be accepted. */
        REFUSED(true),
        /** A PUBLISH or a filter of a SUBSCRIBE. */
        DENIED(true),
        BANNED(true),
        /** Two clients take each other's place. */
        CONTESTED(true);

        private final boolean trouble;

        Kind(boolean trouble) {
            this.trouble = trouble;
        }

        public boolean isTrouble() {
            return trouble;
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * One thing that has happened; texts are the client's, cut if they are long.
     *
     * @param number rises with time
     * @param atMillis time of day
     * @param reason by its name, or ""
     */
    public record Event(
            long number,
            long atMillis,
            Kind kind,
            @Nullable String clientId,
            @Nullable String user,
            String address,
            String listener,
            String reason,
            String detail) {}

    void add(
            Kind kind,
            @Nullable String clientId,
            @Nullable String user,
            String address,
            String listener,
            String reason,
            String detail) {
        (kind.isTrouble() ? troubles : comings)
                .add(new Event(
                        last.incrementAndGet(),
                        wallMillis.getAsLong(),
                        kind,
                        clientId == null ? null : cut(clientId),
                        user,
                        address,
                        listener,
                        reason,
                        cut(detail)));
    }

    private static String cut(String text) {
        return text.length() <= TEXT_MOST ? text : text.substring(0, TEXT_MOST) + "…";
    }

    /** What went wrong lately, newest first. */
    public List<Event> troubles(int max, Predicate<Event> wanted) {
        List<Event> found = new ArrayList<>();
        troubles.collect(found, wanted);
        return newest(found, max);
    }

    /** What has happened to one client lately, newest first. */
    public List<Event> of(String clientId, int max) {
        String name = cut(clientId);
        List<Event> found = new ArrayList<>();
        troubles.collect(found, event -> name.equals(event.clientId()));
        comings.collect(found, event -> name.equals(event.clientId()));
        return newest(found, max);
    }

    private static List<Event> newest(List<Event> found, int max) {
        found.sort((a, b) -> Long.compare(b.number(), a.number()));
        return List.copyOf(found.subList(0, Math.min(max, found.size())));
    }

    /** The last so many; a writer that is held up may lose its own to a later one. */
    private static final class Ring {
        private final AtomicReferenceArray<@Nullable Event> events;
        private final AtomicLong next = new AtomicLong();

        Ring(int kept) {
            events = new AtomicReferenceArray<>(kept);
        }

        void add(Event event) {
            events.set((int) (next.getAndIncrement() % events.length()), event);
        }

        void collect(List<Event> found, Predicate<Event> wanted) {
            for (int i = 0; i < events.length(); i++) {
                Event event = events.get(i);
                if (event != null && wanted.test(event)) {
                    found.add(event);
                }
            }
        }
    }
}
