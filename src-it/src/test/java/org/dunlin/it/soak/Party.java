package org.dunlin.it.soak;

/** Clients that play one part, on a thread of their own. */
interface Party {
    /** Of the thread, and in what is said of a fault. */
    String name();

    /** Plays until the scene is over. What it throws before that is a fault. */
    void play(Scene scene) throws Exception;
}
