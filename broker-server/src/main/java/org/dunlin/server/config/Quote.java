package org.dunlin.server.config;

import java.util.HexFormat;

/** Makes text from outside safe to show in one line: cut to a length, control characters escaped. Any thread. */
public final class Quote {
    private static final int SHOWN_CHARACTERS = 80;
    private static final int BEGIN_CHARACTERS = 12;
    private static final int PATH_CHARACTERS = 4096;
    private static final HexFormat HEX = HexFormat.of();

    private Quote() {}

    public static String of(String text) {
        return "'" + bare(text) + "'";
    }

    /**
     * The begin of a word that is none of those that are known, to be found by: its line may have come from another file, with hashes
     * or tokens.
     */
    public static String begin(String word) {
        int colon = word.indexOf(':');
        int shown = Math.min(colon < 0 ? word.length() : colon, BEGIN_CHARACTERS);
        return of(shown < word.length() ? word.substring(0, shown) + "..." : word);
    }

    static String bare(String text) {
        return bare(text, SHOWN_CHARACTERS);
    }

    /** Whole, since part of the name of a file is no use. */
    public static String path(String text) {
        return text.isEmpty() ? "''" : bare(text, PATH_CHARACTERS);
    }

    private static String bare(String text, int max) {
        StringBuilder out = new StringBuilder();
        int length = Math.min(text.length(), max);
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            if (hidden(c)) {
                out.append("\\u").append(HEX.toHexDigits(c));
            } else {
                out.append(c);
            }
        }
        return length < text.length() ? out.append("...").toString() : out.toString();
    }

    /** Controls, line separators, what turns the direction of writing or stands alone, and what is no character. */
    static boolean hidden(char c) {
        return Character.isISOControl(c)
                || Character.isSurrogate(c)
                || Character.getType(c) == Character.FORMAT
                || c == '\u2028'
                || c == '\u2029'
                || c >= '\ufffe';
    }
}
