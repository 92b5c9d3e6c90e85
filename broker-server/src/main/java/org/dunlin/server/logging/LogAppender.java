package org.dunlin.server.logging;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import java.util.function.Consumer;

/**
 * Lays out each event on the thread that logs it, so that nothing mutable is looked at later, and hands the line on.
 * Any thread.
 */
final class LogAppender extends UnsynchronizedAppenderBase<ILoggingEvent> {
    private final LineFormat format;
    private final Consumer<String> lines;
    private final Runnable end;

    /** @param end what to do once an event has told of an error of the virtual machine */
    LogAppender(LineFormat format, Consumer<String> lines, Runnable end) {
        this.format = format;
        this.lines = lines;
        this.end = end;
    }

    @Override
    protected void append(ILoggingEvent event) {
        try {
            lines.accept(format.format(event));
        } finally {
            if (event.getThrowableProxy() instanceof ThrowableProxy thrown
                    && LastWords.isFatal(thrown.getThrowable())) {
                end.run();
            }
        }
    }
}
