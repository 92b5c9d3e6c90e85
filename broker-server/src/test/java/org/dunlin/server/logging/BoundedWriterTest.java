package org.dunlin.server.logging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.dunlin.server.config.Config.Log;
import org.dunlin.server.config.Config.LogFormat;
import org.dunlin.server.config.Config.LogLevel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

@Timeout(60)
class BoundedWriterTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    /** A pipe that nobody reads until it is opened. */
    private static final class StuckStream extends OutputStream {
        private final CountDownLatch entered = new CountDownLatch(1);
        private final CountDownLatch open = new CountDownLatch(1);
        private final ByteArrayOutputStream written = new ByteArrayOutputStream();

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            entered.countDown();
            try {
                open.await();
            } catch (InterruptedException interrupted) {
                throw new IOException(interrupted);
            }
            written.write(bytes, offset, length);
        }

        String text() {
            return written.toString(StandardCharsets.UTF_8);
        }
    }

    private final StuckStream stream = new StuckStream();
    private final BoundedWriter writer = new BoundedWriter("test-log", stream, loss -> "lost " + loss + "\n");

    @AfterEach
    void letGo() {
        stream.open.countDown();
        writer.close();
    }

    private void stick() throws InterruptedException {
        writer.start();
        writer.offer("first\n");
        assertTrue(stream.entered.await(30, TimeUnit.SECONDS));
    }

    @Test
    void offer_toStuckStream_losesAndCountsAndReportsLater() throws InterruptedException {
        stick();
        int over = 100;
        int taken = 0;
        for (int i = 0; i < BoundedWriter.LINES_MAX + over; i++) {
            taken += writer.offer("x\n") ? 1 : 0;
        }
        assertEquals(BoundedWriter.LINES_MAX, taken);
        assertEquals(over, writer.lost());
        assertFalse(writer.flush(Duration.ofMillis(1)));
        stream.open.countDown();
        assertTrue(writer.flush(LONG));
        assertEquals("first\n" + "x\n".repeat(taken) + "lost 100\n", stream.text());
    }

    @Test
    void offer_ofLargeLines_isBoundedInBytes() throws InterruptedException {
        stick();
        String large = "y".repeat(1024 * 1024 - 1) + "\n";
        for (int i = 0; i < 4; i++) {
            assertTrue(writer.offer(large));
        }
        assertFalse(writer.offer("z\n"));
        stream.open.countDown();
        assertTrue(writer.flush(LONG));
        assertEquals("first\n" + large.repeat(4) + "lost 1\n", stream.text());
    }

    @Test
    void write_toClosedStream_countsAndGoesOn() {
        BoundedWriter broken = new BoundedWriter(
                "test-log",
                new OutputStream() {
                    @Override
                    public void write(int b) throws IOException {
                        throw new IOException("closed");
                    }
                },
                loss -> "");
        broken.start();
        broken.offer("a\n");
        assertTrue(broken.flush(LONG));
        broken.offer("b\n");
        assertTrue(broken.flush(LONG));
        assertEquals(2, broken.lost());
        broken.close();
    }

    /** A disk that was full. */
    @Test
    void write_toStreamThatRecovers_saysWhatIsMissing() {
        AtomicBoolean full = new AtomicBoolean(true);
        ByteArrayOutputStream disk = new ByteArrayOutputStream();
        BoundedWriter recovering = new BoundedWriter(
                "test-log",
                new OutputStream() {
                    @Override
                    public void write(int b) throws IOException {
                        if (full.get()) {
                            throw new IOException("No space left on device");
                        }
                        disk.write(b);
                    }
                },
                loss -> "lost " + loss + "\n");
        recovering.start();
        recovering.offer("a\n");
        assertTrue(recovering.flush(LONG));
        recovering.offer("b\n");
        assertTrue(recovering.flush(LONG));
        full.set(false);
        recovering.offer("c\n");
        assertTrue(recovering.flush(LONG));
        recovering.offer("d\n");
        assertTrue(recovering.flush(LONG));
        assertEquals("c\nlost 2\nd\n", disk.toString(StandardCharsets.UTF_8));
        assertEquals(2, recovering.lost());
        recovering.close();
    }

    @Test
    void logging_toStuckStandardOutput_neverHoldsTheCaller() {
        Logging.start(new Log(LogLevel.INFO, LogFormat.JSON, ""), stream);
        try {
            for (int i = 0; i < BoundedWriter.LINES_MAX * 2; i++) {
                LoggerFactory.getLogger("test")
                        .atInfo()
                        .addKeyValue("client", "c" + i)
                        .log("Hello");
            }
            assertTrue(Logging.lostLines() > 0);
            LoggerFactory.getLogger("test").debug("not at this level");
            stream.open.countDown();
            assertTrue(Logging.flush(LONG));
            String text = stream.text();
            assertTrue(
                    text.contains("\"logger\":\"test\",\"message\":\"Hello\",\"client\":\"c0\"}\n"),
                    text.substring(0, 300));
            assertTrue(text.contains("Log lines were lost"));
            assertFalse(text.contains("not at this level"));
        } finally {
            stream.open.countDown();
            Logging.start(new Log(LogLevel.INFO, LogFormat.TEXT, ""));
        }
    }
}
