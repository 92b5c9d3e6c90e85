package org.dunlin.server.cli.remote;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.LongUnaryOperator;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.TypeConversionException;

/**
 * The arguments of a command, each known by a field: the option {@code --away-seconds} is awaySeconds, the parameter FILTER is
 * filter, unless it is said otherwise. Main thread.
 */
public final class Arguments {
    private final CommandSpec spec;
    private final Map<String, Argument> arguments = new LinkedHashMap<>();
    private final Set<String> unsent = new HashSet<>();
    private String latest = "";
    private int parameters;

    Arguments(CommandSpec spec) {
        this.spec = spec;
    }

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
    }

    // ---- declared

    /** @param names like "-q, --qos" */
    static OptionSpec.Builder option(String names, String... description) {
        return OptionSpec.builder(names.split(", ")).description(description);
    }

    static Long number(String text) {
        try {
            return Long.valueOf(text);
        } catch (NumberFormatException none) {
            throw new TypeConversionException("'" + text + "' is no number");
        }
    }

    /** @param label like "read|write" */
    static List<String> choices(String label) {
        return List.of(label.split("\\|"));
    }

    static String choice(String text, String label) {
        if (choices(label).contains(text)) {
            return text;
        }
        throw new TypeConversionException("'" + text + "' is none of " + String.join(", ", choices(label)));
    }

    void add(OptionSpec.Builder builder) {
        OptionSpec option = builder.build();
        spec.addOption(option);
        remember(field(option), option);
    }

    /** @return its field */
    String latest() {
        return latest;
    }

    void addParameter(String label, String arity, Class<?> type, String... description) {
        PositionalParamSpec parameter = PositionalParamSpec.builder()
                .index(Integer.toString(parameters++))
                .paramLabel(label)
                .arity(arity)
                .type(type)
                .description(description)
                .build();
        spec.addPositional(parameter);
        remember(label.toLowerCase(Locale.ROOT), parameter);
    }

    /** Exactly one of them has to be given. */
    void addOneOf(OptionSpec.Builder... choices) {
        ArgGroupSpec.Builder group = ArgGroupSpec.builder().exclusive(true).multiplicity("1");
        for (OptionSpec.Builder choice : choices) {
            OptionSpec option = choice.required(true).build();
            group.addArg(option);
            remember(field(option), option);
        }
        spec.addArgGroup(group.build());
    }

    private static String field(OptionSpec option) {
        String[] words = option.longestName().replaceFirst("^--?", "").split("-");
        StringBuilder field = new StringBuilder(words[0]);
        for (int i = 1; i < words.length; i++) {
            field.append(Character.toUpperCase(words[i].charAt(0))).append(words[i], 1, words[i].length());
        }
        return field.toString();
    }

    private void remember(String field, ArgSpec argument) {
        arguments.put(field, new Argument(argument, LongUnaryOperator.identity(), null));
        latest = field;
    }

    /** The latest one is another field than its name says. */
    void rename(String field, LongUnaryOperator unit) {
        arguments.put(
                field,
                new Argument(Objects.requireNonNull(arguments.remove(latest)).spec(), unit, null));
        latest = field;
    }

    /** The latest one is that if it is not given. */
    void orElse(Object usual) {
        Argument argument = Objects.requireNonNull(arguments.get(latest));
        arguments.put(latest, new Argument(argument.spec(), argument.unit(), usual));
    }

    void doNotSend(String field) {
        unsent.add(field);
    }

    // ---- given

    /** What was given; null if nothing was. A flag is always there, true or false. */
    public @Nullable Object get(String field) {
        return Objects.requireNonNull(arguments.get(field), field).value();
    }

    public boolean isGiven(String field) {
        Object value = get(field);
        return value != null && !value.equals(false);
    }

    /** "" if nothing was given. */
    public String text(String field) {
        Object value = get(field);
        return value == null ? "" : value.toString();
    }

    /** Of a parameter that is a file. */
    public Path path(String field) {
        return (Path) Objects.requireNonNull(get(field));
    }

    /** Of an option that may be given several times. */
    public List<String> list(String field) {
        return get(field) instanceof List<?> several
                ? several.stream().map(String::valueOf).toList()
                : List.of();
    }

    boolean isFlag(String field) {
        return Objects.requireNonNull(arguments.get(field)).spec().arity().max() == 0;
    }

    /** As people type it. */
    String name(String field) {
        ArgSpec argument = Objects.requireNonNull(arguments.get(field)).spec();
        return argument instanceof OptionSpec option ? option.longestName() : argument.paramLabel();
    }

    /** What is sent of those that were given and are wanted, by field. */
    Map<String, Object> sent(Predicate<String> wanted) {
        Map<String, Object> sent = new LinkedHashMap<>();
        arguments.forEach((field, argument) -> {
            Object value = argument.value();
            if (value != null && !unsent.contains(field) && wanted.test(field)) {
                sent.put(field, value);
            }
        });
        return sent;
    }
}
