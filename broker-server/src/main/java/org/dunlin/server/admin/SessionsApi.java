package org.dunlin.server.admin;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import org.dunlin.core.Inspection;
import org.dunlin.core.inspect.SessionView;
import org.dunlin.core.inspect.SubscriptionView;
import org.dunlin.mqtt.Connect;
import org.dunlin.server.rest.ApiFault;
import org.dunlin.server.rest.Call;
import org.dunlin.server.rest.Endpoint;
import org.dunlin.server.rest.Json;
import org.jspecify.annotations.Nullable;

/** Clients that are connected, sessions whether or not, and their subscriptions. Workers' threads. */
final class SessionsApi {
    /** Sessions asked about at a time. */
    private static final int CHUNK = 1000;
    /** Sessions that one call looks at: a page may end early, with where to go on. */
    private static final int LOOKED_AT_MOST = 20_000;

    private static final int SUBSCRIPTIONS_SHOWN = 1000;
    private static final List<Endpoint.Parameter> ID =
            List.of(Endpoint.Parameter.path("clientId", "Client identifier; a slash in it as %2F."));

    private final Inspection inspection;
    private final long startedMillis;

    /** @param startedMillis since when the broker has been there, and knows who has left */
    SessionsApi(Inspection inspection, long startedMillis) {
        this.inspection = inspection;
        this.startedMillis = startedMillis;
    }

    /**
     * @param since when it connected or left; null if that was before the start of the broker
     * @param expires null while it is connected, or if it never does
     * @param expirySeconds null for never
     */
    record Row(
            String clientId,
            @Nullable String user,
            String version,
            boolean connected,
            @Nullable String address,
            @Nullable String listener,
            @Nullable String since,
            boolean durable,
            @Nullable Long expirySeconds,
            @Nullable String expires,
            @Nullable String willTopic,
            int subscriptions,
            long queuedMessages,
            long queuedBytes,
            int inflight,
            int receiveMaximum,
            int unfinished,
            int replays) {
        static Row of(SessionView view) {
            return new Row(
                    view.clientId(),
                    view.userName(),
                    view.version().toString(),
                    view.connected(),
                    view.address(),
                    view.listener(),
                    view.sinceMillis() == 0 ? null : time(view.sinceMillis()),
                    view.durable(),
                    view.expirySeconds() >= Connect.NO_EXPIRY ? null : view.expirySeconds(),
                    view.expiresAtMillis() == Long.MAX_VALUE ? null : time(view.expiresAtMillis()),
                    view.willTopic(),
                    view.subscriptions(),
                    view.queuedMessages(),
                    view.queuedBytes(),
                    view.inflight(),
                    view.receiveMaximum(),
                    view.unfinished(),
                    view.replays());
        }

        private static String time(long millis) {
            return Instant.ofEpochMilli(millis).toString();
        }
    }

    /** @param next where to go on; null if this is the end. A page may be short, or empty, and have a next. */
    record Rows(List<Row> items, @Nullable String next) {}

    record Subscription(
            String clientId,
            String filter,
            int qos,
            boolean noLocal,
            boolean retainAsPublished,
            int identifier,
            boolean guarded) {
        static Subscription of(SubscriptionView view) {
            return new Subscription(
                    view.clientId(),
                    view.filter(),
                    view.qos().value(),
                    view.noLocal(),
                    view.retainAsPublished(),
                    view.identifier(),
                    view.guarded());
        }
    }

    /** @param cut clients of which only the first 1000 have been looked at */
    record Subscriptions(List<Subscription> items, @Nullable String next, List<String> cut) {}

    /** Which sessions: all that are said have to be so. */
    record Selection(
            @Nullable String search,
            @Nullable String user,
            @Nullable Boolean connected,
            @Nullable Long awaySeconds,
            @Nullable Long queuedMessages,
            @Nullable Boolean dryRun) {}

    /**
     * @param matched sessions that the selection means
     * @param ended of them; 0 with dryRun
     * @param more whether there may be others: call again
     * @param examples the first of them
     */
    record Ended(int matched, int ended, boolean more, List<String> examples) {}

    List<Endpoint> endpoints() {
        List<Endpoint> all = new ArrayList<>(looking());
        all.addAll(ending());
        return all;
    }

    private List<Endpoint> looking() {
        List<Endpoint.Parameter> filters = new ArrayList<>(Endpoint.PAGE);
        filters.add(Endpoint.Parameter.text("search", "Part of the client identifier, in any case."));
        filters.add(Endpoint.Parameter.text("user", "The user name."));
        filters.add(Endpoint.Parameter.text("address", "Beginning of the client's address."));
        List<Endpoint.Parameter> ofSessions = new ArrayList<>(filters);
        ofSessions.add(Endpoint.Parameter.flag("connected", "Whether the client is there."));
        ofSessions.add(Endpoint.Parameter.text(
                "sort", "queue for the longest queues, age for those longest away; one page, the first 1000."));
        return List.of(
                Endpoint.read(
                        "api/v1/clients",
                        "Lists the clients that are connected, by client identifier.",
                        filters,
                        Rows.class,
                        call -> list(call, true)),
                Endpoint.read(
                        "api/v1/clients/{clientId}", "Shows one client that is connected.", ID, Row.class, this::show),
                Endpoint.read(
                        "api/v1/sessions",
                        "Lists the sessions, by client identifier.",
                        ofSessions,
                        Rows.class,
                        call -> list(call, call.choice("connected"))),
                Endpoint.read("api/v1/sessions/{clientId}", "Shows one session.", ID, Row.class, this::showSession),
                Endpoint.read(
                        "api/v1/sessions/{clientId}/subscriptions",
                        "Lists what one client has subscribed to.",
                        ID,
                        Subscriptions.class,
                        this::subscriptionsOf),
                Endpoint.read(
                        "api/v1/subscriptions",
                        "Lists the subscriptions, client by client; of each the first 1000, and 'cut' names those that have more.",
                        List.of(
                                Endpoint.PAGE.get(0),
                                Endpoint.Parameter.number("limit", "Clients of a page, 1 to 1000; 100 if not said."),
                                Endpoint.Parameter.text("filter", "Part of the topic filter.")),
                        Subscriptions.class,
                        this::subscriptions));
    }

    private List<Endpoint> ending() {
        return List.of(
                Endpoint.change(
                        "POST",
                        "api/v1/clients/{clientId}/disconnect",
                        "Sends a client away with reason 0x98; its session stays as long as it may.",
                        ID,
                        null,
                        Endpoint.Done.class,
                        this::disconnect),
                Endpoint.change(
                        "DELETE",
                        "api/v1/sessions/{clientId}",
                        "Ends a session; what waits in it is lost, and counted.",
                        ID,
                        null,
                        Endpoint.Done.class,
                        this::end),
                Endpoint.change(
                        "POST",
                        "api/v1/sessions/end",
                        "Ends the sessions that a selection means, or with dryRun tells which they are.",
                        List.of(),
                        Selection.class,
                        Ended.class,
                        this::endAll));
    }

    // ---- looking

    private CompletionStage<Rows> list(Call call, @Nullable Boolean connected) throws ApiFault {
        int limit = call.limit();
        String user = call.text("user");
        String address = call.text("address");
        Predicate<SessionView> wanted = view -> (connected == null || view.connected() == connected)
                && (user.isEmpty() || user.equals(view.userName()))
                && (address.isEmpty()
                        || view.address() != null && view.address().startsWith(address));
        Predicate<String> ids = containing(call.text("search"));
        String sort = call.text("sort");
        if (!sort.isEmpty()) {
            Comparator<SessionView> order = order(sort);
            return new Walk(ids, wanted, top(limit, order), Integer.MAX_VALUE)
                    .from("")
                    .thenApply(end -> new Rows(sorted(end.found, order), null));
        }
        Walk walk = new Walk(ids, wanted, new ArrayList<>(), limit);
        return walk.from(call.text("after"))
                .thenApply(end ->
                        new Rows(end.found.stream().limit(limit).map(Row::of).toList(), end.next(limit)));
    }

    private static Predicate<String> containing(String search) {
        String wanted = search.toLowerCase(Locale.ROOT);
        return wanted.isEmpty() ? id -> true : id -> id.toLowerCase(Locale.ROOT).contains(wanted);
    }

    /** Those first that an operator looks for. */
    private static Comparator<SessionView> order(String sort) throws ApiFault {
        return switch (sort) {
            case "queue" ->
                Comparator.comparingLong(SessionView::queuedMessages).reversed();
            case "age" -> Comparator.comparing(SessionView::connected).thenComparingLong(SessionView::sinceMillis);
            default -> throw ApiFault.badRequest("the parameter sort is queue or age");
        };
    }

    private static Collection<SessionView> top(int most, Comparator<SessionView> order) {
        return new PriorityQueue<>(order.reversed()) {
            private static final long serialVersionUID = 1L;

            @Override
            public boolean add(SessionView view) {
                super.add(view);
                if (size() > most) {
                    poll();
                }
                return true;
            }
        };
    }

    private static List<Row> sorted(Collection<SessionView> found, Comparator<SessionView> order) {
        return found.stream().sorted(order).map(Row::of).toList();
    }

    /** One way through the sessions in the order of their identifiers, a chunk at a time. */
    private final class Walk {
        private final Predicate<String> ids;
        private final Predicate<SessionView> wanted;
        private final Collection<SessionView> found;
        private final int enough;
        private int lookedAt;
        /** The last identifier looked at; null if there is none behind it. */
        private @Nullable String last;

        Walk(Predicate<String> ids, Predicate<SessionView> wanted, Collection<SessionView> found, int enough) {
            this.ids = ids;
            this.wanted = wanted;
            this.found = found;
            this.enough = enough;
        }

        CompletionStage<Walk> from(String after) {
            List<String> chunk = inspection.clientIds(after, CHUNK, ids);
            last = chunk.size() < CHUNK ? null : chunk.get(CHUNK - 1);
            lookedAt += chunk.size();
            return inspection.sessions(chunk).thenCompose(views -> {
                for (SessionView view : views) {
                    if (wanted.test(view)) {
                        found.add(view);
                    }
                }
                String next = last;
                if (next == null
                        || found.size() >= enough
                        || lookedAt >= LOOKED_AT_MOST && enough != Integer.MAX_VALUE) {
                    return CompletableFuture.completedFuture(this);
                }
                return fromOnWorker(next);
            });
        }

        /** Not on the loop that has answered last. */
        private CompletionStage<Walk> fromOnWorker(String next) {
            return CompletableFuture.supplyAsync(() -> from(next)).thenCompose(stage -> stage);
        }

        /** Where the page behind the first so many found begins; null if that is the end. */
        @Nullable
        String next(int limit) {
            if (found.size() >= limit) {
                List<SessionView> list = List.copyOf(found);
                return found.size() > limit || last != null
                        ? list.get(limit - 1).clientId()
                        : null;
            }
            return last;
        }
    }

    private CompletionStage<Row> show(Call call) {
        return one(call.variable("clientId"), true);
    }

    private CompletionStage<Row> showSession(Call call) {
        return one(call.variable("clientId"), false);
    }

    private CompletionStage<Row> one(String clientId, boolean connected) {
        return inspection.sessions(List.of(clientId)).thenApply(views -> {
            if (views.isEmpty() || connected && !views.get(0).connected()) {
                throw absent(connected);
            }
            return Row.of(views.get(0));
        });
    }

    private static ApiFault.Later absent(boolean connected) {
        return ApiFault.notFound(
                        connected ? "no client of that identifier is connected" : "there is no session of that client")
                .later();
    }

    private CompletionStage<Subscriptions> subscriptionsOf(Call call) {
        String clientId = call.variable("clientId");
        return inspection.sessions(List.of(clientId)).thenCompose(views -> {
            if (views.isEmpty()) {
                throw absent(false);
            }
            return inspection
                    .subscriptions(List.of(clientId), Integer.MAX_VALUE)
                    .thenApply(all -> new Subscriptions(
                            all.getOrDefault(clientId, List.of()).stream()
                                    .map(Subscription::of)
                                    .toList(),
                            null,
                            List.of()));
        });
    }

    private CompletionStage<Subscriptions> subscriptions(Call call) throws ApiFault {
        int limit = call.limit();
        String part = call.text("filter");
        List<String> ids = inspection.clientIds(call.text("after"), limit, id -> true);
        String next = ids.size() < limit ? null : ids.get(limit - 1);
        return inspection.subscriptions(ids, SUBSCRIPTIONS_SHOWN + 1).thenApply(all -> shown(all, part, next));
    }

    private static Subscriptions shown(Map<String, List<SubscriptionView>> all, String part, @Nullable String next) {
        List<Subscription> items = new ArrayList<>();
        List<String> cut = new ArrayList<>();
        all.forEach((clientId, views) -> {
            views.stream()
                    .limit(SUBSCRIPTIONS_SHOWN)
                    .filter(each -> each.filter().contains(part))
                    .map(Subscription::of)
                    .forEach(items::add);
            if (views.size() > SUBSCRIPTIONS_SHOWN) {
                cut.add(clientId);
            }
        });
        return new Subscriptions(items, next, cut);
    }

    // ---- ending

    private CompletionStage<Endpoint.Done> disconnect(Call call) {
        String clientId = call.variable("clientId");
        return inspection
                .disconnect(clientId, "an operator has sent the client away")
                .thenApply(done -> {
                    if (!done) {
                        throw absent(true);
                    }
                    return new Endpoint.Done("sent " + clientId + " away");
                });
    }

    private CompletionStage<Endpoint.Done> end(Call call) {
        String clientId = call.variable("clientId");
        return inspection.end(clientId).thenApply(done -> {
            if (!done) {
                throw absent(false);
            }
            return new Endpoint.Done("ended the session of " + clientId);
        });
    }

    private CompletionStage<Ended> endAll(Call call) throws ApiFault {
        Selection selection = call.body(Selection.class);
        boolean dry = Boolean.TRUE.equals(selection.dryRun());
        if (selection.search() == null
                && selection.user() == null
                && selection.connected() == null
                && selection.awaySeconds() == null
                && selection.queuedMessages() == null) {
            throw ApiFault.badRequest("say which sessions: search, user, connected, awaySeconds or queuedMessages");
        }
        if (selection.search() != null && selection.search().isEmpty()) {
            throw ApiFault.badRequest("search is empty, which would mean every session; leave it out, or say a part");
        }
        if (isNegative(selection.awaySeconds()) || isNegative(selection.queuedMessages())) {
            throw ApiFault.badRequest("awaySeconds and queuedMessages are 0 or more");
        }
        call.about(Json.text(selection));
        long now = System.currentTimeMillis();
        Walk walk = new Walk(
                containing(selection.search() == null ? "" : selection.search()),
                view -> isMeant(selection, view, now),
                new ArrayList<>(),
                Call.LIMIT_MAX);
        return walk.from("").thenCompose(end -> {
            List<String> ids = end.found.stream()
                    .map(SessionView::clientId)
                    .limit(Call.LIMIT_MAX)
                    .toList();
            boolean more = end.next(Call.LIMIT_MAX) != null;
            List<String> examples = ids.stream().limit(20).toList();
            if (dry) {
                return CompletableFuture.completedFuture(new Ended(ids.size(), 0, more, examples));
            }
            List<CompletableFuture<Boolean>> ended = new ArrayList<>();
            ids.forEach(id -> ended.add(inspection.end(id).toCompletableFuture()));
            return CompletableFuture.allOf(ended.toArray(CompletableFuture[]::new))
                    .thenApply(done -> new Ended(
                            ids.size(),
                            (int) ended.stream().filter(CompletableFuture::join).count(),
                            more,
                            examples));
        });
    }

    /** Who left before the start has been away since then at least: more is not known, so no more is claimed. */
    private long leftMillis(SessionView view) {
        return view.sinceMillis() == 0 ? startedMillis : view.sinceMillis();
    }

    private static boolean isNegative(@Nullable Long number) {
        return number != null && number < 0;
    }

    private boolean isMeant(Selection selection, SessionView view, long now) {
        Long away = selection.awaySeconds();
        Long queued = selection.queuedMessages();
        return (selection.user() == null || selection.user().equals(view.userName()))
                && (selection.connected() == null || selection.connected() == view.connected())
                && (away == null || !view.connected() && (now - leftMillis(view)) / 1000 >= away)
                && (queued == null || view.queuedMessages() >= queued);
    }
}
