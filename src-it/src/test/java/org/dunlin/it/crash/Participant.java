package org.dunlin.it.crash;

/** A client with something to do. One thread calls {@link #step()} and {@link #end()}, any thread {@link #isSettled()}. */
interface Participant {
    String name();

    /** Does a little, for some milliseconds at most if nothing is broken. */
    void step();

    /** In the phase HOLD: its subscriptions stand. In the phase DRAIN: it is connected and has finished what it began. */
    boolean isSettled();

    /** Leaves by DISCONNECT. */
    void end();
}
