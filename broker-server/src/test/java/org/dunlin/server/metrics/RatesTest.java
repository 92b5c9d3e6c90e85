package org.dunlin.server.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.dunlin.server.metrics.Rates.Sample;
import org.dunlin.server.metrics.Rates.Totals;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class RatesTest {
    /** Runs what is to be done every few seconds as soon as the test says so. */
    private static final class Clock extends ScheduledThreadPoolExecutor {
        private final List<Runnable> tasks = new ArrayList<>();

        private Clock() {
            super(1);
        }

        @Override
        public ScheduledFuture<?> scheduleAtFixedRate(Runnable task, long initialDelay, long period, TimeUnit unit) {
            assertEquals(Rates.INTERVAL_SECONDS, unit.toSeconds(period));
            tasks.add(task);
            return schedule(() -> {}, 0, unit);
        }

        private void tick() {
            assertEquals(1, tasks.size());
            tasks.get(0).run();
        }
    }

    private long total;
    private RuntimeException fault;

    private Totals totals() {
        if (fault != null) {
            throw fault;
        }
        return new Totals(total, total * 2, total * 3, total * 4, 7, total * 5);
    }

    private List<Long> messagesIn(Rates rates) {
        return rates.samples().stream().map(Sample::messagesIn).toList();
    }

    @Test
    void samples_areWhatCameBetweenTwoLooks_andTheLastTenMinutesAreKept() {
        Clock clock = new Clock();
        try {
            Rates rates = new Rates(this::totals);
            rates.start(clock);
            clock.tick();
            assertEquals(List.of(), rates.samples());
            for (int i = 1; i <= 121; i++) {
                total += i;
                clock.tick();
            }
            List<Sample> samples = rates.samples();
            assertEquals(120, samples.size());
            assertEquals(2, samples.get(0).messagesIn());
            Sample last = samples.get(119);
            assertEquals(
                    new Sample(last.atMillis(), 121, 242, 363, 484, 7, 605),
                    last,
                    "all but the connections since then");
        } finally {
            clock.shutdownNow();
        }
    }

    @Test
    void look_thatFails_isLoggedOnce_leavesAGap_andTheNextOnesGoOn() {
        Logger logger = (Logger) LoggerFactory.getLogger("dunlin.metrics");
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.start();
        boolean additive = logger.isAdditive();
        logger.setAdditive(false);
        logger.addAppender(lines);
        Clock clock = new Clock();
        try {
            Rates rates = new Rates(this::totals);
            rates.start(clock);
            clock.tick();
            total += 10;
            clock.tick();

            fault = new IllegalStateException("no figures");
            total += 100;
            clock.tick();
            clock.tick();
            assertEquals(1, lines.list.size());
            assertEquals("no figures", lines.list.get(0).getThrowableProxy().getMessage());
            assertTrue(lines.list.get(0).getFormattedMessage().contains("rates"), lines.list.toString());

            fault = null;
            clock.tick();
            assertEquals(List.of(10L), messagesIn(rates)); // what came while it failed is of no five seconds
            total += 1;
            clock.tick();
            assertEquals(List.of(10L, 1L), messagesIn(rates));

            fault = new IllegalStateException("again");
            clock.tick();
            assertEquals(2, lines.list.size());
        } finally {
            clock.shutdownNow();
            logger.detachAppender(lines);
            logger.setAdditive(additive);
        }
    }
}
