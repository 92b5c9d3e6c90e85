package org.dunlin.server.cli;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.kqueue.KQueue;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code dunlin version}: what is running here, for people and for reports of faults. Main thread. */
@Command(name = "version", description = "Shows the version of Dunlin and Java, and the native transports found.")
public final class VersionCommand implements Callable<Integer> {
    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean help;

    VersionCommand() {}

    /** Like "1.0.0", as built. */
    public static String version() {
        Properties properties = new Properties();
        try (InputStream in = VersionCommand.class.getResourceAsStream("version.properties")) {
            properties.load(Objects.requireNonNull(in, "version.properties"));
        } catch (IOException unreadable) {
            throw new IllegalStateException("version.properties is not part of the jar", unreadable);
        }
        return properties.getProperty("version");
    }

    @Override
    public Integer call() {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        out.println("Dunlin " + version());
        out.println("Java " + System.getProperty("java.version") + " (" + System.getProperty("java.vendor") + ")");
        out.println("System " + System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        out.println("Transports " + (Epoll.isAvailable() ? "epoll, " : "") + (KQueue.isAvailable() ? "kqueue, " : "")
                + "nio");
        out.flush();
        return ExitCode.OK;
    }
}
