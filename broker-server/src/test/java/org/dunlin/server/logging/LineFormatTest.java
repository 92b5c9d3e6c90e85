package org.dunlin.server.logging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.server.config.Config.LogFormat;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.slf4j.event.KeyValuePair;

class LineFormatTest {
    private final LoggerContext context = new LoggerContext();

    private String line(LogFormat format, String message, @Nullable Throwable thrown, Object... pairs) {
        LoggingEvent event =
                new LoggingEvent("x", context.getLogger("org.dunlin.A"), Level.INFO, message, thrown, null);
        event.setInstant(Instant.parse("2026-11-21T10:00:00.123456Z"));
        List<KeyValuePair> fields = new ArrayList<>();
        for (int i = 0; i < pairs.length; i += 2) {
            fields.add(new KeyValuePair((String) pairs[i], pairs[i + 1]));
        }
        event.setKeyValuePairs(fields);
        return new LineFormat(format).format(event);
    }

    @Test
    void text_hasTimeLevelLoggerMessageAndFields() {
        assertEquals(
                "2026-11-21T10:00:00.123Z INFO  org.dunlin.A  Client left client=c1 bytes=7 user=\"a b\" topic=\"\"\n",
                line(LogFormat.TEXT, "Client left", null, "client", "c1", "bytes", 7, "user", "a b", "topic", ""));
    }

    @Test
    void json_hasStableNames() {
        assertEquals(
                "{\"timestamp\":\"2026-11-21T10:00:00.123Z\",\"level\":\"INFO\",\"logger\":\"org.dunlin.A\","
                        + "\"message\":\"Client left\",\"client\":\"c1\",\"bytes\":7,\"clean\":true}\n",
                line(LogFormat.JSON, "Client left", null, "client", "c1", "bytes", 7, "clean", true));
    }

    @Test
    void text_valueThatForgesALine_staysInItsValue() {
        String line = line(
                LogFormat.TEXT,
                "m\r\nx",
                null,
                "client",
                "c\n2026-11-21T10:00:00.000Z INFO a \u001b[2J\u2028\u202e\u0085");
        assertEquals(1, line.lines().count());
        assertTrue(
                line.endsWith(
                        "m\\r\\nx client=\"c\\n2026-11-21T10:00:00.000Z INFO a \\u001b[2J\\u2028\\u202e\\u0085\"\n"),
                line);
    }

    @Test
    void text_valueThatForgesAField_isQuoted() {
        String line = line(LogFormat.TEXT, "m", null, "client", "x user=admin", "a", "b=\"c\"\\");
        assertTrue(line.endsWith("client=\"x user=admin\" a=\"b=\\\"c\\\"\\\\\"\n"), line);
    }

    @Test
    void json_valueThatForgesAMember_isEscaped() {
        String line = line(LogFormat.JSON, "m", null, "client", "x\",\"level\":\"ERROR\n\ud800", "k\"", "v");
        assertTrue(line.contains("\"client\":\"x\\\",\\\"level\\\":\\\"ERROR\\n\\ud800\""), line);
        assertTrue(line.contains("\"k\\\"\":\"v\""), line);
        assertEquals(1, line.lines().count());
    }

    @Test
    void json_fieldNamedLikeAStableOneOrTwice_isRenamed() {
        String line = line(LogFormat.JSON, "m", null, "level", "x", "a", 1, "a", 2);
        assertTrue(line.endsWith(",\"field.level\":\"x\",\"a\":1,\"a.2\":2}\n"), line);
    }

    @Test
    void longValue_isCut() {
        assertTrue(line(LogFormat.TEXT, "m".repeat(100_000), null, "k", "v".repeat(100_000))
                        .length()
                < 4300);
    }

    @Test
    void thrown_hasItsStack_andItsMessageForgesNothing() {
        IllegalStateException thrown = new IllegalStateException("a\nb", new RuntimeException("inner"));
        String text = line(LogFormat.TEXT, "m", thrown);
        assertTrue(text.contains("error=\"java.lang.IllegalStateException: a\\nb\"\n\tat org.dunlin"), text);
        assertTrue(text.contains("\n\tcaused by java.lang.RuntimeException: inner\n\tat "), text);
        String json = line(LogFormat.JSON, "m", thrown);
        assertEquals(1, json.lines().count());
        assertTrue(json.contains("\"stack\":\"\\nat org.dunlin"), json);
    }

    @Test
    void value_thatCannotBePrinted_doesNotThrow() {
        Object bad = new Object() {
            @Override
            public String toString() {
                throw new IllegalStateException("no");
            }
        };
        assertTrue(line(LogFormat.TEXT, "m", null, "k", bad).contains("unprintable java.lang.IllegalStateException"));
        assertFalse(line(LogFormat.TEXT, "m", null, "k", null).isEmpty());
    }
}
