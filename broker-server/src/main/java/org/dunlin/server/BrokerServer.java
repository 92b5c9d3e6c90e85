package org.dunlin.server;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.dunlin.core.Broker;
import org.dunlin.core.BrokerSettings;
import org.dunlin.core.DropLedger;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.session.Shards;
import org.dunlin.core.spi.Loop;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreSettings;
import org.dunlin.persistence.Stores;
import org.dunlin.server.acl.Operator;
import org.dunlin.server.admin.Admin;
import org.dunlin.server.admin.Operations;
import org.dunlin.server.backup.Backups;
import org.dunlin.server.ban.LoginGuard;
import org.dunlin.server.config.Config;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.ConfigLoader.Loaded;
import org.dunlin.server.events.EventLog;
import org.dunlin.server.events.RecentEvents;
import org.dunlin.server.logging.Logging;
import org.dunlin.server.metrics.Metrics;
import org.dunlin.server.metrics.OtlpExport;
import org.dunlin.server.metrics.Rates;
import org.dunlin.server.metrics.Sources;
import org.dunlin.server.net.ListenException;
import org.dunlin.server.net.Listener;
import org.dunlin.server.net.Listeners;
import org.dunlin.server.net.NettyLoops;
import org.dunlin.server.net.Supervisor;
import org.dunlin.server.net.Transport;
import org.dunlin.server.net.http.MqttUpgrade;
import org.dunlin.server.net.websocket.WebSocketLayer;
import org.dunlin.server.share.Addresses;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * A broker with its listeners, put together from a configuration. The main thread starts it; any thread may stop it, once or
 * more often.
 */
public final class BrokerServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("dunlin");
    /** Files that the process needs beside its connections. */
    private static final int OTHER_FILES = 200;

    private static final long ANSWER_MILLIS = 200;
    /** Between two looks at how much memory buffers take. */
    private static final long REVIEW_MILLIS = 100;

    private volatile Config config;
    private final Reload reload;
    private final Store store;
    private final Access access;
    private final LoginGuard guard;
    private final DropLedger drops = new DropLedger();
    private final RecentEvents recent = new RecentEvents();
    private final EventLog events = new EventLog(drops, recent);
    private final NettyLoops loops;
    private final MemoryBudget memory;
    private final Broker broker;
    private final Doors doors;
    private final Listeners listeners;
    private final Backups backups;
    private final OtlpExport.Counts exports = new OtlpExport.Counts();
    private final Metrics metrics;
    /** For what looks now and then. */
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "dunlin-clock");
        thread.setDaemon(true);
        return thread;
    });

    private final Rates rates;
    private final SysTopics sysTopics;
    private final AtomicBoolean stopped = new AtomicBoolean();
    private final String version;
    private final Instant started = Instant.now();
    private volatile Operations.Phase phase = Operations.Phase.STARTING;
    private @Nullable Admin admin;
    private @Nullable OtlpExport otlp;
    /** The listeners in words. */
    private String open = "";

    private BrokerServer(Loaded loaded, Reload.Checks checks, Supervisor supervisor, String version)
            throws ConfigException {
        this.config = loaded.config();
        this.reload = new Reload(loaded, checks, new Target(), supervisor);
        this.version = version;
        this.access = new Access(config);
        this.guard = new LoginGuard(access.authenticator(), access.bans(), policy(config.bans()), events);
        access.authenticator().ask(guard::left);
        this.store = Stores.create(
                config.storage().engine().name().toLowerCase(Locale.ROOT), storeSettings(config.storage()));
        this.backups = backups(config, store);
        this.loops = new NettyLoops(transport(config), loopCount(config), store::nowMillis);
        Limits limits = config.limits();
        this.memory = new MemoryBudget(
                memoryBytes(config), config.queue().holdTimeout().toMillis(), this::buffersAndRetained, events::memory);
        this.broker = new Broker(
                List.<Loop>copyOf(loops.all()),
                new BrokerSettings(
                        limits,
                        queueLimits(config),
                        memory,
                        store,
                        guard,
                        access.authorizer(),
                        closesOnDeniedPublish(config),
                        events,
                        responseInformation(config)));
        this.doors = new Doors(config);
        this.listeners = new Listeners(
                loops,
                limits,
                memory,
                new Addresses(config.addresses(), access.bans()::refusal),
                events,
                broker::connect);
        Sources sources = new Sources(
                version,
                started,
                () -> phase == Operations.Phase.SERVING,
                broker,
                drops,
                events,
                memory,
                store,
                loops,
                listeners::status,
                doors::certificates);
        this.metrics = new Metrics(sources, exports);
        this.rates = new Rates(sources);
        this.sysTopics = new SysTopics(sources, clock);
    }

    /**
     * Starts a broker; it serves when this returns.
     *
     * @param checks of files that a configuration names, when it is read again
     * @param supervisor told of that
     * @throws ConfigException if a file that the configuration names has faults
     * @throws ListenException if a listener cannot be opened; nothing is left running then
     * @throws StoreException if the data directory cannot be used; nothing is left running then
     */
    public static BrokerServer start(Loaded loaded, Reload.Checks checks, Supervisor supervisor, String version)
            throws ConfigException, ListenException, StoreException {
        BrokerServer server = new BrokerServer(loaded, checks, supervisor, version);
        try {
            server.open();
            return server;
        } catch (ListenException | StoreException | ConfigException | RuntimeException e) {
            server.close();
            throw e;
        }
    }

    private void open() throws ListenException, StoreException, ConfigException {
        warnOfFewFiles();
        List<Listener> openable = doors.listeners();
        if (config.admin().enabled()) {
            admin = Admin.open(config.admin(), doors.adminLayers(), dashboard(), loops.transport(), broker::starting);
        }
        bringBack();
        access.follow(this::review);
        reviewMemory();
        List<String> names = new ArrayList<>();
        for (int i = 0; i < openable.size(); i++) {
            InetSocketAddress address = listeners.open(openable.get(i));
            Config.Listener listener = config.listeners().get(i);
            names.add(doors.describe(listener, host(listener.bind()) + ":" + address.getPort()));
        }
        sysTopics.every(config.sysTopics().interval().toMillis());
        Config.Otlp to = config.admin().metrics().otlp();
        if (to.isOn()) {
            otlp = new OtlpExport(metrics, URI.create(to.url()), to.interval(), to.headersByName(), exports);
        }
        access.warnings().forEach(LOG::warn);
        open = String.join(", ", names);
        if (admin != null) {
            rates.start(clock);
            admin.serve(operations());
        }
        reload.follow();
    }

    /** MQTT by the admin port. */
    private MqttUpgrade dashboard() {
        Listener listener = Listener.tcp(
                Operator.LISTENER, config.admin().bind(), config.admin().port());
        return new MqttUpgrade(
                listeners.adoption(listener),
                new WebSocketLayer(
                        "/" + Admin.WEB_SOCKET, List.of(), () -> config.limits().maxPacketSizeBytes()),
                request -> admin != null && admin.stands(request));
    }

    private Operations operations() {
        return new Operations(
                () -> config,
                version,
                started,
                broker,
                drops,
                recent,
                metrics,
                rates,
                memory,
                store.promise(),
                loops.transport().toString(),
                loops.all().size(),
                loops.traces(),
                () -> phase,
                () -> doors.describe(listeners.status()),
                new Operations.Access(
                        access.authorizer(),
                        access.bans(),
                        access.authenticator()::hurry,
                        access.authorizer()::hurry,
                        access.bans()::hurry),
                reload,
                backups,
                BrokerServer::stopProcess);
    }

    /** As SIGTERM does; the answer to whoever asked for it is sent first. */
    private static void stopProcess() {
        CompletableFuture.delayedExecutor(ANSWER_MILLIS, TimeUnit.MILLISECONDS).execute(() -> System.exit(0));
    }

    /** Reads the configuration again. @param why for the log */
    public void reload(String why) {
        reload.reload(why);
    }

    private final class Target implements Reload.Target {
        @Override
        public void check(Config next) throws ConfigException {
            if (admin != null) {
                admin.check(next.admin());
            }
        }

        @Override
        public Runnable prepare(Config next) throws ConfigException {
            check(next);
            Runnable others = access.prepare(next);
            return () -> apply(next, others);
        }
    }

    /** @param others puts those into force who decide who may connect and what they may do */
    private void apply(Config next, Runnable others) {
        List<Doors.Exposure> exposures = doors.exposures();
        List<String> warnings = access.warnings();
        config = next;
        doors.config(next);
        broker.limits(next.limits(), queueLimits(next));
        broker.answers(closesOnDeniedPublish(next), responseInformation(next));
        memory.bounds(memoryBytes(next), next.queue().holdTimeout().toMillis());
        listeners.limits(next.limits(), next.addresses(), Doors.connections(next));
        guard.policy(policy(next.bans()));
        others.run();
        sysTopics.every(next.sysTopics().interval().toMillis());
        if (admin != null) {
            admin.use(next.admin());
        }
        Logging.start(next.log());
        tell(exposures);
        access.warnings().stream()
                .filter(warning -> !warnings.contains(warning))
                .forEach(LOG::warn);
    }

    private static long memoryBytes(Config config) {
        return config.memory().bytes(Runtime.getRuntime().maxMemory());
    }

    private static boolean closesOnDeniedPublish(Config config) {
        return config.auth().deniedPublish() == Config.DeniedPublish.CLOSE;
    }

    private static @Nullable String responseInformation(Config config) {
        String prefix = config.server().responseInformation();
        return prefix.isEmpty() ? null : prefix;
    }

    /** All that is counted. */
    Metrics metrics() {
        return metrics;
    }

    /** Accounts or rights have changed. */
    private void review() {
        broker.review().thenRun(() -> LOG.info("Clients and their rights have been settled anew"));
    }

    /**
     * Logs that it serves, once whoever started it is prepared for its end.
     *
     * @param startedNanos when the process began to start, by {@link System#nanoTime}
     */
    public void announce(long startedNanos) {
        phase = Operations.Phase.SERVING;
        LOG.info(
                "Ready on {}; admin {}; durability {}; {} event loop(s) on {}; started in {} ms",
                open,
                admin == null ? "off" : admin.url(),
                store.promise(),
                loops.all().size(),
                loops.transport(),
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startedNanos));
        if (!doors.tlsProviders().isEmpty()) {
            LOG.info("TLS by {}", doors.tlsProviders());
        }
        tell(List.of());
    }

    /** Logs what stands open to the network. @param known that is in the log already */
    private void tell(List<Doors.Exposure> known) {
        for (Doors.Exposure exposure : doors.exposures()) {
            if (!known.contains(exposure)) {
                LOG.atLevel(exposure.isWide() ? Level.WARN : Level.INFO).log(exposure.text());
            }
        }
    }

    private static Backups backups(Config config, Store store) {
        String path = config.admin().backupPath();
        return new Backups(
                path.isEmpty() ? Path.of(config.storage().path(), "backups") : Path.of(path),
                config.storage().engine() == Config.Engine.MEMORY ? null : store::backup);
    }

    private static LoginGuard.Policy policy(Config.Bans config) {
        return new LoginGuard.Policy(
                config.after(),
                config.addressAfter(),
                config.window(),
                config.time(),
                config.maxTime(),
                config.exempt());
    }

    private static StoreSettings storeSettings(Config.Storage storage) {
        StoreSettings.Durability durability = switch (storage.durability()) {
            case FSYNC -> StoreSettings.Durability.FSYNC;
            case ASYNC -> StoreSettings.Durability.ASYNC;
            case NONE -> StoreSettings.Durability.NONE;
        };
        return new StoreSettings(
                Path.of(storage.path()),
                durability,
                storage.syncInterval().toMillis(),
                storage.cacheSize(),
                storage.minFree(),
                storage.maxSize());
    }

    /** Before anybody may connect: whoever is away would miss messages. */
    private void bringBack() throws StoreException {
        long began = System.nanoTime();
        String back = broker.open().toCompletableFuture().join();
        if (config.storage().engine() != Config.Engine.MEMORY) {
            LOG.info(
                    "Brought back {} from {} in {} ms",
                    back,
                    config.storage().path(),
                    TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began));
        }
    }

    private void reviewMemory() {
        Loop loop = loops.all().get(0);
        loop.execute(() -> {
            memory.review(loop.nowMillis());
            loop.schedule(this::reviewMemory, REVIEW_MILLIS);
        });
    }

    private long buffersAndRetained() {
        return loops.bufferBytes() + broker.status().retainedBytes();
    }

    /** As it is configured: what a socket says of itself may be another spelling, like [::] for 0.0.0.0. */
    static String host(String bind) {
        return bind.indexOf(':') < 0 ? bind : "[" + bind + "]";
    }

    /** The one configured, whether it is {@link Transport#isAvailable} or not, or the best if none is. */
    static Transport transport(Config config) {
        return switch (config.server().transport()) {
            case AUTO -> Transport.best();
            case EPOLL -> Transport.EPOLL;
            case KQUEUE -> Transport.KQUEUE;
            case NIO -> Transport.NIO;
        };
    }

    private static int loopCount(Config config) {
        int asked = config.server().loops();
        return Math.min(asked > 0 ? asked : Runtime.getRuntime().availableProcessors(), Shards.MAX);
    }

    private static QueueLimits queueLimits(Config config) {
        Config.Queue queue = config.queue();
        List<QueueLimits.Rule> rules = new ArrayList<>();
        for (Config.Rule rule : queue.rules()) {
            rules.add(new QueueLimits.Rule(rule.filter(), overflow(rule.overflow())));
        }
        return new QueueLimits(
                queue.maxMessages(),
                queue.maxBytes(),
                overflow(queue.overflow()),
                queue.holdTimeout().toMillis(),
                queue.qos0Offline(),
                List.copyOf(rules));
    }

    private static QueueLimits.Overflow overflow(Config.Overflow overflow) {
        return switch (overflow) {
            case DROP_OLDEST -> QueueLimits.Overflow.DROP_OLDEST;
            case DROP_NEWEST -> QueueLimits.Overflow.DROP_NEWEST;
            case REJECT -> QueueLimits.Overflow.REJECT;
            case HOLD_ACK -> QueueLimits.Overflow.HOLD_ACK;
        };
    }

    private void warnOfFewFiles() {
        if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
            long files = system.getMaxFileDescriptorCount();
            int wanted = config.limits().maxConnections();
            if (files < (long) wanted + OTHER_FILES) {
                LOG.warn(
                        "limits.max-connections is {}, but this process may open only {} files;"
                                + " raise the limit (ulimit -n) to {}, or lower the key",
                        wanted,
                        files,
                        (long) wanted + OTHER_FILES);
            }
        }
    }

    /** The addresses that are open, in the order of the configuration. */
    public List<InetSocketAddress> addresses() {
        List<InetSocketAddress> addresses = new ArrayList<>();
        listeners.addresses().forEach(address -> addresses.add((InetSocketAddress) address));
        return addresses;
    }

    /** Takes no new connections, sends the clients away with 0x8B, writes out what is theirs, and ends. Blocks. */
    @Override
    public void close() {
        if (!stopped.compareAndSet(false, true)) {
            return;
        }
        boolean ready = phase == Operations.Phase.SERVING;
        phase = Operations.Phase.DRAINING;
        if (ready) {
            LOG.info("Stopping");
        }
        reload.close();
        listeners.stopAccepting();
        guard.close();
        sysTopics.close();
        clock.shutdownNow();
        if (otlp != null) {
            otlp.close();
        }
        broker.stop();
        access.close();
        listeners.close(config.server().drainTimeout().toMillis());
        loops.close();
        if (admin != null) {
            admin.close();
        }
        doors.close();
        backups.close();
        store.close();
        if (ready) {
            LOG.info("Stopped");
        }
    }
}
