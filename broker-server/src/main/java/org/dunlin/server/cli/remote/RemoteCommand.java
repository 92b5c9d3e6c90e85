package org.dunlin.server.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.LongUnaryOperator;
import java.util.function.ToIntFunction;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/**
 * A command that asks a running broker, as it is declared: its arguments, the requests that are made of them, and how people read
 * the answer. What it needs beside that (where the broker is, the token, JSON) it has by itself.
 *
 * <p>Each argument is a field of the API: the option {@code --away-seconds} is awaySeconds, the parameter FILTER is filter, unless
 * {@link #as} says another name. What is given stands in the path where that has {@code {field}}; else it is a parameter of a GET, or
 * a field of the body that a POST or PUT has. Flags that choose a request ({@link #when}) are not sent. Main thread.
 */
@Command
public final class RemoteCommand implements Callable<Integer> {
    private final Invocation invocation;
    private final Map<String, Argument> arguments = new LinkedHashMap<>();
    private final List<Request> requests = new ArrayList<>();
    private String latest = "";
    private @Nullable String condition;
    private int parameters;
    private ToIntFunction<JsonNode> exitCode = answer -> ExitCode.OK;
    private @Nullable Action action;

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private RemoteOptions options = new RemoteOptions();

    private final CommandLine commandLine;

    /**
     * @param unit from what people say to what is sent
     * @param usual if nothing is said
     */
    private record Argument(
            ArgSpec spec, LongUnaryOperator unit, @Nullable Object usual) {
        private @Nullable Object value() {
            Object value = spec.getValue() == null ? usual : spec.getValue();
            return value instanceof Long number ? (Object) unit.applyAsLong(number) : value;
        }

        private boolean isFlag() {
            return spec.arity().max() == 0;
        }
    }

    /** @param condition field that has to be given; null for none */
    private record Request(@Nullable String condition, String method, String path, View view) {
        private boolean has(String field) {
            return path.contains("{" + field + "}");
        }
    }

    /** What a command does that is more than one request and its answer. */
    public interface Action {
        int run(RemoteCommand command) throws ConfigException, CommandException;
    }

    public RemoteCommand(Invocation invocation, String name, String... description) {
        this.invocation = invocation;
        commandLine = new CommandLine(this).setCommandName(name);
        spec().usageMessage().description(description);
    }

    private CommandSpec spec() {
        return Objects.requireNonNull(spec);
    }

    /** For {@link CommandLine#addSubcommand(Object)}. */
    public CommandLine line() {
        return commandLine;
    }

    // ---- arguments

    /** @param names like "-q, --qos" */
    public RemoteCommand option(String names, String label, String... description) {
        return add(named(names).paramLabel(label).type(String.class).description(description));
    }

    public RemoteCommand number(String names, String label, String... description) {
        return add(named(names)
                .paramLabel(label)
                .type(Long.class)
                .converters(RemoteCommand::number)
                .description(description));
    }

    public RemoteCommand flag(String names, String... description) {
        return add(named(names).arity("0").type(boolean.class).description(description));
    }

    private static OptionSpec.Builder named(String names) {
        return OptionSpec.builder(names.split(", "));
    }

    private static Long number(String text) {
        try {
            return Long.valueOf(text);
        } catch (NumberFormatException none) {
            throw new TypeConversionException("'" + text + "' is no number");
        }
    }

    public RemoteCommand requiredOption(String names, String label, String... description) {
        return add(
                named(names).paramLabel(label).type(String.class).required(true).description(description));
    }

    public RemoteCommand parameter(String label, String... description) {
        return add(label, "1", description);
    }

    public RemoteCommand optionalParameter(String label, String... description) {
        return add(label, "0..1", description);
    }

    private RemoteCommand add(String label, String arity, String... description) {
        PositionalParamSpec parameter = PositionalParamSpec.builder()
                .index(Integer.toString(parameters++))
                .paramLabel(label)
                .arity(arity)
                .type(String.class)
                .description(description)
                .build();
        spec().addPositional(parameter);
        return remember(label.toLowerCase(Locale.ROOT), parameter);
    }

    private RemoteCommand add(OptionSpec.Builder builder) {
        OptionSpec option = builder.build();
        spec().addOption(option);
        return remember(field(option), option);
    }

    /** Exactly one of these has to be given; each is name, label and description. */
    RemoteCommand oneOf(String[]... choices) {
        ArgGroupSpec.Builder group = ArgGroupSpec.builder().exclusive(true).multiplicity("1");
        for (String[] choice : choices) {
            OptionSpec option = named(choice[0])
                    .paramLabel(choice[1])
                    .type(String.class)
                    .required(true)
                    .description(choice[2])
                    .build();
            group.addArg(option);
            remember(field(option), option);
        }
        spec().addArgGroup(group.build());
        return this;
    }

    /** {@code --away-seconds} is awaySeconds. */
    private static String field(OptionSpec option) {
        String[] words = option.longestName().replaceFirst("^--?", "").split("-");
        StringBuilder field = new StringBuilder(words[0]);
        for (int i = 1; i < words.length; i++) {
            field.append(Character.toUpperCase(words[i].charAt(0))).append(words[i], 1, words[i].length());
        }
        return field.toString();
    }

    private RemoteCommand remember(String field, ArgSpec argument) {
        arguments.put(field, new Argument(argument, LongUnaryOperator.identity(), null));
        latest = field;
        return this;
    }

    /** The argument before this is another field than its name says. */
    public RemoteCommand as(String field) {
        return as(field, LongUnaryOperator.identity());
    }

    /** @param unit from what people say to what is sent */
    public RemoteCommand as(String field, LongUnaryOperator unit) {
        arguments.put(
                field,
                new Argument(Objects.requireNonNull(arguments.remove(latest)).spec(), unit, null));
        latest = field;
        return this;
    }

    /** What is sent if the argument before this is not given. */
    RemoteCommand orElse(String value) {
        Argument argument = Objects.requireNonNull(arguments.get(latest));
        arguments.put(latest, new Argument(argument.spec(), argument.unit(), value));
        return this;
    }

    /** Which part of a long list. */
    RemoteCommand page() {
        return option("--after", "WHERE", "Goes on behind the former page.").limit();
    }

    RemoteCommand limit() {
        return number("--limit", "N", "Rows, up to 1000; 100 if it is not said.");
    }

    public RemoteCommand footer(String... lines) {
        spec().usageMessage().footer(lines);
        return this;
    }

    // ---- requests, of which the first is made whose condition holds

    /** The request behind this is made only if that field is given. */
    public RemoteCommand when(String field) {
        condition = field;
        return this;
    }

    public RemoteCommand get(String path, View view) {
        return request("GET", path, view);
    }

    public RemoteCommand post(String path, View view) {
        return request("POST", path, view);
    }

    public RemoteCommand put(String path, View view) {
        return request("PUT", path, view);
    }

    public RemoteCommand delete(String path) {
        return request("DELETE", path, View.DONE);
    }

    private RemoteCommand request(String method, String path, View view) {
        requests.add(new Request(condition, method, path, view));
        condition = null;
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
        Request request = requests.stream()
                .filter(each -> each.condition() == null || isGiven(each.condition()))
                .findFirst()
                .orElseThrow();
        JsonNode answer = client().ask(request.method(), target(request), body(request));
        show(answer, request.view());
        return exitCode.applyAsInt(answer);
    }

    /** What was given; null if nothing was. A flag is always there. */
    @Nullable
    Object given(String field) {
        return Objects.requireNonNull(arguments.get(field)).value();
    }

    boolean isGiven(String field) {
        Object value = given(field);
        return value != null && !value.equals(false);
    }

    /** What was given, as parameters of a GET. */
    String target(String path) {
        return target(new Request(null, "GET", path, View.DONE));
    }

    private String target(Request request) {
        List<String> segments = new ArrayList<>();
        for (String segment : request.path().split("/")) {
            segments.add(
                    segment.startsWith("{")
                            ? String.valueOf(given(segment.substring(1, segment.length() - 1)))
                            : segment);
        }
        String path = AdminClient.path(segments.toArray(String[]::new));
        return request.method().equals("GET") ? path + AdminClient.query(fields(request)) : path;
    }

    private @Nullable Object body(Request request) {
        if (!request.method().startsWith("P")) {
            return null;
        }
        Map<String, Object> fields = fields(request);
        return fields.isEmpty() ? null : fields;
    }

    /** What was given and stands neither in the path nor decides on it. */
    private Map<String, Object> fields(Request request) {
        Map<String, Object> fields = new LinkedHashMap<>();
        arguments.forEach((field, argument) -> {
            boolean decides = argument.isFlag() && requests.stream().anyMatch(each -> field.equals(each.condition()));
            Object value = argument.value();
            if (value != null && !decides && !request.has(field)) {
                fields.put(field, value);
            }
        });
        return fields;
    }

    /** With the token, where that is needed. */
    AdminClient client() throws ConfigException, CommandException {
        return options.client(invocation, true);
    }

    /** For what anybody may ask. */
    AdminClient clientWithoutToken() throws ConfigException, CommandException {
        return options.client(invocation, false);
    }

    boolean json() {
        return options.json();
    }

    PrintWriter out() {
        return spec().commandLine().getOut();
    }

    /** As JSON, if that is asked for. */
    void show(JsonNode answer, View view) {
        PrintWriter out = out();
        if (json()) {
            out.println(answer.toPrettyString());
        } else {
            view.print(answer, out);
        }
        out.flush();
    }
}
