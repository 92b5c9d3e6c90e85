package org.dunlin.server.trace;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The traces that run. Any thread. Each connection has its own {@link Tap} while somebody looks at it, and asks for it when it
 * comes, when its client is known, and when this changes: packets of a connection that nobody looks at meet a null, no more.
 */
public final class Traces {
    /** At a time. */
    public static final int MOST = 8;

    private static final Trace[] NONE = {};

    private final Runnable changed;
    private volatile Trace[] running = NONE;

    /** @param changed has every connection ask again for its tap */
    public Traces(Runnable changed) {
        this.changed = changed;
    }

    /**
     * Begins to trace; {@link #end} has to follow.
     *
     * @param showsUserNames false where they may be tokens
     * @return null if {@link #MOST} run already
     */
    public synchronized @Nullable Trace start(Target target, Trace.Payload payload, boolean showsUserNames) {
        if (running.length >= MOST) {
            return null;
        }
        Trace trace = new Trace(target, payload, showsUserNames);
        List<Trace> more = new ArrayList<>(List.of(running));
        more.add(trace);
        running = more.toArray(NONE);
        changed.run();
        return trace;
    }

    public synchronized void end(Trace trace) {
        List<Trace> fewer = new ArrayList<>(List.of(running));
        if (fewer.remove(trace)) {
            running = fewer.toArray(NONE);
            changed.run();
        }
    }

    /** How many run. */
    public int count() {
        return running.length;
    }

    /** Who looks at a connection; null if nobody does. */
    public @Nullable Tap tap(String peer, @Nullable String clientId) {
        Trace[] all = running;
        return all.length == 0 ? null : Tap.of(all, peer, clientId);
    }
}
