package org.dunlin.server.logging;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongFunction;

/**
 * Writes lines to a stream that may be stuck, by a thread of its own. {@link #offer} is for any thread and never waits
 * for the stream: the lock is held for as long as it takes to put one line into a deque. What does not fit is lost and
 * counted, and the count is written as a line once the stream moves again.
 */
final class BoundedWriter {
    static final int LINES_MAX = 8192;
    static final int BYTES_MAX = 4 * 1024 * 1024;
    private static final int CHUNK_BYTES = 64 * 1024;

    private final OutputStream stream;
    private final String name;
    private final LongFunction<String> lossLine;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition something = lock.newCondition();
    private final Condition nothing = lock.newCondition();
    private final ArrayDeque<byte[]> lines = new ArrayDeque<>();
    private int queuedBytes;
    private boolean writing;
    private boolean closed;
    private long lost;
    private long unreported;
    /** Lost since the stream last took anything; said with what it takes next. Writer's thread only. */
    private long failed;

    /**
     * @param name of its thread
     * @param lossLine how to say that so many lines were lost, line feed included
     */
    BoundedWriter(String name, OutputStream stream, LongFunction<String> lossLine) {
        this.name = name;
        this.stream = stream;
        this.lossLine = lossLine;
    }

    /** Starts its thread, which does not keep the process alive. */
    void start() {
        Thread thread = new Thread(this::writeForEver, name);
        thread.setDaemon(true);
        thread.start();
    }

    /** False if the line is lost, and counted. */
    boolean offer(String line) {
        byte[] bytes = line.getBytes(StandardCharsets.UTF_8);
        lock.lock();
        try {
            if (lines.size() >= LINES_MAX || queuedBytes + bytes.length > BYTES_MAX) {
                lost++;
                unreported++;
                return false;
            }
            lines.add(bytes);
            queuedBytes += bytes.length;
            something.signal();
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Ends its thread when what it has is written; the stream stays open. */
    void close() {
        lock.lock();
        try {
            closed = true;
            something.signal();
        } finally {
            lock.unlock();
        }
    }

    /** Lines lost since the start. */
    long lost() {
        lock.lock();
        try {
            return lost;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until all is written, or for so long; true if all is. */
    boolean flush(Duration atMost) {
        long nanos = atMost.toNanos();
        lock.lock();
        try {
            while (writing || !lines.isEmpty() || unreported > 0) {
                if (nanos <= 0) {
                    return false;
                }
                nanos = nothing.awaitNanos(nanos);
            }
            return true;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            lock.unlock();
        }
    }

    private void writeForEver() {
        byte[] chunk = new byte[CHUNK_BYTES];
        try {
            boolean more = true;
            while (more) {
                more = writeSome(chunk);
            }
        } catch (InterruptedException nobodyDoesThat) {
            Thread.currentThread().interrupt();
        }
    }

    /** False once it is closed and all is written. */
    private boolean writeSome(byte[] chunk) throws InterruptedException {
        int length = 0;
        byte[] large = null;
        long loss = 0;
        int taken = 0;
        lock.lock();
        try {
            while (lines.isEmpty() && unreported == 0) {
                if (closed) {
                    return false;
                }
                something.await();
            }
            writing = true;
            while (large == null && !lines.isEmpty()) {
                byte[] line = lines.element();
                if (line.length > CHUNK_BYTES && length == 0) {
                    large = line;
                } else if (length + line.length > CHUNK_BYTES) {
                    break;
                } else {
                    System.arraycopy(line, 0, chunk, length, line.length);
                    length += line.length;
                }
                lines.remove();
                taken++;
                queuedBytes -= line.length;
            }
            if (lines.isEmpty()) {
                loss = unreported;
                unreported = 0;
            }
        } finally {
            lock.unlock();
        }
        boolean written = write(large != null ? large : chunk, large != null ? large.length : length, loss + failed);
        failed = written ? 0 : failed + loss + taken;
        lock.lock();
        try {
            writing = false;
            lost += written ? 0 : taken;
            if (lines.isEmpty() && unreported == 0) {
                nothing.signalAll();
            }
        } finally {
            lock.unlock();
        }
        return true;
    }

    /** False if the stream takes nothing: it is closed for good, or its disk is full for a while. */
    private boolean write(byte[] bytes, int length, long loss) {
        try {
            stream.write(bytes, 0, length);
            if (loss > 0) {
                stream.write(lossLine.apply(loss).getBytes(StandardCharsets.UTF_8));
            }
            stream.flush();
            return true;
        } catch (IOException unwritable) {
            return false;
        }
    }
}
