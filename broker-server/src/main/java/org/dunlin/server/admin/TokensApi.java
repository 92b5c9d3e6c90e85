package org.dunlin.server.admin;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.rest.ApiFault;
import org.dunlin.server.rest.Call;
import org.dunlin.server.rest.Endpoint;
import org.dunlin.server.rest.Principal;
import org.jspecify.annotations.Nullable;

/** Tokens for others. Workers' threads. */
final class TokensApi {
    private final Tokens tokens;
    private final Logins logins;

    TokensApi(Tokens tokens, Logins logins) {
        this.tokens = tokens;
        this.logins = logins;
    }

    /** @param expires time of day, or null if it does not */
    record Row(
            String name,
            String scope,
            String created,
            @Nullable String expires) {
        static Row of(Tokens.Token token) {
            Instant expires = token.expires();
            return new Row(
                    token.name(),
                    token.scope().toString(),
                    token.created().toString(),
                    expires == null ? null : expires.toString());
        }
    }

    record Rows(List<Row> items) {}

    /** @param expiresInSeconds null for one that does not end */
    record Wanted(
            String name, Principal.Scope scope, @Nullable Long expiresInSeconds) {}

    /** @param token to be noted now: nobody can be told it again */
    record Made(String name, String token) {}

    List<Endpoint> endpoints() {
        return List.of(
                Endpoint.read(
                        "api/v1/tokens",
                        "Lists the tokens that were made for others, without what they are.",
                        List.of(),
                        Rows.class,
                        call -> CompletableFuture.completedFuture(
                                new Rows(tokens.list().stream().map(Row::of).toList()))),
                Endpoint.change(
                        "POST",
                        "api/v1/tokens",
                        "Makes a token, which is told this once.",
                        List.of(),
                        Wanted.class,
                        Made.class,
                        this::add),
                Endpoint.change(
                        "DELETE",
                        "api/v1/tokens/{name}",
                        "Removes a token; whoever has logged in with it is logged out.",
                        List.of(Endpoint.Parameter.path("name", "Of the token.")),
                        null,
                        Endpoint.Done.class,
                        this::remove));
    }

    private CompletionStage<Made> add(Call call) throws ApiFault {
        Wanted wanted = call.body(Wanted.class);
        if (wanted.name() == null || wanted.scope() == null) {
            throw ApiFault.badRequest("name and scope (read or write) are needed");
        }
        call.about("token " + wanted.name() + ", scope " + wanted.scope());
        Long seconds = wanted.expiresInSeconds();
        if (seconds != null && (seconds < 1 || seconds > Duration.ofDays(3650).toSeconds())) {
            throw ApiFault.badRequest(
                    "expiresInSeconds is 1 to " + Duration.ofDays(3650).toSeconds());
        }
        try {
            String token = tokens.add(
                    wanted.name(),
                    wanted.scope(),
                    seconds == null ? null : Instant.now().plusSeconds(seconds));
            return CompletableFuture.completedFuture(new Made(wanted.name(), token));
        } catch (IOException | ConfigException unwritable) {
            throw notWritten(unwritable);
        }
    }

    private CompletionStage<Endpoint.Done> remove(Call call) throws ApiFault {
        String name = call.variable("name");
        try {
            if (!tokens.remove(name)) {
                throw ApiFault.notFound("there is no token of that name");
            }
        } catch (IOException | ConfigException unwritable) {
            throw notWritten(unwritable);
        }
        logins.endAll("token " + name);
        return CompletableFuture.completedFuture(new Endpoint.Done("removed " + name));
    }

    private static ApiFault notWritten(Exception why) {
        return new ApiFault(500, "the file of tokens cannot be written: " + why.getMessage());
    }
}
