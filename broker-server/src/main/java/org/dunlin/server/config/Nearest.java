package org.dunlin.server.config;

import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** "Did you mean ...?" Any thread. */
public final class Nearest {
    private static final int LENGTH_MAX = 256;

    private Nearest() {}

    /** The candidate that the writer most likely meant, or null if none is near. */
    public static @Nullable String of(String written, Collection<String> candidates) {
        String best = null;
        int bestDistance = 2 + written.length() / 8;
        if (written.length() > LENGTH_MAX) {
            return null;
        }
        for (String candidate : candidates) {
            int distance = distance(written, candidate);
            if (distance < Math.min(bestDistance, candidate.length())) {
                bestDistance = distance;
                best = candidate;
            }
        }
        return best;
    }

    /** Insertions, deletions, replacements and swaps of neighbours that turn one into the other. */
    static int distance(String a, String b) {
        int[] beforeLast = new int[b.length() + 1];
        int[] last = new int[b.length() + 1];
        int[] now = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            last[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            now[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int same = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                now[j] = Math.min(Math.min(now[j - 1], last[j]) + 1, last[j - 1] + same);
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    now[j] = Math.min(now[j], beforeLast[j - 2] + 1);
                }
            }
            int[] spare = beforeLast;
            beforeLast = last;
            last = now;
            now = spare;
        }
        return last[b.length()];
    }
}
