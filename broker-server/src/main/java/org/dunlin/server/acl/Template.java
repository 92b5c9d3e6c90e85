package org.dunlin.server.acl;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One level of a pattern that has %c or %u in it, like "dev-%c". Any thread. */
final class Template {
    /** What a template is for one client. */
    enum Use {
        /** It stands for one text. */
        FILLED,
        /** The client has no user name: no topic is meant. */
        ABSENT,
        /** The name could mean more than itself: it allows nothing, and denies whatever it might mean. */
        UNFIT
    }

    private static final String CLIENT = "%c";
    private static final String USER = "%u";

    private final String text;
    /** Texts, and the two constants themselves where a name stands. */
    private final String[] parts;

    private final boolean client;
    private final boolean user;
    /** Whether it is the first level and begins with a name, which must not bring its own $. */
    private final boolean opens;

    private Template(String text, boolean first) {
        this.text = text;
        List<String> found = new ArrayList<>();
        int from = 0;
        for (int i = next(text, 0); i >= 0; i = next(text, from)) {
            if (i > from) {
                found.add(text.substring(from, i));
            }
            found.add(text.startsWith(CLIENT, i) ? CLIENT : USER);
            from = i + 2;
        }
        if (from < text.length()) {
            found.add(text.substring(from));
        }
        this.parts = found.toArray(String[]::new);
        this.client = text.contains(CLIENT);
        this.user = text.contains(USER);
        this.opens = first && isName(parts[0]);
    }

    /** @return null if the level has neither %c nor %u */
    static @Nullable Template of(String level, boolean first) {
        return next(level, 0) < 0 ? null : new Template(level, first);
    }

    private static int next(String text, int from) {
        int c = text.indexOf(CLIENT, from);
        int u = text.indexOf(USER, from);
        return c < 0 ? u : u < 0 ? c : Math.min(c, u);
    }

    @SuppressWarnings({"ReferenceEquality", "StringEquality"
    }) // the constants stand for names, equal texts cannot occur
    private static boolean isName(String part) {
        return part == CLIENT || part == USER;
    }

    Use use(Names names) {
        if (user && names.userName() == null) {
            return Use.ABSENT;
        }
        boolean fits = (!client || names.clientFits()) && (!user || names.userFits());
        return fits && !(opens && value(parts[0], names).startsWith("$")) ? Use.FILLED : Use.UNFIT;
    }

    /** Whether a level is what it stands for; only if it is {@link Use#FILLED}. */
    boolean matches(String level, Names names) {
        int at = 0;
        for (String part : parts) {
            String value = value(part, names);
            if (!level.startsWith(value, at)) {
                return false;
            }
            at += value.length();
        }
        return at == level.length();
    }

    /** What it stands for; only if it is {@link Use#FILLED}. */
    String fill(Names names) {
        StringBuilder filled = new StringBuilder();
        for (String part : parts) {
            filled.append(value(part, names));
        }
        return filled.toString();
    }

    private static String value(String part, Names names) {
        if (!isName(part)) {
            return part;
        }
        return part.equals(CLIENT) ? names.clientId() : String.valueOf(names.userName());
    }

    /** Why it is {@link Use#UNFIT}, completing "since ...". */
    String unfit(Names names) {
        String userName = names.userName();
        if (user && userName != null && (!names.userFits() || !client)) {
            return flaw("its user name", userName, names.userFits());
        }
        return flaw("its client identifier", names.clientId(), names.clientFits());
    }

    private static String flaw(String what, String name, boolean fits) {
        return what + (fits ? " begins with $" : name.isEmpty() ? " is empty" : " has +, # or /");
    }

    String text() {
        return text;
    }
}
