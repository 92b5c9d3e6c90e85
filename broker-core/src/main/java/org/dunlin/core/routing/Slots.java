package org.dunlin.core.routing;

import java.nio.charset.StandardCharsets;

/**
 * The slot of a client identifier or shared filter: what a cluster moves between machines, fixed for ever whatever the number
 * of loops. It is the 64-bit FNV-1a hash of the UTF-8 bytes, its halves folded by exclusive or, modulo {@value #COUNT}. Any
 * thread.
 */
public final class Slots {
    public static final int COUNT = 1024;

    private Slots() {}

    /** The slot of that name, from 0 to {@value #COUNT} - 1. */
    public static int of(String name) {
        long hash = 0xcbf29ce484222325L;
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xFF)) * 0x100000001b3L;
        }
        return (int) ((hash ^ hash >>> 32) & COUNT - 1);
    }
}
