package org.dunlin.core.spi;

/** One event loop: the thread that owns a shard, and its clock. Any thread may call it. */
public interface Loop {
    /** Whether the caller is on this loop's thread; asserted by everything that the loop owns. */
    boolean inLoop();

    /** Runs a task on the loop, after those given before by the same thread; never runs it before returning. */
    void execute(Runnable task);

    /**
     * Runs a task once when the loop has handled all that is ready at the moment, before it waits for more. On the loop's
     * thread only; a task given while such tasks run waits for the end of the next turn.
     */
    void atEndOfTurn(Runnable task);

    /**
     * Runs a task on the loop in its next turn, when what has become ready by then has been handled: for work that goes on in
     * steps, so that others have their turn between two. On the loop's thread only.
     */
    default void inNextTurn(Runnable task) {
        atEndOfTurn(() -> execute(task));
    }

    /**
     * Whether this turn has lasted so long that what can wait should go on in the next one. On the loop's thread only; cheap
     * enough to be asked for each message.
     */
    boolean isTurnLong();

    /**
     * Whether it has lately got to what was due so late that its clients feel it, so that whoever makes much work should be
     * slowed. Any thread.
     */
    boolean isLate();

    /** Runs a task on the loop not before that many milliseconds have passed. */
    Timer schedule(Runnable task, long delayMillis);

    /** Wall-clock milliseconds that never run backwards: every deadline is read by this clock. */
    long nowMillis();

    /** A task that waits for its time. */
    interface Timer {
        /** On the loop's thread only; without effect once it has run. */
        void cancel();
    }
}
