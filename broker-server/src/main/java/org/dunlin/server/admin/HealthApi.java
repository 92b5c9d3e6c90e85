package org.dunlin.server.admin;

import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.dunlin.server.http.Response;
import org.dunlin.server.rest.Endpoint;
import org.dunlin.server.rest.Json;

/** What whoever looks after the process asks, without a token: there is nothing in it but the answer. Workers' threads. */
final class HealthApi {
    static final Set<String> PATHS = Set.of("live", "ready");

    private final Supplier<Operations.Phase> phase;

    HealthApi(Supplier<Operations.Phase> phase) {
        this.phase = phase;
    }

    /** @param status in a few words */
    record Health(boolean ok, String status) {}

    List<Endpoint> endpoints() {
        return List.of(
                open(
                        "live",
                        "Says whether the process is alive: 200.",
                        call -> Json.response(200, new Health(true, "alive"))),
                open("ready", "Says whether clients are served: 200, else 503 with the reason.", call -> ready()));
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

    private Response ready() {
        Operations.Phase now = phase.get();
        boolean ready = now == Operations.Phase.SERVING;
        return Json.response(ready ? 200 : 503, new Health(ready, now.toString()));
    }
}
