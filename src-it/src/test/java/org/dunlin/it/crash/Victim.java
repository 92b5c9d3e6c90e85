package org.dunlin.it.crash;

/** A broker that is ended and started again on the same data. One thread. */
public interface Victim extends AutoCloseable {
    /** Starts it without waiting. @param newPort on another port than before, if it can choose */
    void launch(boolean newPort);

    /** Waits until it serves. @return its port */
    int awaitReady();

    /** SIGKILL, also while it starts. */
    void kill();

    /** SIGTERM, and waits for its end. */
    void stop();

    /** What it is held to. */
    Promises promises();

    /** The end of its log, for a failure. */
    String logTail();

    @Override
    void close();

    /**
     * What goes beyond the standard, or cannot be had from every broker.
     *
     * @param atPublish a QoS 2 message is passed on at its PUBLISH, before PUBREC; else at PUBREL
     * @param mixedOrder messages of one topic keep their order whatever their QoS
     * @param smallWindow a Receive Maximum of 1 or 2 is kept, and order with it
     * @param sharedSurvives a shared subscription goes on after a restart
     * @param sessionsChange a session made by Clean Start, or with another expiry later, goes on after a restart
     * @param willsSurvive a crash is an end of the connection, and the will goes out
     * @param delayed {@code $delayed/<seconds>/<topic>}
     */
    record Promises(
            boolean atPublish,
            boolean mixedOrder,
            boolean smallWindow,
            boolean sharedSurvives,
            boolean sessionsChange,
            boolean willsSurvive,
            boolean delayed) {
        static final Promises ALL = new Promises(true, true, true, true, true, true, true);
        static final Promises LEAST = new Promises(false, false, false, false, false, false, false);
    }
}
