package org.dunlin.server.net.tls;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** Any thread. One listener's part of the threads for handshakes: a crowd at its door leaves room for the others'. */
final class HandshakeQueue implements Executor {
    private final Executor shared;
    private final int most;
    private final AtomicInteger waiting = new AtomicInteger();

    /** @param most steps of this listener that may wait or run at a time */
    HandshakeQueue(Executor shared, int most) {
        this.shared = shared;
        this.most = most;
    }

    @Override
    public void execute(Runnable step) {
        if (waiting.incrementAndGet() > most) {
            waiting.decrementAndGet();
            throw new RejectedExecutionException("the listener has " + most + " steps of handshakes waiting");
        }
        try {
            shared.execute(() -> {
                try {
                    step.run();
                } finally {
                    waiting.decrementAndGet();
                }
            });
        } catch (RejectedExecutionException full) {
            waiting.decrementAndGet();
            throw full;
        }
    }
}
