package org.dunlin.server.logging;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.dunlin.server.config.Config.LogFormat;
import org.jspecify.annotations.Nullable;

/** The last lines of the log, for operators who do not sit where it is written. Any thread; nobody waits for another. */
public final class RecentLines extends UnsynchronizedAppenderBase<ILoggingEvent> {
    private static final int KEPT = 2000;

    private final LineFormat format = new LineFormat(LogFormat.TEXT);
    private final AtomicReferenceArray<@Nullable Line> lines = new AtomicReferenceArray<>(KEPT);
    private final AtomicLong last = new AtomicLong();

    RecentLines() {}

    /**
     * @param number from 1, without gaps
     * @param atMillis time of day
     * @param message with its fields, as it stands in a log of text
     */
    public record Line(long number, long atMillis, String level, String logger, String message) {}

    @Override
    protected void append(ILoggingEvent event) {
        long number = last.incrementAndGet();
        lines.set(
                (int) (number % KEPT),
                new Line(
                        number,
                        event.getTimeStamp(),
                        event.getLevel().toString(),
                        event.getLoggerName(),
                        format.message(event)));
    }

    /**
     * Those that are still kept, oldest first.
     *
     * @param after number of the last one known; 0 for the last {@code max}
     */
    public List<Line> after(long after, int max) {
        long newest = last.get();
        long from = Math.max(after == 0 ? newest - max : after, newest - KEPT) + 1;
        List<Line> found = new ArrayList<>();
        for (long number = Math.max(1, from); number <= newest && found.size() < max; number++) {
            Line line = lines.get((int) (number % KEPT));
            if (line == null || line.number() < number) {
                break; // just being written: it comes with the next page
            }
            if (line.number() == number) {
                found.add(line);
            }
        }
        return found;
    }
}
