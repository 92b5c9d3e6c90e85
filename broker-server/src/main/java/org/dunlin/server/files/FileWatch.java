package org.dunlin.server.files;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.Fault;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices when a file has another content, whether it was written anew, renamed into place or reached by another symbolic link.
 * Has a thread of its own, which alone may {@link #look} once it has been started; any thread may close it.
 */
public final class FileWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("dunlin.files");

    /** A file that is being written is looked at again after that long, until two looks find the same. */
    private static final long BETWEEN_WRITES_MILLIS = 300;

    private static final int LOOKS_MOST = 20;

    private final NamedFile file;
    private final Duration interval;
    private final Reader reader;
    private final Semaphore wake = new Semaphore(0);
    private final Queue<CompletableFuture<Void>> hurried = new ConcurrentLinkedQueue<>();
    private volatile boolean closed;
    /** Digest of the content that the reader was told last; null if the file could not be read since. */
    private byte @Nullable [] seen;

    private @Nullable Fault complaint;

    /** Who wants to know; called by the thread of the watch. */
    public interface Reader {
        void changed(byte[] content);

        /** Called once for each cause, until the file can be read again: then {@link #changed} is called. */
        void unreadable(Fault fault);
    }

    /** @param known the content that the reader has already */
    public FileWatch(NamedFile file, byte[] known, Duration interval, Reader reader) {
        this.file = file;
        this.interval = interval;
        this.reader = reader;
        this.seen = digest(known);
    }

    public void start() {
        Thread thread = new Thread(this::watch, "file-watch");
        thread.setDaemon(true);
        thread.start();
    }

    /**
     * Has the file looked at now, which somebody has just replaced. Any thread.
     *
     * @return completes when what it says is in force, or the reader has refused it; at once if nobody watches
     */
    public CompletionStage<Void> hurry() {
        CompletableFuture<Void> looked = new CompletableFuture<>();
        hurried.add(looked);
        wake.release();
        if (closed) {
            tellHurried();
        }
        return looked;
    }

    private void tellHurried() {
        for (CompletableFuture<Void> each = hurried.poll(); each != null; each = hurried.poll()) {
            each.complete(null);
        }
    }

    private void watch() {
        try {
            while (!closed) {
                boolean hurry = wake.tryAcquire(interval.toMillis(), TimeUnit.MILLISECONDS);
                if (!closed) {
                    lookSafely(hurry);
                }
            }
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        } finally {
            tellHurried();
        }
    }

    private void lookSafely(boolean hurry) throws InterruptedException {
        List<CompletableFuture<Void>> waiting = new ArrayList<>();
        for (CompletableFuture<Void> each = hurried.poll(); each != null; each = hurried.poll()) {
            waiting.add(each);
        }
        try {
            if (hurry || settles()) {
                look();
            }
        } catch (RuntimeException e) {
            LOG.atError().setCause(e).log("A look at {} has failed", file.path());
        } finally {
            waiting.forEach(each -> each.complete(null));
        }
    }

    /** Waits until a file that has changed is not being written any more, for a few seconds at most. @return false if closed */
    private boolean settles() throws InterruptedException {
        byte[] last = fingerprint();
        for (int i = 0; i < LOOKS_MOST && last != null && !Arrays.equals(last, seen); i++) {
            if (wake.tryAcquire(BETWEEN_WRITES_MILLIS, TimeUnit.MILLISECONDS)) {
                return !closed; // somebody has replaced it, and it is whole
            }
            byte[] now = fingerprint();
            if (Arrays.equals(now, last)) {
                return true;
            }
            last = now;
        }
        return true;
    }

    private byte @Nullable [] fingerprint() {
        try {
            return digest(file.read());
        } catch (ConfigException unreadable) {
            return null;
        }
    }

    /** Reads the file, and tells the reader if there is anything new. */
    public void look() {
        byte[] content;
        try {
            content = file.read();
        } catch (ConfigException e) {
            seen = null;
            complain(e);
            return;
        }
        byte[] digest = digest(content);
        byte[] before = seen;
        complaint = null;
        if (before == null || !MessageDigest.isEqual(before, digest)) {
            seen = digest;
            reader.changed(content);
        }
    }

    private void complain(ConfigException why) {
        Fault fault = why.faults().get(0);
        if (!fault.equals(complaint)) {
            complaint = fault;
            reader.unreadable(fault);
        }
    }

    private static byte[] digest(byte[] content) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(content);
        } catch (NoSuchAlgorithmException missing) {
            throw new IllegalStateException("every Java has SHA-256", missing);
        }
    }

    @Override
    public void close() {
        closed = true;
        wake.release();
    }
}
