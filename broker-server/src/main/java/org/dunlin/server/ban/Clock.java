package org.dunlin.server.ban;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Any thread. A thread that runs what is short after a while. */
final class Clock implements LoginGuard.Later {
    private final ScheduledThreadPoolExecutor thread = new ScheduledThreadPoolExecutor(1, task -> {
        Thread made = new Thread(task, "auth-login-delay");
        made.setDaemon(true);
        return made;
    });

    /** After {@link #close} nothing runs: nobody waits for it any more. */
    @Override
    public void run(Runnable task, long delayMillis) {
        try {
            thread.schedule(task, delayMillis, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closed) {
            return;
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
