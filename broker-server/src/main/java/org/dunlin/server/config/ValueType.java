package org.dunlin.server.config;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.server.share.AddressBlock;

/**
 * How a value is written: text to value and back, and the words for what is allowed. Whatever source a value comes
 * from, it comes as text. Any thread.
 *
 * @param allowed like "0 to 2", completing the sentence "allowed: ..."
 * @param isList whether its texts have commas between its parts, which YAML may also write as a list
 */
record ValueType<T>(String allowed, Parser<T> parser, Function<T, String> formatter, boolean isList) {
    private static final Pattern INTEGER = Pattern.compile("[+-]?[0-9]{1,30}");
    private static final Pattern RANGE = Pattern.compile("[0-9A-Fa-f:.]{2,45}(/[0-9]{1,3})?");
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,30})(B|KB|MB|GB)?");
    private static final Pattern DURATION = Pattern.compile("([0-9]{1,30})(ms|s|m|h|d)?");
    private static final String OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    private static final Pattern IPV4 = Pattern.compile(OCTET + "(\\." + OCTET + "){3}");
    private static final Pattern IPV6 = Pattern.compile("[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9_.-]{1,32})?");
    private static final Map<String, Long> SIZE_UNITS = descending("GB", 1L << 30, "MB", 1L << 20, "KB", 1L << 10);
    private static final Map<String, Long> DURATION_UNITS =
            descending("d", 86_400_000L, "h", 3_600_000L, "m", 60_000L, "s", 1000L, "ms", 1L);
    private static final int TEXT_MAX = 1024;

    private ValueType(String allowed, Parser<T> parser, Function<T, String> formatter) {
        this(allowed, parser, formatter, false);
    }

    /** Text to value. */
    interface Parser<T> {
        T parse(String text) throws Unfit;
    }

    /** A text that is not a value of the type; the message completes the sentence "'text' ...". */
    static final class Unfit extends Exception {
        private static final long serialVersionUID = 1L;

        Unfit(String what) {
            super(what, null, false, false);
        }

        String what() {
            return String.valueOf(getMessage());
        }
    }

    T parse(String text) throws Unfit {
        return parser.parse(text);
    }

    String format(T value) {
        return formatter.apply(value);
    }

    static ValueType<Integer> integer(int min, int max) {
        return new ValueType<>(
                min + " to " + max,
                text -> {
                    if (!INTEGER.matcher(text).matches()) {
                        throw new Unfit("is not a whole number");
                    }
                    return (int) within(text, 1, min, max);
                },
                value -> Integer.toString(value));
    }

    /** Bytes; written as 512, 64KB, 10MB, 1GB with steps of 1024. */
    /** A size, or 0 for what the key says. */
    static ValueType<Long> sizeOrZero(long min, long max) {
        ValueType<Long> size = size(min, max);
        return new ValueType<>(
                "0, or " + size.allowed(), text -> text.equals("0") ? 0L : size.parse(text), ValueType::sizeText);
    }

    static ValueType<Long> size(long min, long max) {
        return new ValueType<>(
                "a size from " + sizeText(min) + " to " + sizeText(max),
                text -> {
                    Matcher m = SIZE.matcher(text.toUpperCase(Locale.ROOT));
                    if (!m.matches()) {
                        throw new Unfit("is not a size like 64KB or 10MB");
                    }
                    String unit = m.group(2);
                    long factor = unit == null ? 1 : SIZE_UNITS.getOrDefault(unit, 1L);
                    return within(m.group(1), factor, min, max);
                },
                ValueType::sizeText);
    }

    /** A time in steps of a millisecond. */
    static ValueType<Duration> duration(Duration min, Duration max) {
        return duration(min, max, 1);
    }

    /** A time in whole seconds, as the standard counts. */
    static ValueType<Duration> seconds(long min, long max) {
        return duration(Duration.ofSeconds(min), Duration.ofSeconds(max), 1000);
    }

    private static ValueType<Duration> duration(Duration min, Duration max, int stepMillis) {
        String steps = stepMillis == 1000 ? ", in whole seconds" : "";
        return new ValueType<>(
                "a time from " + durationText(min) + " to " + durationText(max) + steps,
                text -> {
                    Matcher m = DURATION.matcher(text);
                    if (!m.matches()) {
                        throw new Unfit("is not a time like 500ms, 10s, 5m, 1h or 7d");
                    }
                    String unit = m.group(2);
                    if (unit == null && !m.group(1).matches("0+")) {
                        throw new Unfit("has no unit (ms, s, m, h or d)");
                    }
                    long factor = unit == null ? 1 : DURATION_UNITS.getOrDefault(unit, 1L);
                    long millis = within(m.group(1), factor, min.toMillis(), max.toMillis());
                    if (millis % stepMillis != 0) {
                        throw new Unfit("is not a whole number of seconds");
                    }
                    return Duration.ofMillis(millis);
                },
                ValueType::durationText);
    }

    static ValueType<Boolean> bool() {
        return choice(ordered("true", true, "false", false), Set.of());
    }

    /**
     * One of some words, exactly as written.
     *
     * @param later words that a later version will understand; refused with that news
     */
    static <T> ValueType<T> choice(Map<String, T> values, Set<String> later) {
        return new ValueType<>(
                String.join(", ", values.keySet()),
                text -> {
                    T value = values.get(text);
                    if (value == null) {
                        throw new Unfit(
                                later.contains(text) ? "comes in a later version" : "is not one of the choices");
                    }
                    return value;
                },
                value -> values.entrySet().stream()
                        .filter(entry -> entry.getValue().equals(value))
                        .map(Map.Entry::getKey)
                        .findFirst()
                        .orElseThrow());
    }

    /** The words are the names of the constants in small letters, with hyphens. */
    static <E extends Enum<E>> ValueType<E> choice(Class<E> constants, Set<String> later) {
        Map<String, E> values = new LinkedHashMap<>();
        for (E constant : constants.getEnumConstants()) {
            values.put(constant.name().toLowerCase(Locale.ROOT).replace('_', '-'), constant);
        }
        return choice(values, later);
    }

    static ValueType<String> text(String allowed, Pattern pattern) {
        return new ValueType<>(
                allowed,
                text -> {
                    if (text.length() > TEXT_MAX) {
                        throw new Unfit("is longer than " + TEXT_MAX + " characters");
                    }
                    if (!pattern.matcher(text).matches()) {
                        throw new Unfit("does not have that form");
                    }
                    return text;
                },
                value -> value);
    }

    /** The path of a file, or nothing; whether it is there is not asked. */
    static ValueType<String> file() {
        return text("a path of up to 1024 printable characters, or nothing", Pattern.compile("[^\\p{Cntrl}]*"));
    }

    static ValueType<Config.Secret> secret() {
        return secret("up to 1024 printable characters", Pattern.compile("[^\\p{Cntrl}]*"));
    }

    static ValueType<Config.Secret> secret(String allowed, Pattern pattern) {
        ValueType<String> text = text(allowed, pattern);
        return new ValueType<>(text.allowed(), value -> new Config.Secret(text.parse(value)), Config.Secret::value);
    }

    /** Words with commas between, as many as that or more. */
    static ValueType<List<String>> words(String allowed, Pattern word, int least) {
        return new ValueType<>(
                allowed,
                text -> {
                    if (text.length() > 4 * TEXT_MAX) {
                        throw new Unfit("is longer than " + 4 * TEXT_MAX + " characters");
                    }
                    List<String> words = new ArrayList<>();
                    for (String part : text.isBlank() ? new String[0] : text.split(",", -1)) {
                        String one = part.strip();
                        if (!word.matcher(one).matches()) {
                            throw new Unfit("has " + Quote.of(one) + ", which does not have that form");
                        }
                        words.add(one);
                    }
                    if (words.size() < least) {
                        throw new Unfit("is empty");
                    }
                    return List.copyOf(words);
                },
                words -> String.join(",", words),
                true);
    }

    /** Addresses and blocks of them with commas between. */
    static ValueType<List<AddressBlock>> addressBlocks() {
        ValueType<List<String>> words =
                words("addresses like 127.0.0.1 or 10.0.0.0/8 with commas between, or nothing", RANGE, 0);
        return new ValueType<>(
                words.allowed(),
                text -> {
                    List<AddressBlock> blocks = new ArrayList<>();
                    for (String word : words.parse(text)) {
                        AddressBlock block = AddressBlock.parse(word);
                        if (block == null) {
                            throw new Unfit("has " + Quote.of(word)
                                    + ", which is no address, or sets bits behind those that count");
                        }
                        blocks.add(block);
                    }
                    return List.copyOf(blocks);
                },
                blocks ->
                        words.format(blocks.stream().map(AddressBlock::toString).toList()),
                true);
    }

    /** Of texts that are known to be blocks. */
    static List<AddressBlock> blocks(String... texts) {
        return Arrays.stream(texts)
                .map(AddressBlock::parse)
                .map(Objects::requireNonNull)
                .toList();
    }

    /** An address that is never looked up in DNS, so that what is bound is what was read. */
    static ValueType<String> address() {
        return new ValueType<>(
                "an IP address like 127.0.0.1, ::1 or 0.0.0.0 (all IPv4), :: (all), or localhost",
                text -> {
                    literal(text);
                    return text;
                },
                value -> value);
    }

    static ValueType<TopicFilter> topicFilter() {
        return new ValueType<>(
                "a topic filter like sensors/# that is not shared",
                text -> {
                    String fault = text.length() > 65_535 ? "is longer than 65535 bytes" : TopicFilter.fault(text);
                    if (fault != null) {
                        throw new Unfit(fault);
                    }
                    if (text.startsWith("$share/")) {
                        throw new Unfit("is shared, but a rule is about topics");
                    }
                    return TopicFilter.of(text);
                },
                TopicFilter::text);
    }

    /** The address meant by a text that {@link #address()} lets pass; no name is ever looked up. */
    static InetAddress literal(String text) throws Unfit {
        try {
            if (text.equals("localhost")) {
                return InetAddress.getByAddress("localhost", new byte[] {127, 0, 0, 1});
            }
            if (text.length() <= 80
                    && (IPV4.matcher(text).matches() || IPV6.matcher(text).matches())) {
                return InetAddress.getByName(text);
            }
        } catch (UnknownHostException malformed) {
            throw new Unfit("is not an IP address");
        }
        throw new Unfit("is not an IP address");
    }

    private static long within(String digits, long factor, long min, long max) throws Unfit {
        long value;
        try {
            value = Math.multiplyExact(Long.parseLong(digits), factor);
        } catch (ArithmeticException | NumberFormatException tooLarge) {
            throw new Unfit("is out of range");
        }
        if (value < min || value > max) {
            throw new Unfit("is out of range");
        }
        return value;
    }

    private static String sizeText(long bytes) {
        return largest(bytes, SIZE_UNITS, "");
    }

    private static String durationText(Duration duration) {
        return largest(duration.toMillis(), DURATION_UNITS, "ms");
    }

    /** In the largest unit that loses nothing; 0 needs none. */
    private static String largest(long value, Map<String, Long> units, String smallest) {
        if (value == 0) {
            return "0";
        }
        for (Map.Entry<String, Long> unit : units.entrySet()) {
            if (value % unit.getValue() == 0) {
                return value / unit.getValue() + unit.getKey();
            }
        }
        return value + smallest;
    }

    private static Map<String, Long> descending(Object... pairs) {
        Map<String, Long> units = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            units.put((String) pairs[i], (Long) pairs[i + 1]);
        }
        return units;
    }

    static <T> Map<String, T> ordered(String a, T first, String b, T second) {
        Map<String, T> values = new LinkedHashMap<>();
        values.put(a, first);
        values.put(b, second);
        return values;
    }
}
