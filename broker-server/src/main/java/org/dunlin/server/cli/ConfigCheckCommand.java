package org.dunlin.server.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.dunlin.server.acl.AclFile;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.ConfigLoader;
import org.dunlin.server.config.ConfigLoader.Loaded;
import org.dunlin.server.config.Fault;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code dunlin config check}: reads one file and those of users that it names, whatever the environment says. Main thread. */
@Command(
        name = "check",
        description = {
            "Reads a configuration file and lists every fault at once, and those of the certificates, keys",
            "and revocation lists that it names; changes nothing and opens no port."
        },
        footer = {"", "Exit code 0 if the file is fine, 2 if not. Environment variables are not looked at."})
final class ConfigCheckCommand implements Callable<Integer> {
    private final Launcher launcher;

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "FILE", description = "The file to check.")
    private @Nullable Path file;

    @Mixin
    private HelpOption help = new HelpOption();

    @Mixin
    private JsonOption json = new JsonOption();

    ConfigCheckCommand(Launcher launcher) {
        this.launcher = launcher;
    }

    @Override
    public Integer call() throws ConfigException {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        List<String> warnings = new ArrayList<>();
        try {
            Loaded loaded = ConfigLoader.load(file, Map.of(), List.of());
            warnings.addAll(loaded.warnings());
            check(loaded, warnings);
        } catch (ConfigException faulty) {
            if (!json.isOn()) {
                throw faulty;
            }
            List<String> faults = faulty.faults().stream().map(Fault::toString).toList();
            JsonOption.print(JsonOption.object("faults", faults, "warnings", warnings), out);
            return ExitCode.USAGE;
        }
        if (json.isOn()) {
            JsonOption.print(JsonOption.object("faults", List.of(), "warnings", warnings), out);
            return ExitCode.OK;
        }
        for (String warning : warnings) {
            out.println("warning: " + warning);
        }
        out.println(Line.of(String.valueOf(file)) + ": no faults");
        out.flush();
        return ExitCode.OK;
    }

    /** Reads the files that are named, so that all their faults are told at once. */
    private void check(Loaded loaded, List<String> warnings) throws ConfigException {
        List<Fault> faults = new ArrayList<>();
        try {
            launcher.check(loaded);
        } catch (ConfigException e) {
            faults.addAll(e.faults());
        }
        String aclFile = loaded.config().auth().aclFile();
        if (!aclFile.isEmpty()) {
            try {
                warnings.addAll(AclFile.read(Path.of(aclFile)).warnings());
            } catch (ConfigException e) {
                e.faults().stream().filter(fault -> !faults.contains(fault)).forEach(faults::add);
            }
        }
        if (!faults.isEmpty()) {
            throw new ConfigException(faults);
        }
    }
}
