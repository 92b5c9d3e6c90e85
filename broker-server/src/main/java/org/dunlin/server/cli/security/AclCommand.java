package org.dunlin.server.cli.security;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.dunlin.mqtt.Qos;
import org.dunlin.server.acl.AclFile;
import org.dunlin.server.acl.Action;
import org.dunlin.server.acl.Explanation;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ConfigOptions;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.cli.Line;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code dunlin acl}: answers questions about an ACL file. Main thread. */
@Command(
        name = "acl",
        description = "Says who may do what by an ACL file, and why.",
        synopsisSubcommandLabel = "COMMAND")
public final class AclCommand implements Runnable {
    private static final ConfiguredFile RIGHTS = new ConfiguredFile(
            "ACL file",
            "--acl-file",
            "auth.acl-file",
            config -> config.auth().aclFile(),
            ". Without one everybody may do everything");

    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean help;

    public static CommandLine with(Invocation invocation) {
        return new CommandLine(new AclCommand()).addSubcommand(new Explain(invocation));
    }

    @Override
    public void run() {
        if (spec != null) {
            throw new ParameterException(spec.commandLine(), "no command is given: explain");
        }
    }

    /** {@code dunlin acl explain}. Main thread. */
    @Command(
            name = "explain",
            description = "Says whether a client may do something, and which rule decides.",
            footer = {"", "Exit code 0 if it is allowed, 5 if not, 2 if the ACL file or the question has a fault."})
    static final class Explain implements Callable<Integer> {
        private final Invocation invocation;

        @Spec
        private @Nullable CommandSpec spec;

        @Mixin
        private ConfigOptions options = new ConfigOptions();

        @Option(
                names = {"-f", "--acl-file"},
                paramLabel = "FILE",
                description = "ACL file; without it auth.acl-file of the configuration.")
        private @Nullable Path file;

        @Option(
                names = {"-u", "--user"},
                paramLabel = "NAME",
                description = "User name; without it a client that has none.")
        private @Nullable String user;

        @Option(
                names = {"-i", "--client-id"},
                paramLabel = "ID",
                description = "Client identifier, for patterns; 'client' if not given.")
        private String clientId = "client";

        @Option(
                names = {"-g", "--group"},
                paramLabel = "NAME",
                description = "A group that the client's token names, beside those of the file; may be repeated.")
        private List<String> groups = new ArrayList<>();

        @Option(
                names = {"-a", "--action"},
                required = true,
                paramLabel = "ACTION",
                description = "publish, subscribe or receive.")
        private String action = "";

        @Option(
                names = {"-t", "--topic"},
                required = true,
                paramLabel = "TOPIC",
                description = "Topic name; with subscribe a topic filter.")
        private String topic = "";

        @Option(
                names = {"-q", "--qos"},
                paramLabel = "QOS",
                description = "0, 1 or 2; 0 if not given.")
        private int qos;

        @Option(
                names = {"-r", "--retain"},
                description = "Publish with RETAIN.")
        private boolean retain;

        Explain(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            Explanation.Question question = question();
            Explanation explanation = Explanation.of(AclFile.read(file()), question);
            PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
            explanation.lines().forEach(line -> out.println(Line.of(line)));
            out.flush();
            return explanation.allowed() ? ExitCode.OK : ExitCode.DENIED;
        }

        private Explanation.Question question() throws CommandException {
            if (qos < 0 || qos > 2) {
                throw new CommandException(ExitCode.USAGE, "--qos is " + qos + "; give 0, 1 or 2");
            }
            Explanation.Question question =
                    new Explanation.Question(clientId, user, groups, action(), topic, Qos.of(qos), retain);
            String unfit = question.unfit();
            if (unfit != null) {
                throw new CommandException(ExitCode.USAGE, "--topic '" + topic + "' " + unfit + "; correct it");
            }
            return question;
        }

        private Action action() throws CommandException {
            for (Action known : Action.values()) {
                if (known.word().equals(action.toLowerCase(Locale.ROOT))) {
                    return known;
                }
            }
            throw new CommandException(
                    ExitCode.USAGE, "--action '" + action + "' is not known; give publish, subscribe or receive");
        }

        private Path file() throws ConfigException, CommandException {
            return RIGHTS.choose(file, options, invocation);
        }
    }
}
