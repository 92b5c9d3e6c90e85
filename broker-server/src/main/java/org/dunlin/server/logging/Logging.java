package org.dunlin.server.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.dunlin.server.config.Config.Log;
import org.dunlin.server.config.Config.LogFormat;
import org.dunlin.server.config.Config.LogLevel;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slf4j.event.KeyValuePair;

/**
 * The log of the process goes to standard output: asynchronously, within 8192 lines and 4 MB, and never in the way of
 * the thread that logs. Use SLF4J's fluent API with key-values: {@code LOG.atInfo().addKeyValue("client",
 * id).log("...")}. What is audited goes to a file of its own as well, if there is to be one. Any thread.
 */
public final class Logging {
    private static final RecentLines RECENT = new RecentLines();
    /** Of what logs to standard output. */
    private static final String NAME = "standard output";

    /** Has the changes that are made through the admin port. */
    private static final String AUDIT = "dunlin.audit";

    private static final OutputStream STANDARD_OUTPUT = new StandardOutput();

    private static @Nullable BoundedWriter writer;
    /** What that writes to. */
    private static @Nullable OutputStream output;

    private static volatile LineFormat format = new LineFormat(LogFormat.TEXT);
    private static @Nullable Audit audit;

    /** @param file with the lines of the logger {@link #AUDIT}, whatever the level of the log is */
    private record Audit(Path file, BoundedWriter writer) {}

    private Logging() {}

    /** Sets level and format; may be called again to change them. */
    public static synchronized void start(Log log) {
        start(log, STANDARD_OUTPUT);
    }

    static synchronized void start(Log log, OutputStream stream) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        LineFormat wanted = new LineFormat(log.format());
        format = wanted;
        BoundedWriter lines = writer;
        if (lines == null || output != stream) { // one writer for one stream: lines stay in their order
            if (lines != null) {
                lines.close();
            }
            lines = new BoundedWriter(
                    "dunlin-log", stream, loss -> format.format(lossOf(context, "standard output", loss)));
            lines.start();
            writer = lines;
            output = stream;
        }
        LogAppender appender = new LogAppender(wanted, lines::offer, LastWords::end);
        appender.setContext(context);
        appender.setName(NAME);
        appender.start();
        Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
        Appender<ILoggingEvent> former = root.getAppender(NAME);
        if (former == null) {
            root.detachAndStopAllAppenders();
            RECENT.setContext(context);
            RECENT.start();
            root.addAppender(RECENT);
        }
        root.addAppender(appender);
        if (former != null) { // only now: what others log meanwhile must not be lost
            root.detachAppender(former);
            former.stop();
        }
        level(context, log.level());
        audit(context, log, wanted);
    }

    private static void audit(LoggerContext context, Log log, LineFormat wanted) {
        Logger logger = context.getLogger(AUDIT);
        Audit former = audit;
        Path file = log.auditFile().isEmpty() ? null : Path.of(log.auditFile());
        if (former != null && !former.file.equals(file)) {
            former.writer.close();
            former = null;
        }
        logger.setAdditive(true);
        logger.detachAndStopAllAppenders();
        logger.setLevel(file == null ? null : Level.INFO);
        if (file == null) {
            audit = null;
            return;
        }
        Audit now = former == null ? open(context, file) : former;
        audit = now;
        LogAppender appender = new LogAppender(wanted, now.writer::offer, LastWords::end);
        appender.setContext(context);
        appender.setName("audit file");
        appender.start();
        logger.addAppender(appender);
        ToTheLog onwards = new ToTheLog(context.getLogger(Logger.ROOT_LOGGER_NAME));
        onwards.setContext(context);
        onwards.start();
        logger.addAppender(onwards);
        logger.setAdditive(false);
    }

    private static Audit open(LoggerContext context, Path path) {
        AuditFile file = new AuditFile(path, AuditFile.LARGE);
        file.prepare();
        BoundedWriter lines = new BoundedWriter(
                "dunlin-audit-log", file, loss -> format.format(lossOf(context, "log.audit-file", loss)));
        lines.start();
        return new Audit(path, lines);
    }

    /** What the audit file has whatever the level of the log is comes to the log by that level. */
    private static final class ToTheLog extends UnsynchronizedAppenderBase<ILoggingEvent> {
        private final Logger log;

        ToTheLog(Logger log) {
            this.log = log;
        }

        @Override
        protected void append(ILoggingEvent event) {
            if (event.getLevel().isGreaterOrEqual(log.getEffectiveLevel())) {
                log.callAppenders(event);
            }
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

    private static LoggingEvent lossOf(LoggerContext context, String where, long loss) {
        LoggingEvent event = new LoggingEvent(
                Logging.class.getName(),
                context.getLogger(Logging.class),
                Level.WARN,
                "Log lines were lost: " + where + " did not take them",
                null,
                null);
        event.setKeyValuePairs(List.of(new KeyValuePair("lines", loss)));
        return event;
    }

    /** Waits until what was logged before is written, or for so long; true if it is. */
    public static boolean flush(Duration atMost) {
        Audit lines = currentAudit();
        boolean audited = lines == null || lines.writer.flush(atMost);
        BoundedWriter current = current();
        return (current == null || current.flush(atMost)) && audited;
    }

    /** Lines lost since {@link #start}. */
    public static long lostLines() {
        BoundedWriter current = current();
        Audit lines = currentAudit();
        return (current == null ? 0 : current.lost()) + (lines == null ? 0 : lines.writer.lost());
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

    private static synchronized @Nullable Audit currentAudit() {
        return audit;
    }

    private static synchronized @Nullable BoundedWriter current() {
        return writer;
    }
}
