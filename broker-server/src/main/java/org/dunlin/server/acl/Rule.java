package org.dunlin.server.acl;

/**
 * One rule as it was read. Any thread.
 *
 * @param line of the file; 0 for a rule of a token
 * @param kind the word that the line begins with
 * @param words what it says of actions and limits, as written; "" if nothing
 * @param permits what it allows or denies, of {@link Permits}
 * @param filter of the topics, with %c and %u if it is a pattern
 */
record Rule(int line, Kind kind, String words, boolean deny, int permits, String filter) {
    enum Kind {
        TOPIC,
        PATTERN,
        /** One that a token grants. */
        TOKEN
    }

    /** The permits in the half of an int where they belong. */
    int bits() {
        return deny ? Permits.denial(permits) : permits;
    }

    boolean concerns(int permit) {
        return (permits & permit) != 0;
    }

    /** As it may stand in the file. */
    String text() {
        String word = kind == Kind.PATTERN ? "pattern " : "topic ";
        return words.isEmpty() ? word + filter : word + words + " " + filter;
    }
}
