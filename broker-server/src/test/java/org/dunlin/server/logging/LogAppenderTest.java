package org.dunlin.server.logging;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.server.config.Config.LogFormat;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LogAppenderTest {
    private final List<String> seen = new ArrayList<>();
    private final Logger logger = new LoggerContext().getLogger("test");

    private void log(@Nullable Throwable thrown) {
        LogAppender appender =
                new LogAppender(new LineFormat(LogFormat.TEXT), line -> seen.add("line"), () -> seen.add("end"));
        appender.start();
        appender.doAppend(new LoggingEvent("test", logger, Level.WARN, "A task raised an exception", thrown, null));
    }

    @Test
    void append_ofAnErrorOfTheVirtualMachine_endsTheProcessOnceItIsLogged() {
        log(new OutOfMemoryError("Java heap space"));
        assertEquals(List.of("line", "end"), seen);
        seen.clear();
        log(new IllegalStateException("a task failed", new StackOverflowError()));
        assertEquals(List.of("line", "end"), seen);
    }

    @Test
    void append_ofAnythingElse_goesOn() {
        log(null);
        log(new IllegalStateException("a task failed", new AssertionError("oops")));
        assertEquals(List.of("line", "line"), seen);
    }
}
