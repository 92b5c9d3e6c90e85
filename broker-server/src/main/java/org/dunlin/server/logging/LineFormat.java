package org.dunlin.server.logging;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.dunlin.server.config.Config.LogFormat;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.KeyValuePair;

/**
 * One event as text. Whatever a client sends to be logged stays inside its value: control characters, line separators
 * and marks that turn the direction of writing are escaped. Any thread.
 */
final class LineFormat {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern(
                    "uuuu-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);
    private static final Set<String> RESERVED = Set.of("timestamp", "level", "logger", "message", "error", "stack");
    private static final int VALUE_CHARACTERS_MAX = 2048;
    private static final int FRAMES_MAX = 60;
    private static final int CAUSES_MAX = 5;

    private final LogFormat format;

    LineFormat(LogFormat format) {
        this.format = format;
    }

    /** Ends with a line feed; has others only in front of the frames of a stack trace in the format text. */
    String format(ILoggingEvent event) {
        StringBuilder out = new StringBuilder(160);
        if (format == LogFormat.JSON) {
            json(event, out);
        } else {
            text(event, out);
        }
        return out.append('\n').toString();
    }

    private static void text(ILoggingEvent event, StringBuilder out) {
        TIME.formatTo(Instant.ofEpochMilli(event.getTimeStamp()), out);
        String level = event.getLevel().toString();
        out.append(' ').append(level).append(" ".repeat(Math.max(1, 6 - level.length())));
        escape(event.getLoggerName(), false, out);
        out.append("  ");
        message(event, out);
        IThrowableProxy thrown = event.getThrowableProxy();
        if (thrown != null) {
            out.append(" error=");
            word(describe(thrown), out);
            stack(thrown, "\n\tat ", "\n\tcaused by ", out);
        }
    }

    /** What it says, with its fields; one line without its end. */
    String message(ILoggingEvent event) {
        StringBuilder out = new StringBuilder(100);
        message(event, out);
        IThrowableProxy thrown = event.getThrowableProxy();
        if (thrown != null) {
            out.append(" error=");
            word(describe(thrown), out);
        }
        return out.toString();
    }

    private static void message(ILoggingEvent event, StringBuilder out) {
        escape(String.valueOf(event.getFormattedMessage()), false, out);
        List<KeyValuePair> fields = event.getKeyValuePairs();
        if (fields != null) {
            for (KeyValuePair field : fields) {
                out.append(' ');
                word(field.key, out);
                out.append('=');
                word(text(field.value), out);
            }
        }
    }

    /** Bare if it cannot be mistaken for anything else, in quotes otherwise. */
    private static void word(String text, StringBuilder out) {
        boolean bare = !text.isEmpty();
        for (int i = 0; i < text.length() && bare; i++) {
            char c = text.charAt(i);
            bare = c > ' ' && c != '"' && c != '=' && c != '\\' && !hidden(c);
        }
        if (bare && text.length() <= VALUE_CHARACTERS_MAX) {
            out.append(text);
        } else {
            out.append('"');
            escape(text, true, out);
            out.append('"');
        }
    }

    private static void json(ILoggingEvent event, StringBuilder out) {
        out.append("{\"timestamp\":\"");
        TIME.formatTo(Instant.ofEpochMilli(event.getTimeStamp()), out);
        out.append("\",\"level\":\"").append(event.getLevel()).append('"');
        member("logger", event.getLoggerName(), out);
        member("message", String.valueOf(event.getFormattedMessage()), out);
        List<KeyValuePair> fields = event.getKeyValuePairs();
        if (fields != null) {
            for (int i = 0; i < fields.size(); i++) {
                field(fields, i, out);
            }
        }
        IThrowableProxy thrown = event.getThrowableProxy();
        if (thrown != null) {
            member("error", describe(thrown), out);
            StringBuilder stack = new StringBuilder();
            stack(thrown, "\nat ", "\ncaused by ", stack);
            out.append(",\"stack\":\"");
            escapeWhole(stack, out);
            out.append('"');
        }
        out.append('}');
    }

    /** A name that is taken, by us or by an earlier field, gets "field." in front: an object has each name once. */
    private static void field(List<KeyValuePair> fields, int index, StringBuilder out) {
        KeyValuePair field = fields.get(index);
        StringBuilder name = new StringBuilder(field.key);
        if (RESERVED.contains(field.key)) {
            name.insert(0, "field.");
        }
        for (int i = 0; i < index; i++) {
            if (fields.get(i).key.equals(field.key)) {
                name.append('.').append(index);
                break;
            }
        }
        Object value = field.value;
        if (value instanceof Boolean || value instanceof Integer || value instanceof Long || value instanceof Short) {
            out.append(",\"");
            escape(name.toString(), true, out);
            out.append("\":").append(value);
        } else {
            member(name.toString(), text(value), out);
        }
    }

    private static void member(String name, String value, StringBuilder out) {
        out.append(",\"");
        escape(name, true, out);
        out.append("\":\"");
        escape(value, true, out);
        out.append('"');
    }

    private static String text(@Nullable Object value) {
        try {
            return String.valueOf(value);
        } catch (RuntimeException unprintable) {
            return "unprintable " + unprintable.getClass().getName();
        }
    }

    private static String describe(IThrowableProxy thrown) {
        String message = thrown.getMessage();
        return message == null ? thrown.getClassName() : thrown.getClassName() + ": " + message;
    }

    private static void stack(IThrowableProxy thrown, String at, String causedBy, StringBuilder out) {
        IThrowableProxy now = thrown;
        for (int causes = 0; now != null && causes <= CAUSES_MAX; causes++, now = now.getCause()) {
            if (causes > 0) {
                out.append(causedBy);
                escape(describe(now), false, out);
            }
            StackTraceElementProxy[] frames = now.getStackTraceElementProxyArray();
            for (int i = 0; frames != null && i < Math.min(frames.length, FRAMES_MAX); i++) {
                out.append(at);
                escape(frames[i].getStackTraceElement().toString(), false, out);
            }
        }
    }

    private static void escape(String text, boolean quoted, StringBuilder out) {
        boolean cut = text.length() > VALUE_CHARACTERS_MAX;
        int length = cut ? VALUE_CHARACTERS_MAX : text.length();
        if (cut && Character.isHighSurrogate(text.charAt(length - 1))) {
            length--;
        }
        for (int i = 0; i < length; i++) {
            escape(text, i, quoted, out);
        }
        if (cut) {
            out.append("...");
        }
    }

    private static void escapeWhole(StringBuilder text, StringBuilder out) {
        String whole = text.toString();
        for (int i = 0; i < whole.length(); i++) {
            escape(whole, i, true, out);
        }
    }

    private static void escape(String text, int i, boolean quoted, StringBuilder out) {
        char c = text.charAt(i);
        if (c == '\n') {
            out.append("\\n");
        } else if (c == '\r') {
            out.append("\\r");
        } else if (c == '\t') {
            out.append("\\t");
        } else if (quoted && (c == '"' || c == '\\')) {
            out.append('\\').append(c);
        } else if (hidden(c) || lonely(text, i)) {
            hex(c, out);
        } else {
            out.append(c);
        }
    }

    private static void hex(char c, StringBuilder out) {
        out.append("\\u");
        for (int shift = 12; shift >= 0; shift -= 4) {
            out.append(Character.forDigit((c >> shift) & 0xF, 16));
        }
    }

    private static boolean hidden(char c) {
        return c < ' '
                || (c >= 0x7F && c < 0xA0)
                || c == '\u2028'
                || c == '\u2029'
                || (c > 0xA0 && Character.getType(c) == Character.FORMAT);
    }

    private static boolean lonely(String text, int i) {
        char c = text.charAt(i);
        if (Character.isHighSurrogate(c)) {
            return i + 1 == text.length() || !Character.isLowSurrogate(text.charAt(i + 1));
        }
        return Character.isLowSurrogate(c) && (i == 0 || !Character.isHighSurrogate(text.charAt(i - 1)));
    }
}
