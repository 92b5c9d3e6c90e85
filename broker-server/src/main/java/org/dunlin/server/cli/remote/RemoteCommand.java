package org.dunlin.server.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.LongUnaryOperator;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ConfiguredFile;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.cli.JsonOption;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.OptionSpec;

/**
 * A command that asks a running broker, as it is declared: its {@link Arguments}, the requests that are made of them, and how people
 * read the answer. What it needs beside that (where the broker is, the token, JSON) it has by itself.
 *
 * <p>An argument stands in the path of a request where that has {@code {field}}; else it is a parameter of a GET, or a field of the
 * body that a POST or PUT has. Flags that choose a request ({@link #when}) are not sent. Main thread.
 */
@Command
public final class RemoteCommand implements Callable<Integer> {
    private static final int PAGE_MAX = 1000;

    private final Invocation invocation;
    private final CommandLine line;
    private final Arguments arguments;
    private final Map<String, Made<?>> fields = new LinkedHashMap<>();
    private final Set<String> forFile = new HashSet<>();
    private final List<Request> requests = new ArrayList<>();
    private @Nullable String condition;
    private Made<?> check = given -> null;
    private ToIntFunction<JsonNode> exitCode = answer -> ExitCode.OK;
    private @Nullable LocalWay localWay;
    private @Nullable Action action;

    @Mixin
    private RemoteOptions options = new RemoteOptions();

    /**
     * @param condition field that has to be given; null for none
     * @param whole whether all pages are asked for
     * @param refused fields that it has no use for
     */
    private record Request(
            @Nullable String condition, String method, String path, View view, boolean whole, List<String> refused) {
        private boolean has(String field) {
            return path.contains("{" + field + "}");
        }
    }

    /** @param option its field */
    private record LocalWay(ConfiguredFile kind, String option, OnFile change) {}

    /** What is made of the arguments, or of what is asked for because of them. */
    public interface Made<T> {
        /** @return null for nothing */
        @Nullable
        T of(Arguments given) throws ConfigException, CommandException;
    }

    /** How a command is done on a file, without a broker. */
    public interface OnFile {
        /** @return what the broker would answer: {@link JsonOption#object}, lists and values */
        Object answer(Path file, Arguments given) throws IOException, ConfigException, CommandException;
    }

    /** What a command does that is more than one request and its answer. */
    interface Action {
        int run(RemoteCommand command) throws ConfigException, CommandException;
    }

    public RemoteCommand(Invocation invocation, String name, String... description) {
        this.invocation = invocation;
        line = new CommandLine(this).setCommandName(name);
        line.getCommandSpec().usageMessage().description(description);
        arguments = new Arguments(line.getCommandSpec());
    }

    /** For {@link CommandLine#addSubcommand(Object)}. */
    public CommandLine line() {
        return line;
    }

    // ---- arguments

    /**
     * @param names like "-q, --qos"
     * @param label like NAME, or "read|write" if it is one of these
     */
    public RemoteCommand option(String names, String label, String... description) {
        return add(text(names, label, description));
    }

    public RemoteCommand requiredOption(String names, String label, String... description) {
        return add(text(names, label, description).required(true));
    }

    /** One that may stand alone. */
    public RemoteCommand option(String names, String label, Alone alone, String... description) {
        return add(text(names, label, description).arity("0..1").fallbackValue(alone.means()));
    }

    /** @param means what an option is that nothing follows */
    public record Alone(String means) {}

    /** May be given several times. */
    public RemoteCommand options(String names, String label, String... description) {
        return add(text(names, label, description).type(List.class).auxiliaryTypes(String.class));
    }

    /** @param label like FILE, or "read|write" if it is one of these */
    static OptionSpec.Builder text(String names, String label, String... description) {
        OptionSpec.Builder option =
                Arguments.option(names, description).paramLabel(label).type(String.class);
        return label.indexOf('|') < 0
                ? option
                : option.completionCandidates(Arguments.choices(label))
                        .converters(given -> Arguments.choice(given, label));
    }

    public RemoteCommand number(String names, String label, String... description) {
        return add(text(names, label, description).type(Long.class).converters(Arguments::number));
    }

    public RemoteCommand flag(String names, String... description) {
        return add(Arguments.option(names, description)
                .arity("0")
                .type(boolean.class)
                .initialValue(false));
    }

    private RemoteCommand add(OptionSpec.Builder option) {
        arguments.add(option);
        return this;
    }

    /** Exactly one of these has to be given. */
    RemoteCommand oneOf(OptionSpec.Builder... choices) {
        arguments.addOneOf(choices);
        return this;
    }

    public RemoteCommand parameter(String label, String... description) {
        arguments.addParameter(label, "1", String.class, description);
        return this;
    }

    public RemoteCommand optionalParameter(String label, String... description) {
        arguments.addParameter(label, "0..1", String.class, description);
        return this;
    }

    /** A file where this runs, which is not sent by itself. */
    public RemoteCommand fileParameter(String label, String... description) {
        arguments.addParameter(label, "1", Path.class, description);
        return unsent();
    }

    /** Which part of a long list. */
    RemoteCommand page() {
        return option("--after", "WHERE", "Goes on behind the former page.").limit();
    }

    RemoteCommand limit() {
        return number("--limit", "N", "Rows, up to 1000; 100 if it is not said.");
    }

    /** The argument before this is another field than its name says. */
    public RemoteCommand as(String field) {
        return as(field, LongUnaryOperator.identity());
    }

    /** @param unit from what people say to what is sent */
    public RemoteCommand as(String field, LongUnaryOperator unit) {
        arguments.rename(field, unit);
        return this;
    }

    /** What the argument before this is if it is not given. */
    public RemoteCommand orElse(String value) {
        arguments.orElse(value);
        return this;
    }

    /** The argument before this is for {@link #field} and {@link #onFile}, and not sent by itself. */
    public RemoteCommand unsent() {
        arguments.doNotSend(arguments.latest());
        return this;
    }

    /** That argument means something for a file only. */
    public RemoteCommand forFile(String field) {
        forFile.add(field);
        arguments.doNotSend(field);
        return this;
    }

    public RemoteCommand footer(String... lines) {
        line.getCommandSpec().usageMessage().footer(lines);
        return this;
    }

    // ---- what is done without a broker, and before one is asked

    /** A field that is sent beside the arguments. */
    public RemoteCommand field(String name, Made<?> value) {
        fields.put(name, value);
        return this;
    }

    /** Finds faults before a broker is asked. */
    public RemoteCommand check(Made<?> faults) {
        check = faults;
        return this;
    }

    /** Without --url, --token-file and --ca it is done on the file that people name, or their configuration. */
    public RemoteCommand onFile(ConfiguredFile kind, OnFile change) {
        String begin = kind.kind().substring(0, 1).toUpperCase(Locale.ROOT)
                + kind.kind().substring(1);
        add(text(kind.names(), "FILE", begin + "; without it " + kind.key() + " of the configuration.")
                .type(Path.class));
        localWay = new LocalWay(kind, arguments.latest(), change);
        return unsent();
    }

    // ---- requests, of which the first is made whose condition holds

    /** The request behind this is made only if that field is given. */
    public RemoteCommand when(String field) {
        condition = field;
        return this;
    }

    public RemoteCommand get(String path, View view) {
        return request("GET", path, view, false);
    }

    /** All pages of a list, as one. */
    public RemoteCommand getAll(String path, View view) {
        return request("GET", path, view, true);
    }

    public RemoteCommand post(String path, View view) {
        return request("POST", path, view, false);
    }

    public RemoteCommand put(String path, View view) {
        return request("PUT", path, view, false);
    }

    public RemoteCommand delete(String path) {
        return request("DELETE", path, View.DONE, false);
    }

    private RemoteCommand request(String method, String path, View view, boolean whole) {
        requests.add(new Request(condition, method, path, view, whole, List.of()));
        condition = null;
        return this;
    }

    /** The request before this has no use for those, and is not made if one is given. */
    public RemoteCommand without(String... fields) {
        Request latest = requests.remove(requests.size() - 1);
        requests.add(new Request(
                latest.condition(), latest.method(), latest.path(), latest.view(), latest.whole(), List.of(fields)));
        return this;
    }

    /** The exit code that an answer means, where it is not always 0. */
    public RemoteCommand exit(ToIntFunction<JsonNode> code) {
        exitCode = code;
        return this;
    }

    /** Does that instead of a request. */
    public RemoteCommand does(Action instead) {
        action = instead;
        return this;
    }

    // ---- run

    @Override
    public Integer call() throws ConfigException, CommandException {
        Action instead = action;
        if (instead != null) {
            return instead.run(this);
        }
        LocalWay local = localWay;
        if (local != null && !options.nameBroker()) {
            return end(ofFile(local), requests.get(0).view());
        }
        checkForBroker();
        check.of(arguments);
        Request request = requests.stream()
                .filter(each -> each.condition() == null || arguments.isGiven(each.condition()))
                .findFirst()
                .orElseThrow();
        checkFor(request);
        return end(
                request.whole() ? all(request) : client().ask(request.method(), target(request), body(request)),
                request.view());
    }

    private int end(JsonNode answer, View view) {
        show(answer, view);
        return exitCode.applyAsInt(answer);
    }

    private JsonNode ofFile(LocalWay local) throws ConfigException, CommandException {
        Path named = (Path) arguments.get(local.option());
        Path file = local.kind().choose(named, options.configuration(), invocation);
        try {
            return JsonOption.tree(local.change().answer(file, arguments));
        } catch (IOException e) {
            throw new CommandException(
                    ExitCode.USAGE,
                    file + " cannot be written: " + e.getMessage() + "; check that its directory exists and the rights",
                    e);
        }
    }

    private void checkFor(Request request) throws CommandException {
        for (String field : request.refused()) {
            if (arguments.isGiven(field)) {
                String condition = request.condition();
                List<String> conditions = requests.stream()
                        .flatMap(each -> Stream.ofNullable(each.condition()))
                        .map(arguments::name)
                        .toList();
                throw new CommandException(
                        ExitCode.USAGE,
                        condition == null
                                ? arguments.name(field) + " goes with " + String.join(" or ", conditions) + " only"
                                : arguments.name(field) + " does not go with " + arguments.name(condition)
                                        + "; leave out one of them");
            }
        }
    }

    private void checkForBroker() throws CommandException {
        LocalWay local = localWay;
        if (local != null && arguments.isGiven(local.option())) {
            throw new CommandException(
                    ExitCode.USAGE,
                    "a file and a broker are named; leave out " + arguments.name(local.option())
                            + ", or --url, --token-file and --ca");
        }
        for (String field : forFile) {
            if (arguments.isGiven(field)) {
                throw new CommandException(
                        ExitCode.USAGE,
                        arguments.name(field)
                                + " is for a file only; leave it out, or run this without --url where the file is");
            }
        }
    }

    /** What was given, as parameters of a GET. */
    String target(String path) throws ConfigException, CommandException {
        return target(new Request(null, "GET", path, View.DONE, false, List.of()));
    }

    private String target(Request request) throws ConfigException, CommandException {
        List<String> segments = new ArrayList<>();
        for (String segment : request.path().split("/")) {
            segments.add(
                    segment.startsWith("{") ? arguments.text(segment.substring(1, segment.length() - 1)) : segment);
        }
        String path = AdminClient.path(segments.toArray(String[]::new));
        return request.method().equals("GET") ? path + AdminClient.query(fields(request)) : path;
    }

    private JsonNode all(Request request) throws ConfigException, CommandException {
        AdminClient client = client();
        Map<String, Object> asked = fields(request);
        asked.put("limit", PAGE_MAX);
        JsonNode first = client.get(AdminClient.path(request.path()) + AdminClient.query(asked));
        for (JsonNode page = first; page.path("next").isTextual(); ) {
            asked.put("after", page.path("next").asText());
            page = client.get(AdminClient.path(request.path()) + AdminClient.query(asked));
            page.path("items").forEach(((ArrayNode) first.path("items"))::add);
        }
        ((ObjectNode) first).putNull("next");
        return first;
    }

    private @Nullable Object body(Request request) throws ConfigException, CommandException {
        if (!request.method().startsWith("P")) {
            return null;
        }
        Map<String, Object> fields = fields(request);
        return fields.isEmpty() ? null : fields;
    }

    /** What was given and stands neither in the path nor decides on it. */
    private Map<String, Object> fields(Request request) throws ConfigException, CommandException {
        Map<String, Object> sent =
                arguments.sent(field -> !request.has(field) && !(arguments.isFlag(field) && decides(field)));
        for (Map.Entry<String, Made<?>> each : fields.entrySet()) {
            Object value = each.getValue().of(arguments);
            if (value != null) {
                sent.put(each.getKey(), value);
            }
        }
        return sent;
    }

    private boolean decides(String field) {
        return requests.stream().anyMatch(each -> field.equals(each.condition()));
    }

    /** With the token, where that is needed. */
    AdminClient client() throws ConfigException, CommandException {
        return options.client(invocation, true, whatThereIs());
    }

    private String whatThereIs() {
        CommandLine group = line.getParent();
        return group != null && group.getSubcommands().containsKey("list")
                ? "; '" + group.getCommandSpec().qualifiedName() + " list' shows what there is"
                : "";
    }

    /** For what anybody may ask. */
    AdminClient clientWithoutToken() throws ConfigException, CommandException {
        return options.client(invocation, false, "");
    }

    Arguments arguments() {
        return arguments;
    }

    boolean json() {
        return options.json();
    }

    PrintWriter out() {
        return line.getOut();
    }

    /** As JSON, if that is asked for. */
    void show(JsonNode answer, View view) {
        PrintWriter out = out();
        if (json()) {
            JsonOption.print(answer, out);
        } else {
            view.print(answer, out);
        }
        out.flush();
    }
}
