package org.dunlin.server.admin;

import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.dunlin.server.config.Config.LogLevel;
import org.dunlin.server.events.RecentEvents;
import org.dunlin.server.logging.Logging;
import org.dunlin.server.logging.RecentLines;
import org.dunlin.server.rest.ApiFault;
import org.dunlin.server.rest.Call;
import org.dunlin.server.rest.Endpoint;
import org.jspecify.annotations.Nullable;

/** What has happened lately: refusals, the history of a client, the log. Workers' threads. */
final class EventsApi {
    private final RecentEvents recent;

    EventsApi(RecentEvents recent) {
        this.recent = recent;
    }

    /** @param kind connected, disconnected, refused, denied, banned or contested */
    record Row(
            long number,
            String at,
            String kind,
            @Nullable String clientId,
            @Nullable String user,
            String address,
            String listener,
            String reason,
            String detail) {
        static Row of(RecentEvents.Event event) {
            return new Row(
                    event.number(),
                    Instant.ofEpochMilli(event.atMillis()).toString(),
                    event.kind().toString(),
                    event.clientId(),
                    event.user(),
                    event.address(),
                    event.listener(),
                    event.reason(),
                    event.detail());
        }
    }

    record Rows(List<Row> items) {}

    record LogLine(long number, String at, String level, String logger, String message) {
        static LogLine of(RecentLines.Line line) {
            return new LogLine(
                    line.number(),
                    Instant.ofEpochMilli(line.atMillis()).toString(),
                    line.level(),
                    line.logger(),
                    line.message());
        }
    }

    /** @param next to be given as 'after' for what comes later */
    record LogLines(List<LogLine> items, long next) {}

    /** @param level error, warn, info, debug or trace */
    record Level(String level) {}

    List<Endpoint> endpoints() {
        return List.of(
                Endpoint.read(
                        "api/v1/refusals",
                        "Lists who was refused, denied something or banned lately and why, newest first.",
                        List.of(
                                Endpoint.PAGE.get(1),
                                Endpoint.Parameter.text("address", "Beginning of the address."),
                                Endpoint.Parameter.text("kind", "refused, denied, banned or contested.")),
                        Rows.class,
                        this::refusals),
                Endpoint.read(
                        "api/v1/clients/{clientId}/events",
                        "Lists what has happened to a client lately, newest first; it need not be there.",
                        List.of(
                                Endpoint.Parameter.path("clientId", "Client identifier; a slash in it as %2F."),
                                Endpoint.PAGE.get(1)),
                        Rows.class,
                        this::ofClient),
                Endpoint.read(
                        "api/v1/log",
                        "Lists the last lines of the log, oldest first.",
                        List.of(
                                Endpoint.Parameter.number(
                                        "after", "Number of the last line known; 0 for the last ones."),
                                Endpoint.PAGE.get(1)),
                        LogLines.class,
                        this::log),
                Endpoint.read(
                        "api/v1/log/level",
                        "Says the least weight of what is logged.",
                        List.of(),
                        Level.class,
                        call -> CompletableFuture.completedFuture(
                                new Level(Logging.level().toString().toLowerCase(Locale.ROOT)))),
                Endpoint.change(
                        "PUT",
                        "api/v1/log/level",
                        "Sets the least weight of what is logged, until the next reload or restart.",
                        List.of(),
                        Level.class,
                        Endpoint.Done.class,
                        this::setLevel));
    }

    private CompletionStage<Rows> refusals(Call call) throws ApiFault {
        String address = call.text("address");
        String kind = call.text("kind");
        return rows(recent.troubles(
                call.limit(),
                event -> event.address().startsWith(address)
                        && (kind.isEmpty() || event.kind().toString().equals(kind))));
    }

    private CompletionStage<Rows> ofClient(Call call) throws ApiFault {
        return rows(recent.of(call.variable("clientId"), call.limit()));
    }

    private static CompletionStage<Rows> rows(List<RecentEvents.Event> events) {
        return CompletableFuture.completedFuture(
                new Rows(events.stream().map(Row::of).toList()));
    }

    private CompletionStage<LogLines> log(Call call) throws ApiFault {
        long after = call.number("after", 0, 0, Long.MAX_VALUE);
        List<LogLine> items = Logging.recent().after(after, call.limit()).stream()
                .map(LogLine::of)
                .toList();
        long next = items.isEmpty() ? after : items.get(items.size() - 1).number();
        return CompletableFuture.completedFuture(new LogLines(items, next));
    }

    private CompletionStage<Endpoint.Done> setLevel(Call call) throws ApiFault {
        Level wanted = call.body(Level.class);
        LogLevel level;
        try {
            level = LogLevel.valueOf(String.valueOf(wanted.level()).toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException unknown) {
            throw ApiFault.badRequest("level is error, warn, info, debug or trace");
        }
        Logging.level(level);
        call.about("log level " + wanted.level());
        return CompletableFuture.completedFuture(new Endpoint.Done("log level is " + wanted.level()));
    }
}
