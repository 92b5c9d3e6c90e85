package org.dunlin.server.acl;

/**
 * How topic filters, given by their levels, lie to each other: the plain definitions, which {@link RuleTree} must agree with. A
 * topic name is a filter without wildcards; the empty one counts here, though no packet has it. Any thread.
 */
final class Filters {
    static final String SINGLE = "+";
    static final String MULTI = "#";

    private Filters() {}

    static String[] levels(String text) {
        return text.split("/", -1);
    }

    /** Whether every topic that matches the narrow one matches the wide one. */
    static boolean covers(String[] wide, String[] narrow) {
        if (isDollar(narrow[0]) && isWildcard(wide[0])) {
            return false;
        }
        if (narrow[0].equals(MULTI)) { // every topic has a first level, so "+/#" is the same
            return wide[0].equals(MULTI) || wide.length == 2 && wide[0].equals(SINGLE) && wide[1].equals(MULTI);
        }
        for (int i = 0; i < wide.length; i++) {
            if (wide[i].equals(MULTI)) {
                return true;
            }
            if (i == narrow.length || narrow[i].equals(MULTI)) {
                return false;
            }
            if (!wide[i].equals(SINGLE) && !wide[i].equals(narrow[i])) {
                return false;
            }
            if (i == narrow.length - 1 && i == wide.length - 2 && wide[i + 1].equals(MULTI)) {
                return true; // "a/#" matches its parent "a"
            }
        }
        return wide.length == narrow.length;
    }

    /** Whether any topic matches both. */
    static boolean meet(String[] a, String[] b) {
        if (isDollar(a[0]) && isWildcard(b[0]) || isDollar(b[0]) && isWildcard(a[0])) {
            return false;
        }
        int i = 0;
        for (; i < a.length && i < b.length; i++) {
            if (a[i].equals(MULTI) || b[i].equals(MULTI)) {
                return true;
            }
            if (!a[i].equals(SINGLE) && !b[i].equals(SINGLE) && !a[i].equals(b[i])) {
                return false;
            }
        }
        return endsAt(a, i) && endsAt(b, i);
    }

    /** Whether a topic of so many levels can match it, as far as length goes. */
    private static boolean endsAt(String[] filter, int count) {
        return filter.length == count || filter.length == count + 1 && filter[count].equals(MULTI);
    }

    static boolean isWildcard(String level) {
        return level.equals(SINGLE) || level.equals(MULTI);
    }

    static boolean isDollar(String level) {
        return !level.isEmpty() && level.charAt(0) == '$';
    }
}
