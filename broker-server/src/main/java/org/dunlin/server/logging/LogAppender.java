package org.dunlin.server.logging;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import java.util.function.Consumer;

/**
 * Lays out each event on the thread that logs it, so that nothing mutable is looked at later, and hands the line on.
 * Any thread.
 */
final class LogAppender extends UnsynchronizedAppenderBase<ILoggingEvent> {
    private final LineFormat format;
    private final Consumer<String> lines;

    LogAppender(LineFormat format, Consumer<String> lines) {
        this.format = format;
        this.lines = lines;
    }

    @Override
    protected void append(ILoggingEvent event) {
        lines.accept(format.format(event));
    }
}
