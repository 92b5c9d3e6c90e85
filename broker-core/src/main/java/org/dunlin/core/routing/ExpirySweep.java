package org.dunlin.core.routing;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.dunlin.core.spi.Loop;
import org.dunlin.mqtt.Message;

/**
 * Finds retained messages whose time is up although nobody asks for them, so that they do not stay for ever: goes through the whole
 * tree once in a while, in small steps, as long as something in it can expire. Any thread may ask for it; it goes on the loop of
 * who did.
 */
public final class ExpirySweep {
    /** From the end of one to the beginning of the next. */
    private static final long EVERY_MILLIS = 60_000;
    /** Between two steps, each of which takes some 0.1 ms: a million topics take less than a minute. */
    private static final long PAUSE_MILLIS = 10;

    private static final int MESSAGES_A_STEP = 256;

    private final RetainedTree tree;
    private final AtomicBoolean running = new AtomicBoolean();
    /** Something that can expire may be where a sweep that goes on has already been. */
    private volatile boolean wanted;

    public ExpirySweep(RetainedTree tree) {
        this.tree = tree;
    }

    /**
     * Something that can expire is in the tree.
     *
     * @param expired removes a message; called on the loop
     */
    public void expect(Loop loop, Consumer<Message> expired) {
        if (!wanted) {
            wanted = true;
        }
        if (!running.get() && running.compareAndSet(false, true)) {
            later(loop, expired);
        }
    }

    private void later(Loop loop, Consumer<Message> expired) {
        loop.schedule(
                () -> {
                    wanted = false;
                    step(loop, expired, tree.cursor());
                },
                EVERY_MILLIS);
    }

    private void step(Loop loop, Consumer<Message> expired, RetainedTree.Cursor cursor) {
        long now = loop.nowMillis();
        List<Message> due = new ArrayList<>();
        boolean more = cursor.next(MESSAGES_A_STEP, message -> {
            if (message.isExpired(now)) {
                due.add(message);
            } else if (message.hasExpiry()) {
                wanted = true;
            }
        });
        due.forEach(expired);
        if (more) {
            loop.schedule(() -> step(loop, expired, cursor), PAUSE_MILLIS);
        } else if (wanted) {
            later(loop, expired);
        } else {
            running.set(false);
            if (wanted) {
                expect(loop, expired);
            }
        }
    }
}
