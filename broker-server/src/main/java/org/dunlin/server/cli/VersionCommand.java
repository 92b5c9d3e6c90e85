package org.dunlin.server.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code dunlin version}: what is running here, for people and for reports of faults. Main thread. */
@Command(name = "version", description = "Shows the version of Dunlin and Java, and the native libraries found.")
public final class VersionCommand implements Callable<Integer> {
    private final Supplier<List<String>> natives;

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private HelpOption help = new HelpOption();

    @Mixin
    private JsonOption json = new JsonOption();

    /** @param natives lines for people; asked only when the command runs, since looking loads native libraries */
    VersionCommand(Supplier<List<String>> natives) {
        this.natives = natives;
    }

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
        String java = System.getProperty("java.version") + " (" + System.getProperty("java.vendor") + ")";
        String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
        if (json.isOn()) {
            JsonOption.print(
                    JsonOption.object("dunlin", version(), "java", java, "system", system, "natives", natives.get()),
                    out);
            return ExitCode.OK;
        }
        out.println("Dunlin " + version());
        out.println("Java " + java);
        out.println("System " + system);
        natives.get().forEach(out::println);
        out.flush();
        return ExitCode.OK;
    }
}
