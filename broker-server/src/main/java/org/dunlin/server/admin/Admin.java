package org.dunlin.server.admin;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.dunlin.core.Broker;
import org.dunlin.server.auth.PasswordFile;
import org.dunlin.server.config.Config;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.http.Request;
import org.dunlin.server.http.Response;
import org.dunlin.server.http.Service;
import org.dunlin.server.metrics.Metrics;
import org.dunlin.server.net.Layer;
import org.dunlin.server.net.ListenException;
import org.dunlin.server.net.Transport;
import org.dunlin.server.net.http.HttpListener;
import org.dunlin.server.net.http.MqttUpgrade;
import org.dunlin.server.rest.ApiFault;
import org.dunlin.server.rest.Call;
import org.dunlin.server.rest.Endpoint;
import org.dunlin.server.rest.OpenApi;
import org.dunlin.server.rest.Principal;
import org.jspecify.annotations.Nullable;

/**
 * The port for operators. Any thread but a loop. It is open before the broker serves, so that whoever looks after it can see that
 * it is coming up; until then it answers that and nothing else.
 */
public final class Admin implements AutoCloseable {
    private static final int CONNECTIONS_MAX = 256;
    private static final int BODY_BYTES_MAX = 1 << 20;
    /** Where MQTT is, for the dashboard. */
    public static final String WEB_SOCKET = "mqtt";

    private volatile Config.Admin config;
    private final HttpListener listener;
    private volatile Service service;
    private volatile @Nullable Serving serving;

    /**
     * What it is made of once the broker serves.
     *
     * @param endpoints all but those that depend on the configuration
     */
    private record Serving(
            Gate gate,
            Logins logins,
            People people,
            Audit audit,
            Dashboard dashboard,
            Metrics metrics,
            String version,
            List<Endpoint> endpoints) {
        Service service(Config.Metrics config) {
            List<Endpoint> all = new ArrayList<>(endpoints);
            if (config.enabled()) {
                all.add(StatusApi.metrics(config, metrics));
            }
            all.add(OpenApi.endpoint(all, version, Gate.COOKIE));
            return new AdminService(gate, all, dashboard, audit);
        }
    }

    private Admin(
            Config.Admin config,
            List<Layer> layers,
            MqttUpgrade webSocket,
            Transport transport,
            Supplier<Broker.Starting> progress)
            throws ListenException {
        this.config = config;
        this.service = new ComingUp(progress);
        this.listener = HttpListener.open(
                new HttpListener.Settings(
                        "admin", config.address(), CONNECTIONS_MAX, BODY_BYTES_MAX, layers, webSocket),
                transport,
                request -> service.answer(request));
    }

    /**
     * Opens the port.
     *
     * @param layers TLS, or none
     * @param webSocket MQTT for the dashboard
     * @param progress how far the broker has come
     * @throws ListenException if it cannot be bound
     */
    public static Admin open(
            Config.Admin config,
            List<Layer> layers,
            MqttUpgrade webSocket,
            Transport transport,
            Supplier<Broker.Starting> progress)
            throws ListenException {
        return new Admin(config, layers, webSocket, transport, progress);
    }

    /**
     * The broker serves: from now on everything is answered.
     *
     * @throws ConfigException if the files with tokens cannot be read or made
     */
    public synchronized void serve(Operations operations) throws ConfigException {
        Path usual = Path.of(operations.config().get().storage().path(), Tokens.USUAL_NAME);
        Tokens tokens = Tokens.open(config.tokenFile().isEmpty() ? usual : Path.of(config.tokenFile()), Instant::now);
        Logins logins = new Logins(config.sessionTime(), System::nanoTime);
        Gate gate = new Gate(tokens, logins, config.allowedHosts(), System::nanoTime);
        Audit audit = new Audit();
        People people = new People(people(config));
        List<Endpoint> endpoints = new ArrayList<>();
        endpoints.addAll(new HealthApi(operations.phase()).endpoints());
        endpoints.addAll(new LoginApi(gate, tokens, logins, people, audit).endpoints());
        endpoints.addAll(new TokensApi(tokens, logins).endpoints());
        endpoints.addAll(new StatusApi(operations).endpoints());
        endpoints.addAll(new DropsApi(operations.drops()).endpoints());
        endpoints.addAll(new SessionsApi(
                        operations.broker().inspection(), operations.started().toEpochMilli())
                .endpoints());
        endpoints.addAll(new GroupsApi(operations.broker().inspection()).endpoints());
        endpoints.addAll(new MessagesApi(operations.broker()).endpoints());
        endpoints.addAll(new ExplainApi(operations).endpoints());
        endpoints.addAll(new TraceApi(operations.traces(), gate, () -> !operations.userNamesAreTokens()).endpoints());
        endpoints.addAll(new AccessApi(operations.config(), operations.access()).endpoints());
        endpoints.addAll(new BackupsApi(operations.backups(), BackupsApi.PATIENCE).endpoints());
        endpoints.addAll(new ConfigApi(operations.configuration()).endpoints());
        endpoints.addAll(new EventsApi(operations.recent()).endpoints());
        endpoints.add(new Endpoint(
                "GET",
                WEB_SOCKET,
                Principal.Scope.WRITE,
                "Becomes MQTT over WebSocket, with all rights unless CONNECT names a user.",
                List.of(),
                null,
                null,
                Admin::webSocket));
        Serving now = new Serving(
                gate, logins, people, audit, new Dashboard(), operations.metrics(), operations.version(), endpoints);
        serving = now;
        service = now.service(config.metrics());
    }

    private static @Nullable Path people(Config.Admin config) {
        return config.passwordFile().isEmpty() ? null : Path.of(config.passwordFile());
    }

    /**
     * Looks at what another configuration names.
     *
     * @throws ConfigException with every fault of it
     */
    public void check(Config.Admin next) throws ConfigException {
        Path people = people(next);
        if (people != null && !people.equals(people(config))) {
            PasswordFile.read(people);
        }
    }

    /** Another configuration counts from now on, in what a reload changes of it. */
    public synchronized void use(Config.Admin next) {
        config = next;
        Serving now = serving;
        if (now != null) {
            now.gate.allowedHosts(next.allowedHosts());
            now.logins.time(next.sessionTime());
            now.people.file(people(next));
            service = now.service(next.metrics());
        }
    }

    private static CompletionStage<Response> webSocket(Call call) throws ApiFault {
        if (!"websocket".equalsIgnoreCase(call.request().header("upgrade"))) {
            throw new ApiFault(426, "this is for MQTT over WebSocket; use an MQTT client").with("upgrade", "websocket");
        }
        return CompletableFuture.completedFuture(Response.of(101, Response.TEXT, new byte[0]));
    }

    /** Whether what let a request in would let it in still. A thread that may wait. */
    public boolean stands(Request request) {
        Serving now = serving;
        return now != null && now.gate.stands(request);
    }

    /** Where it is open. */
    public InetSocketAddress address() {
        return listener.address();
    }

    /** For people: "http://127.0.0.1:18083". */
    public String url() {
        InetSocketAddress address = address();
        String host = address.getAddress().getHostAddress();
        return (config.tls().isOn() ? "https://" : "http://") + (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":"
                + address.getPort();
    }

    /** What there is while the broker comes up. */
    private record ComingUp(Supplier<Broker.Starting> progress) implements Service {
        @Override
        public CompletionStage<Response> answer(Request request) {
            return CompletableFuture.completedFuture(
                    switch (request.pathText()) {
                        case "/live" -> HealthApi.alive();
                        case "/ready" -> HealthApi.comingUp(progress.get());
                        default ->
                            new ApiFault(
                                            503,
                                            "the broker is " + HealthApi.words(progress.get())
                                                    + "; ask again in a few seconds")
                                    .with("retry-after", "2")
                                    .response();
                    });
        }
    }

    @Override
    public void close() {
        listener.close();
    }
}
