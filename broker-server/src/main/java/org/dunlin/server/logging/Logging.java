package org.dunlin.server.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import org.dunlin.server.config.Config.Log;
import org.dunlin.server.config.Config.LogLevel;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slf4j.event.KeyValuePair;

/**
 * The log of the process goes to standard output: asynchronously, within 8192 lines and 4 MB, and never in the way of
 * the thread that logs. Use SLF4J's fluent API with key-values: {@code LOG.atInfo().addKeyValue("client",
 * id).log("...")}. Any thread.
 */
public final class Logging {
    private static final RecentLines RECENT = new RecentLines();

    private static @Nullable BoundedWriter writer;

    private Logging() {}

    /** Sets level and format; may be called again to change them. */
    public static synchronized void start(Log log) {
        start(log, new StandardOutput());
    }

    static synchronized void start(Log log, OutputStream stream) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        LineFormat format = new LineFormat(log.format());
        BoundedWriter old = writer;
        BoundedWriter fresh = new BoundedWriter(stream, loss -> format.format(lossOf(context, loss)));
        fresh.start();
        writer = fresh;
        LogAppender appender = new LogAppender(format, fresh::offer, LastWords::end);
        appender.setContext(context);
        appender.setName("standard output");
        appender.start();
        Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
        root.detachAndStopAllAppenders();
        root.addAppender(appender);
        RECENT.setContext(context);
        RECENT.start();
        root.addAppender(RECENT);
        level(context, log.level());
        if (old != null) {
            old.close();
        }
    }

    /** The last lines, whatever the format of the log is. */
    public static RecentLines recent() {
        return RECENT;
    }

    /** The least weight of what is logged, from now on. */
    public static synchronized void level(LogLevel level) {
        level((LoggerContext) LoggerFactory.getILoggerFactory(), level);
    }

    /** What is logged at the moment. */
    public static LogLevel level() {
        Level level = ((LoggerContext) LoggerFactory.getILoggerFactory())
                .getLogger(Logger.ROOT_LOGGER_NAME)
                .getLevel();
        return LogLevel.valueOf(level.toString());
    }

    /** Netty tells how it came to terms with the machine at debug; only trace wants to know. */
    private static void level(LoggerContext context, LogLevel level) {
        context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.toLevel(level.name()));
        context.getLogger("io.netty").setLevel(level == LogLevel.DEBUG ? Level.INFO : null);
        // A task that has thrown is an error, though Netty calls it a warning: LastWords has to hear of it.
        context.getLogger("io.netty.util.concurrent").setLevel(level == LogLevel.ERROR ? Level.WARN : null);
    }

    /** A thread has ended with what it should have caught. */
    static void uncaught(Thread thread, Throwable thrown) {
        LoggerFactory.getLogger(Logging.class)
                .atError()
                .setCause(thrown)
                .addKeyValue("thread", thread.getName())
                .log("A thread has ended unexpectedly");
    }

    private static LoggingEvent lossOf(LoggerContext context, long loss) {
        LoggingEvent event = new LoggingEvent(
                Logging.class.getName(),
                context.getLogger(Logging.class),
                Level.WARN,
                "Log lines were lost: standard output did not take them",
                null,
                null);
        event.setKeyValuePairs(List.of(new KeyValuePair("lines", loss)));
        return event;
    }

    /** Waits until what was logged before is written, or for so long; true if it is. */
    public static boolean flush(Duration atMost) {
        BoundedWriter current = current();
        return current == null || current.flush(atMost);
    }

    /** Lines lost since {@link #start}. */
    public static long lostLines() {
        BoundedWriter current = current();
        return current == null ? 0 : current.lost();
    }

    /**
     * With errors, of which System.out would remember the first for ever; where tests and embedders put a stream of
     * their own there, that one.
     */
    private static final class StandardOutput extends OutputStream {
        private static final PrintStream ORIGINAL = System.out;

        private final FileOutputStream file = new FileOutputStream(FileDescriptor.out);

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            if (System.out == ORIGINAL) {
                file.write(bytes, offset, length);
                return;
            }
            System.out.write(bytes, offset, length);
            if (System.out.checkError()) {
                throw new IOException("standard output is closed");
            }
        }
    }

    private static synchronized @Nullable BoundedWriter current() {
        return writer;
    }
}
