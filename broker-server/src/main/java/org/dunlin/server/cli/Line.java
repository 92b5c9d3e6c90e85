package org.dunlin.server.cli;

/** Keeps an error one line, whatever the user typed. Any thread. */
public final class Line {
    private static final int CHARACTERS_MAX = 2000;

    private Line() {}

    public static String of(String text) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < Math.min(text.length(), CHARACTERS_MAX); i++) {
            char c = text.charAt(i);
            if (c == '\n') {
                line.append(' ');
            } else if (!Character.isISOControl(c)) {
                line.append(c);
            }
        }
        return line.toString();
    }
}
