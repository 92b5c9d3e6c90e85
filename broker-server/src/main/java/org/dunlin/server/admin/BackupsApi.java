package org.dunlin.server.admin;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.dunlin.core.spi.StoreException;
import org.dunlin.server.backup.Backups;
import org.dunlin.server.rest.ApiFault;
import org.dunlin.server.rest.Call;
import org.dunlin.server.rest.Endpoint;
import org.dunlin.server.rest.Json;
import org.jspecify.annotations.Nullable;

/** Copies of the data directory, made while clients are served. Workers' threads; the copies are made by one of their own. */
final class BackupsApi {
    /** Nobody waits for an answer for ever. */
    static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Backups backups;
    private final Duration patience;

    /** @param patience after that whoever asked for one hears that it is being made */
    BackupsApi(Backups backups, Duration patience) {
        this.backups = backups;
        this.patience = patience;
    }

    /**
     * @param time when it was made
     * @param bytes of its files; what the broker still has, too, takes that room but once
     */
    record Row(String name, String time, long bytes) {
        static Row of(Backups.Backup backup) {
            return new Row(backup.name(), backup.time().toString(), backup.bytes());
        }
    }

    /** @param since when that began */
    record Doing(String name, String since) {}

    /** @param error why it was not made */
    record Failed(String name, String at, String error) {}

    /**
     * @param directory on the broker's machine
     * @param running what is being made or removed; null for nothing
     * @param failed the last one that was not made, unless another one has been since
     */
    record Rows(
            String directory,
            List<Row> items,
            @Nullable Doing running,
            @Nullable Failed failed) {}

    /** @param name null for the time of day */
    record Wanted(@Nullable String name) {}

    List<Endpoint> endpoints() {
        return List.of(
                Endpoint.read(
                        "api/v1/backups",
                        "Lists the backups, newest first, and what is being done.",
                        List.of(),
                        Rows.class,
                        call -> CompletableFuture.completedFuture(list())),
                Endpoint.change(
                                "POST",
                                "api/v1/backups",
                                "Copies the data directory as it is now; 202 if that takes longer than 20 s and goes on.",
                                List.of(),
                                Wanted.class,
                                Row.class,
                                this::make)
                        .answering(202, Doing.class),
                Endpoint.change(
                        "DELETE",
                        "api/v1/backups/{name}",
                        "Removes a backup.",
                        List.of(Endpoint.Parameter.path("name", "Of the backup.")),
                        null,
                        Endpoint.Done.class,
                        this::remove));
    }

    private Rows list() throws ApiFault {
        try {
            Backups.Busy busy = backups.busy();
            Backups.Failure failure = backups.failure();
            return new Rows(
                    backups.directory().toString(),
                    backups.list().stream().map(Row::of).toList(),
                    busy == null ? null : new Doing(busy.name(), busy.since().toString()),
                    failure == null
                            ? null
                            : new Failed(failure.name(), failure.time().toString(), failure.why()));
        } catch (IOException e) {
            throw new ApiFault(500, "the directory of backups cannot be read: " + e);
        }
    }

    private CompletionStage<Object> make(Call call) throws ApiFault {
        String name = call.body(Wanted.class).name();
        call.about(name == null ? "a backup" : "backup " + name);
        try {
            Backups.Started started = backups.make(name);
            call.about("backup " + started.name());
            Doing doing = new Doing(started.name(), started.since().toString());
            return answer(started.done().thenApply(Row::of))
                    .completeOnTimeout(Json.response(202, doing), patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (Backups.Refused refused) {
            throw fault(refused);
        }
    }

    private CompletionStage<Object> remove(Call call) throws ApiFault {
        String name = call.variable("name");
        try {
            return answer(backups.remove(name).thenApply(gone -> new Endpoint.Done("removed " + gone.name())));
        } catch (Backups.Refused refused) {
            throw fault(refused);
        }
    }

    private static ApiFault fault(Backups.Refused refused) {
        int status = switch (refused.why()) {
            case NAME -> 400;
            case BUSY, EXISTS -> 409;
            case ABSENT -> 404;
            case UNSUPPORTED -> 501;
        };
        return new ApiFault(status, String.valueOf(refused.getMessage()));
    }

    private static CompletableFuture<Object> answer(CompletionStage<? extends Object> done) {
        return done.<Object>handle((result, failure) -> {
                    Throwable cause = failure instanceof CompletionException wrapped ? wrapped.getCause() : failure;
                    if (cause instanceof StoreException known) {
                        int status = switch (known.kind()) {
                            case LOCKED -> 409;
                            case UNSUPPORTED -> 501;
                            case NO_SPACE -> 507;
                            case NEWER_FORMAT, DAMAGED, IO -> 500;
                        };
                        throw new ApiFault(status, String.valueOf(known.getMessage())).later();
                    }
                    if (cause != null) {
                        throw new CompletionException(cause);
                    }
                    return result;
                })
                .toCompletableFuture();
    }
}
