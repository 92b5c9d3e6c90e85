package org.dunlin.server.cli.security;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import org.dunlin.mqtt.Qos;
import org.dunlin.server.acl.AclFile;
import org.dunlin.server.acl.Action;
import org.dunlin.server.acl.Explanation;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.CommandGroup;
import org.dunlin.server.cli.ConfiguredFile;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.cli.JsonOption;
import org.dunlin.server.cli.Line;
import org.dunlin.server.cli.remote.Arguments;
import org.dunlin.server.cli.remote.RemoteCommand;
import org.dunlin.server.cli.remote.View;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.files.FileReplacement;
import picocli.CommandLine;

/** {@code dunlin acl}: the rules of an ACL file, or of a running broker. Main thread. */
public final class AclCommand {
    private static final ConfiguredFile RIGHTS = new ConfiguredFile(
            "ACL file",
            "--acl-file",
            "-f, --acl-file",
            "auth.acl-file",
            config -> config.auth().aclFile(),
            ". Without one everybody may do everything");

    private AclCommand() {}

    public static CommandLine with(Invocation invocation) {
        return CommandGroup.of(
                "acl",
                "Says who may do what by an ACL file, and why; shows or replaces the file. With --url it is that of a"
                        + " running broker.",
                new RemoteCommand(invocation, "show", "Shows the ACL file as it is.")
                        .get(
                                "acl",
                                (answer, out) -> out.print(answer.path("text").asText()))
                        .onFile(RIGHTS, (file, given) -> JsonOption.object("path", file.toString(), "text", read(file)))
                        .line(),
                new RemoteCommand(
                                invocation,
                                "set",
                                "Replaces the ACL file, if the new one has no fault; a running broker follows.")
                        .fileParameter("FILE", "With the new rules; - for standard input.")
                        .field("text", AclCommand::newRules)
                        .put("acl", View.DONE)
                        .onFile(RIGHTS, AclCommand::replace)
                        .line(),
                explain(invocation));
    }

    private static RemoteCommand question(Invocation invocation) {
        return new RemoteCommand(
                        invocation, "explain", "Says whether a client may do something, and which rule decides.")
                .option("-u, --user", "NAME", "User name; without it a client that has none.")
                .option("-i, --client-id", "ID", "Client identifier, for patterns; 'client' if not given.")
                .orElse("client")
                .options(
                        "-g, --group",
                        "NAME",
                        "A group that the client's token names, beside those of the file; may be repeated.")
                .forFile("group")
                .requiredOption("-a, --action", "ACTION", "publish, subscribe or receive.")
                .requiredOption("-t, --topic", "TOPIC", "Topic name; with subscribe a topic filter.")
                .number("-q, --qos", "QOS", "0, 1 or 2; 0 if not given.")
                .flag("-r, --retain", "Publish with RETAIN.")
                .footer("", "Exit code 0 if it is allowed, 5 if not, 2 if the ACL file or the question has a fault.");
    }

    private static CommandLine explain(Invocation invocation) {
        return question(invocation)
                .check(AclCommand::question)
                .get(
                        "acl/explain",
                        (answer, out) -> answer.path("lines").forEach(line -> out.println(Line.of(line.asText()))))
                .exit(answer -> answer.path("allowed").asBoolean() ? ExitCode.OK : ExitCode.DENIED)
                .onFile(RIGHTS, (file, given) -> {
                    Explanation explanation = Explanation.of(AclFile.read(file), question(given));
                    return JsonOption.object("allowed", explanation.allowed(), "lines", explanation.lines());
                })
                .line();
    }

    private static Explanation.Question question(Arguments given) throws CommandException {
        String qos = given.isGiven("qos") ? given.text("qos") : "0";
        if (!qos.matches("[012]")) {
            throw new CommandException(ExitCode.USAGE, "--qos is " + qos + "; give 0, 1 or 2");
        }
        String topic = given.text("topic");
        Explanation.Question question = new Explanation.Question(
                given.text("clientId"),
                given.isGiven("user") ? given.text("user") : null,
                given.list("group"),
                action(given.text("action")),
                topic,
                Qos.of(Integer.parseInt(qos)),
                given.isGiven("retain"));
        String unfit = question.unfit();
        if (unfit != null) {
            throw new CommandException(ExitCode.USAGE, "--topic '" + topic + "' " + unfit + "; correct it");
        }
        return question;
    }

    private static Action action(String word) throws CommandException {
        for (Action known : Action.values()) {
            if (known.word().equals(word.toLowerCase(Locale.ROOT))) {
                return known;
            }
        }
        throw new CommandException(
                ExitCode.USAGE, "--action '" + word + "' is not known; give publish, subscribe or receive");
    }

    private static String read(Path file) throws ConfigException {
        return new String(AclFile.named(file).read(), StandardCharsets.UTF_8);
    }

    /** Faults are told with the lines of the new file. */
    private static String newRules(Arguments given) throws ConfigException, CommandException {
        String name = given.text("file");
        byte[] content;
        if (name.equals("-")) {
            try {
                content = System.in.readAllBytes();
            } catch (IOException e) {
                throw new CommandException(ExitCode.USAGE, "standard input cannot be read: " + e.getMessage(), e);
            }
        } else {
            content = AclFile.named(given.path("file")).read();
        }
        AclFile.parse(name.equals("-") ? "standard input" : name, content);
        return new String(content, StandardCharsets.UTF_8);
    }

    private static Object replace(Path file, Arguments given) throws IOException, ConfigException, CommandException {
        byte[] content = newRules(given).getBytes(StandardCharsets.UTF_8);
        new FileReplacement(AclFile.named(file)).apply(true, former -> content);
        return JsonOption.object("done", RIGHTS.followed("replaced " + file));
    }
}
