package org.dunlin.server.logging;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * The end of a process that has no memory left, since a half-dead broker must not acknowledge. Everything needed is made
 * at the start: nothing can be made then. Any thread.
 */
public final class LastWords {
    private static final byte[] LINE = ("dunlin: out of memory: the process ends; give it more with -Xmx,"
                    + " or lower limits.* and queue.*\n")
            .getBytes(StandardCharsets.UTF_8);
    private static final int EXIT_CODE = 1;
    private static final int CAUSES_MAX = 20;
    /** Standard error may be stuck. */
    private static final long PATIENCE_MILLIS = 200;

    private static final Runtime RUNTIME = Runtime.getRuntime();
    private static final CountDownLatch SAID = new CountDownLatch(1);
    private static final Thread SPEAKER = new Thread(LastWords::speak, "dunlin-last-words");

    private LastWords() {}

    /** From now on an error of the virtual machine that reaches the end of a thread, or the log, ends the process. */
    public static void prepare() {
        if (isFatal(new IllegalStateException())) { // no: but what it needs is loaded now, which takes memory
            throw new IllegalStateException("an ordinary fault is fatal");
        }
        SPEAKER.setDaemon(true);
        SPEAKER.start();
        Thread.setDefaultUncaughtExceptionHandler((thread, thrown) -> {
            if (isFatal(thrown)) {
                end();
            }
            Logging.uncaught(thread, thrown);
        });
    }

    /** Whether nothing that the process still does can be relied on. */
    public static boolean isFatal(@Nullable Throwable thrown) {
        Throwable now = thrown;
        for (int i = 0; now != null && i < CAUSES_MAX; i++, now = now.getCause()) {
            if (now instanceof VirtualMachineError) {
                return true;
            }
        }
        return false;
    }

    static void end() {
        try {
            SAID.countDown();
            SPEAKER.join(PATIENCE_MILLIS);
        } catch (InterruptedException nobodyWaits) {
            Thread.currentThread().interrupt();
        } finally {
            RUNTIME.halt(EXIT_CODE);
        }
    }

    private static void speak() {
        try (FileOutputStream error = new FileOutputStream(FileDescriptor.err)) {
            SAID.await();
            error.write(LINE);
        } catch (InterruptedException | IOException silent) {
            Thread.currentThread().interrupt();
        }
    }
}
