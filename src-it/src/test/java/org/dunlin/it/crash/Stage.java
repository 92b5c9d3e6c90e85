package org.dunlin.it.crash;

/** What all clients of a run share. Any thread. */
final class Stage {
    enum Phase {
        /** Everybody does his work. */
        WORK,
        /** Publishers that have lost their connection stay away, so that nothing changes. */
        HOLD,
        /** Publishers only finish what they have begun; receivers take all there is, without delay. */
        DRAIN,
        END
    }

    private final History history = new History();
    private volatile Phase phase = Phase.HOLD;
    private volatile int port;

    History history() {
        return history;
    }

    Phase phase() {
        return phase;
    }

    void phase(Phase next) {
        phase = next;
    }

    int port() {
        return port;
    }

    void port(int next) {
        port = next;
    }
}
