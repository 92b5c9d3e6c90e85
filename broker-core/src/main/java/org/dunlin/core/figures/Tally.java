package org.dunlin.core.figures;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** One thread counts, any thread reads: a plain addition on the way of a message, no atomic instruction, no barrier. */
public final class Tally {
    private static final VarHandle VALUE;

    static {
        try {
            VALUE = MethodHandles.lookup().findVarHandle(Tally.class, "value", long.class);
        } catch (ReflectiveOperationException impossible) {
            throw new ExceptionInInitializerError(impossible);
        }
    }

    private long value;

    /** At 0. */
    public Tally() {}

    /** By its one thread only; a negative number takes off. */
    public void add(long more) {
        VALUE.setOpaque(this, value + more);
    }

    /** Any thread: what has been counted, or what had been a moment ago. */
    public long get() {
        return (long) VALUE.getOpaque(this);
    }
}
