package org.dunlin.server.admin;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.http.Response;
import org.dunlin.server.rest.ApiFault;
import org.dunlin.server.rest.Call;
import org.dunlin.server.rest.Endpoint;
import org.dunlin.server.rest.Json;
import org.dunlin.server.rest.Principal;
import org.jspecify.annotations.Nullable;

/** Logging in and out of the dashboard. Workers' threads. */
final class LoginApi {
    private final Gate gate;
    private final Tokens tokens;
    private final Logins logins;
    private final People people;
    private final Audit audit;

    /** @param people who may log in by name */
    LoginApi(Gate gate, Tokens tokens, Logins logins, People people, Audit audit) {
        this.gate = gate;
        this.tokens = tokens;
        this.logins = logins;
        this.people = people;
        this.audit = audit;
    }

    /** Either a token, or user and password. */
    record Credentials(
            @Nullable String token,
            @Nullable String user,
            @Nullable String password) {}

    /** Who has logged in. */
    record Who(String name, String scope) {
        static Who of(Principal principal) {
            return new Who(principal.name(), principal.scope().toString());
        }
    }

    List<Endpoint> endpoints() {
        return List.of(
                new Endpoint(
                        "POST",
                        "api/v1/login",
                        null,
                        "Logs a browser in: the answer sets a cookie.",
                        List.of(),
                        Credentials.class,
                        Who.class,
                        this::login),
                new Endpoint(
                        "POST",
                        "api/v1/logout",
                        null,
                        "Logs the browser out.",
                        List.of(),
                        null,
                        Endpoint.Done.class,
                        this::logout),
                Endpoint.read(
                        "api/v1/login",
                        "Says who asks.",
                        List.of(),
                        Who.class,
                        call -> CompletableFuture.completedFuture(Who.of(Gate.known(call)))));
    }

    private CompletionStage<Response> login(Call call) throws ApiFault {
        Credentials credentials = call.body(Credentials.class);
        gate.countTry(call.request().peer().getAddress());
        Known known = known(credentials);
        if (known == null) {
            String who = credentials.user() == null ? "a token" : "user " + credentials.user();
            audit.failedLogin(call.request(), who);
            throw new ApiFault(401, "the token, or user and password, are not known here");
        }
        Principal principal = known.principal;
        audit.login(call.request(), principal);
        return CompletableFuture.completedFuture(Json.response(200, Who.of(principal))
                .with(
                        "set-cookie",
                        cookie(
                                logins.begin(principal, known.stands),
                                call.request().secure(),
                                "")));
    }

    private static String cookie(String value, boolean secure, String more) {
        return Gate.COOKIE + "=" + value + "; Path=/; HttpOnly; SameSite=Strict" + (secure ? "; Secure" : "") + more;
    }

    private record Known(Principal principal, BooleanSupplier stands) {}

    private @Nullable Known known(Credentials credentials) throws ApiFault {
        String token = credentials.token();
        if (token != null) {
            Principal holder = tokens.find(token.strip());
            return holder == null
                    ? null
                    : new Known(holder, () -> !Tokens.isHolder(holder) || tokens.isInForce(holder));
        }
        String user = credentials.user();
        String password = credentials.password();
        if (user == null || password == null) {
            throw ApiFault.badRequest("send {\"token\": ...} or {\"user\": ..., \"password\": ...}");
        }
        if (!people.isOn()) {
            throw ApiFault.badRequest(
                    "nobody can log in by name, since admin.password-file is not set; use the token in the file"
                            + " admin.token of the data directory");
        }
        try {
            BooleanSupplier stands = people.login(user, password);
            return stands == null ? null : new Known(new Principal("user " + user, Principal.Scope.WRITE), stands);
        } catch (ConfigException faulty) {
            throw new ApiFault(
                    500,
                    "admin.password-file cannot be used: " + faulty.faults().get(0));
        }
    }

    private CompletionStage<Response> logout(Call call) {
        String cookie = call.request().cookie(Gate.COOKIE);
        if (cookie != null) {
            logins.end(cookie);
        }
        return CompletableFuture.completedFuture(Json.response(200, new Endpoint.Done("logged out"))
                .with("set-cookie", cookie("", call.request().secure(), "; Max-Age=0")));
    }
}
