package org.dunlin.server;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.dunlin.core.spi.StoreException;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.CommandLineInterface;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Launcher;
import org.dunlin.server.cli.VersionCommand;
import org.dunlin.server.config.Config;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.ConfigLoader.Loaded;
import org.dunlin.server.config.Fault;
import org.dunlin.server.logging.LastWords;
import org.dunlin.server.logging.Logging;
import org.dunlin.server.net.ListenException;
import org.dunlin.server.net.Supervisor;
import org.dunlin.server.net.Transport;
import org.dunlin.server.net.tls.NativeTls;

/** The way in. Main thread. */
public final class Main {
    private static final long STARTED_NANOS = System.nanoTime();
    private static final Duration LOG_FLUSH = Duration.ofSeconds(2);
    /** Events of Netty's allocator for Java's flight recorder: the first buffer would load all of it, 10 MB and 0.1 s. */
    private static final String NETTY_EVENTS = "io.netty.jfr.enabled";

    private Main() {}

    public static void main(String[] arguments) {
        LastWords.prepare();
        if (System.getProperty(NETTY_EVENTS) == null) {
            System.setProperty(NETTY_EVENTS, "false");
        }
        int exitCode = run(
                new Launcher() {
                    @Override
                    public int run(Loaded loaded) throws Exception {
                        return start(loaded);
                    }

                    @Override
                    public void check(Loaded loaded) throws ConfigException {
                        checkFiles(loaded);
                    }

                    @Override
                    public Runnable ahead() {
                        return loadAhead();
                    }
                },
                arguments);
        System.exit(exitCode);
    }

    /** Loads what every start needs, the log and the transport. @return waits for it: nothing may be found half done */
    private static Runnable loadAhead() {
        Thread ahead = new Thread(Transport::available, "dunlin-ahead");
        ahead.setDaemon(true);
        ahead.start();
        return () -> {
            try {
                ahead.join();
            } catch (InterruptedException nobodyInterrupts) {
                Thread.currentThread().interrupt();
            }
        };
    }

    /** The files that a configuration names. */
    private static void checkFiles(Loaded loaded) throws ConfigException {
        List<Fault> faults = new ArrayList<>(Doors.faults(loaded.config(), loaded.settings()));
        faults.addAll(Access.faults(loaded.config()));
        if (!faults.isEmpty()) {
            throw new ConfigException(faults);
        }
    }

    /** @return one of {@link ExitCode}, once the log is written or two seconds have passed */
    static int run(Launcher launcher, String... arguments) {
        String home = System.getProperty("dunlin.home");
        List<Path> defaultConfig = home == null ? List.of() : List.of(Path.of(home, "conf", "dunlin.yaml"));
        try {
            return new CommandLineInterface(launcher, Main::natives, System.getenv(), defaultConfig)
                    .printTo(utf8(FileDescriptor.out), utf8(FileDescriptor.err))
                    .run(arguments);
        } finally {
            Logging.flush(LOG_FLUSH);
        }
    }

    /** As the log and the files of the configuration, whatever the locale: what is shown can be read again. */
    private static PrintWriter utf8(FileDescriptor stream) {
        return new PrintWriter(new OutputStreamWriter(new FileOutputStream(stream), StandardCharsets.UTF_8), true);
    }

    private static List<String> natives() {
        return List.of("Transports " + String.join(", ", transports()), "TLS " + NativeTls.describe());
    }

    private static List<String> transports() {
        return Transport.available().stream().map(Transport::toString).toList();
    }

    /** Returns only if the broker cannot start; a signal ends the process with 0 once all is written out. */
    private static int start(Loaded loaded) throws CommandException, ConfigException, InterruptedException {
        Config config = loaded.config();
        Transport transport = BrokerServer.transport(config);
        if (!transport.isAvailable()) {
            throw new CommandException(
                    ExitCode.USAGE,
                    "server.transport: '" + transport + "' does not work here; leave it at auto, or choose one of "
                            + String.join(", ", transports()));
        }
        Supervisor supervisor = new Supervisor(System.getenv("NOTIFY_SOCKET"));
        supervisor.status("Bringing back what is stored");
        BrokerServer server;
        try {
            server = BrokerServer.start(loaded, Main::checkFiles, supervisor, VersionCommand.version());
        } catch (ListenException e) {
            throw new CommandException(
                    e.isAddressInUse() ? ExitCode.ADDRESS_IN_USE : ExitCode.USAGE, String.valueOf(e.getMessage()), e);
        } catch (StoreException e) {
            throw new CommandException(ExitCode.DATA_DIRECTORY, String.valueOf(e.getMessage()), e);
        }
        Runtime runtime = Runtime.getRuntime();
        runtime.addShutdownHook(new Thread(
                () -> {
                    supervisor.stopping();
                    server.close();
                    Logging.flush(LOG_FLUSH);
                    runtime.halt(ExitCode.OK); // the JVM's own answer to SIGTERM would be 143
                },
                "dunlin-stop"));
        Hangup.handle(() -> server.reload("SIGHUP"));
        server.announce(STARTED_NANOS);
        supervisor.ready("Serving");
        new CountDownLatch(1).await();
        return ExitCode.OK;
    }
}
