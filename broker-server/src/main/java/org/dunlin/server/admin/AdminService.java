package org.dunlin.server.admin;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.dunlin.server.config.Quote;
import org.dunlin.server.http.Request;
import org.dunlin.server.http.Response;
import org.dunlin.server.http.Service;
import org.dunlin.server.rest.ApiFault;
import org.dunlin.server.rest.Call;
import org.dunlin.server.rest.Endpoint;
import org.dunlin.server.rest.Json;
import org.dunlin.server.rest.Principal;
import org.dunlin.server.rest.Routes;
import org.jspecify.annotations.Nullable;

/** What the admin port does with a request: who asks, what for, whether it may. Workers' threads. */
final class AdminService implements Service {
    private static final Map<String, String> HEADERS = Map.of(
            "x-content-type-options", "nosniff",
            "x-frame-options", "DENY",
            "referrer-policy", "no-referrer",
            "cross-origin-resource-policy", "same-origin",
            "content-security-policy",
                    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
                            + " font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'");

    private final Gate gate;
    private final Routes routes;
    private final Dashboard dashboard;
    private final Audit audit;

    AdminService(Gate gate, List<Endpoint> endpoints, Dashboard dashboard, Audit audit) {
        this.gate = gate;
        this.routes = new Routes(endpoints);
        this.dashboard = dashboard;
        this.audit = audit;
    }

    @Override
    public CompletionStage<Response> answer(Request request) {
        return respond(request).thenApply(AdminService::secured);
    }

    private static Response secured(Response response) {
        Response secured = response;
        for (Map.Entry<String, String> header : HEADERS.entrySet()) {
            secured = secured.with(header.getKey(), header.getValue());
        }
        return secured;
    }

    private CompletionStage<Response> respond(Request request) {
        try {
            gate.check(request);
            String method = request.method().equals("HEAD") ? "GET" : request.method();
            Response file = method.equals("GET") ? dashboard.find(request) : null;
            if (file != null) {
                return CompletableFuture.completedFuture(file);
            }
            return run(request, routes.find(method, request.path()));
        } catch (ApiFault fault) {
            return CompletableFuture.completedFuture(fault.response());
        }
    }

    private CompletionStage<Response> run(Request request, Routes.Found found) throws ApiFault {
        Endpoint endpoint = found.endpoint();
        Principal by = endpoint.scope() == null ? null : identified(request);
        Call call = new Call(request, found.variables(), by);
        CompletionStage<Response> answered;
        try {
            if (by != null && endpoint.scope() != null && !by.scope().covers(endpoint.scope())) {
                throw new ApiFault(403, by.name() + " may look but not change; use a token with the scope write");
            }
            checkQuery(endpoint, request);
            checkBody(request);
            answered = endpoint.action().run(call).handle(AdminService::response);
        } catch (ApiFault fault) {
            answered = CompletableFuture.completedFuture(fault.response());
        }
        return endpoint.scope() != Principal.Scope.WRITE
                ? answered
                : answered.whenComplete((response, failure) -> {
                    audit.changed(call, response == null ? 500 : response.status());
                });
    }

    private Principal identified(Request request) throws ApiFault {
        Principal by;
        try {
            by = gate.identify(request);
        } catch (ApiFault wrong) {
            if (wrong.status() == 401) { // not 429: who guesses does not fill the log
                audit.failedLogin(request, "a token");
            }
            throw wrong;
        }
        if (by == null) {
            throw Gate.unauthorized("log in, or send a token: Authorization: Bearer TOKEN");
        }
        return by;
    }

    /** A filter whose name is misspelt would fit everything. Others than those of the API are asked by whoever likes to. */
    private static void checkQuery(Endpoint endpoint, Request request) throws ApiFault {
        if (!endpoint.template().startsWith("api/")) {
            return;
        }
        List<String> known = endpoint.parameters().stream()
                .filter(parameter -> !parameter.inPath())
                .map(Endpoint.Parameter::name)
                .toList();
        for (String name : request.parameters()) {
            if (!known.contains(name)) {
                throw ApiFault.badRequest("unknown parameter " + Quote.of(name) + "; "
                        + (known.isEmpty() ? "none is known here" : "known: " + String.join(", ", known)));
            }
        }
    }

    /** What a form of another site can send is no JSON. */
    private static void checkBody(Request request) throws ApiFault {
        String type = request.header("content-type");
        if (request.body().length > 0
                && (type == null || !type.toLowerCase(Locale.ROOT).startsWith("application/json"))) {
            throw new ApiFault(415, "send the body with Content-Type: application/json");
        }
    }

    private static Response response(@Nullable Object answer, @Nullable Throwable failure) {
        Throwable cause = failure instanceof CompletionException wrapped && wrapped.getCause() != null
                ? wrapped.getCause()
                : failure;
        if (cause instanceof ApiFault.Later later) {
            return later.fault().response();
        }
        if (cause != null) {
            throw new CompletionException(cause);
        }
        if (answer == null) {
            throw new IllegalStateException("no answer");
        }
        return answer instanceof Response response ? response : Json.response(200, answer);
    }
}
