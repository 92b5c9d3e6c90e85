package org.dunlin.server.admin;

import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.dunlin.core.Broker;
import org.dunlin.core.spi.Store;
import org.dunlin.server.http.Response;
import org.dunlin.server.rest.Endpoint;
import org.dunlin.server.rest.Json;
import org.jspecify.annotations.Nullable;

/** What whoever looks after the process asks, without a token: there is nothing in it but the answer. Workers' threads. */
final class HealthApi {
    static final Set<String> PATHS = Set.of("live", "ready");

    private final Supplier<Operations.Phase> phase;

    HealthApi(Supplier<Operations.Phase> phase) {
        this.phase = phase;
    }

    /**
     * @param status in a few words
     * @param loading how far the start has come; null before and after
     */
    record Health(boolean ok, String status, @Nullable Loading loading) {}

    /**
     * What is read of the store, and then brought back.
     *
     * @param step files (they are brought up to date with their log), reading or restoring
     * @param logBytes of that log
     * @param sessions and shared groups
     * @param restored sessions that can be served
     */
    record Loading(
            String step,
            long logBytes,
            Part sessions,
            Part subscriptions,
            Part queuedMessages,
            Part retainedMessages,
            Part restored) {}

    /** @param about how many there are, which may be too many by what was deleted */
    record Part(long done, long about) {
        static Part of(Store.Part part) {
            return new Part(part.read(), part.about());
        }

        /** "1200 of about 5000 sessions". */
        String words(String what) {
            return done + (about > done ? " of about " + about : "") + " " + what;
        }
    }

    List<Endpoint> endpoints() {
        return List.of(
                open("live", "Says whether the process is alive: 200.", call -> alive()),
                open(
                                "ready",
                                "Says whether clients are served: 200, else 503 with the reason, and while the store is read how far.",
                                call -> ready())
                        .answering(503, Health.class));
    }

    private static Endpoint open(String path, String summary, Endpoint.Plain action) {
        return new Endpoint(
                "GET",
                path,
                null,
                summary,
                List.of(),
                null,
                Health.class,
                call -> CompletableFuture.completedFuture(action.run(call)));
    }

    static Response alive() {
        return Json.response(200, new Health(true, "alive", null));
    }

    private Response ready() {
        Operations.Phase now = phase.get();
        boolean ready = now == Operations.Phase.SERVING;
        return Json.response(ready ? 200 : 503, new Health(ready, now.toString(), null));
    }

    // ---- while the store is read

    /** 503. */
    static Response comingUp(Broker.Starting starting) {
        return Json.response(503, new Health(false, words(starting), loading(starting)));
    }

    private static @Nullable Loading loading(Broker.Starting starting) {
        Store.Opening reading = starting.reading();
        String step = switch (reading.stage()) {
            case NOT_BEGUN -> "";
            case OPENING_FILES -> "files";
            case READING -> "reading";
            case DONE -> "restoring";
        };
        return step.isEmpty()
                ? null
                : new Loading(
                        step,
                        reading.logBytes(),
                        Part.of(reading.owners()),
                        Part.of(reading.subscriptions()),
                        Part.of(reading.queued()),
                        Part.of(reading.retained()),
                        new Part(starting.restored(), starting.toRestore()));
    }

    /** How far it has come. */
    static String words(Broker.Starting starting) {
        Loading loading = loading(starting);
        if (loading == null) {
            return "starting";
        }
        return switch (loading.step()) {
            case "files" ->
                "starting: opening the store, with " + (loading.logBytes() >> 20) + " MB of log to be worked through";
            case "reading" ->
                "starting: reading the store, " + loading.sessions().words("sessions and groups") + ", "
                        + loading.subscriptions().words("subscriptions") + ", "
                        + loading.queuedMessages().words("queued messages") + ", "
                        + loading.retainedMessages().words("retained messages");
            default ->
                "starting: the store has been read"
                        + (starting.toRestore() == 0
                                ? ""
                                : "; " + loading.restored().words("sessions are back"));
        };
    }
}
