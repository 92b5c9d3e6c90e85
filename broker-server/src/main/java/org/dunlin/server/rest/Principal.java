package org.dunlin.server.rest;

/**
 * Somebody who has shown who it is. Any thread.
 *
 * @param name for people and the audit log, like "token admin" or "user anna"
 */
public record Principal(String name, Scope scope) {
    /** What somebody may do; each may do what those before it may. */
    public enum Scope {
        /** Look at everything but secrets. */
        READ,
        /** Change everything. */
        WRITE;

        public boolean covers(Scope other) {
            return compareTo(other) >= 0;
        }

        @Override
        public String toString() {
            return this == READ ? "read" : "write";
        }
    }
}
