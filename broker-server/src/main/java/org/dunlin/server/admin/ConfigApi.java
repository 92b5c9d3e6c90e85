package org.dunlin.server.admin;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.dunlin.server.config.Fault;
import org.dunlin.server.config.Settings;
import org.dunlin.server.rest.Endpoint;
import org.jspecify.annotations.Nullable;

/** The configuration in force, and reading it again. Workers' threads. */
final class ConfigApi {
    private final Operations.Configuration configuration;

    ConfigApi(Operations.Configuration configuration) {
        this.configuration = configuration;
    }

    /**
     * @param key like "listeners[0].port"
     * @param value as it is written; "***" for a secret
     * @param defaultValue null for a key that has none
     * @param origin where it was set, or "default"
     * @param live whether a reload changes it; else a restart does
     */
    record Row(String key, String value, @Nullable String defaultValue, String origin, boolean live, boolean secret) {
        static Row of(Settings.Item item) {
            return new Row(item.path(), item.value(), item.defaultValue(), item.origin(), item.live(), item.secret());
        }
    }

    record Rows(List<Row> items) {}

    /**
     * @param from null for a new item of a list
     * @param to null for one that is gone
     * @param live whether a reload changes it; else a restart does
     */
    record Change(
            String key, @Nullable String from, @Nullable String to, boolean live) {}

    /**
     * @param faults a line each; if there is one, nothing changes
     * @param changes what changes
     */
    record Outcome(List<String> faults, List<Change> changes) {
        static Outcome of(Operations.Configuration.Outcome outcome) {
            return new Outcome(
                    outcome.faults().stream().map(Fault::toString).toList(),
                    outcome.changes().stream()
                            .map(change -> new Change(change.path(), change.from(), change.to(), change.live()))
                            .toList());
        }
    }

    List<Endpoint> endpoints() {
        return List.of(
                Endpoint.read(
                        "api/v1/config",
                        "Lists every key with its value in force; secrets are masked.",
                        List.of(),
                        Rows.class,
                        call -> CompletableFuture.completedFuture(new Rows(
                                configuration.items().stream().map(Row::of).toList()))),
                Endpoint.change(
                        "POST",
                        "api/v1/config/check",
                        "Reads file, environment and flags again and says what a reload would change; changes nothing.",
                        List.of(),
                        null,
                        Outcome.class,
                        call -> outcome(configuration.check())),
                Endpoint.change(
                        "POST",
                        "api/v1/config/reload",
                        "Reads file, environment and flags again, all or nothing; says what changed, and what needs a restart.",
                        List.of(),
                        null,
                        Outcome.class,
                        call -> outcome(configuration.reload("asked for by the admin port"))));
    }

    private static CompletionStage<Outcome> outcome(Operations.Configuration.Outcome outcome) {
        return CompletableFuture.completedFuture(Outcome.of(outcome));
    }
}
