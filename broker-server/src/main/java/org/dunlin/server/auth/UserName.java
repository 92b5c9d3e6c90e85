package org.dunlin.server.auth;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** What a user name may be that somebody else has vouched for: a token or a certificate. Any thread. */
public final class UserName {
    private static final int BYTES_MAX = 65_535;

    private UserName() {}

    /** @return why it cannot be one, completing "the user name ..."; null if it can */
    public static @Nullable String unfit(String name) {
        if (name.isEmpty()) {
            return "is empty";
        } else if (name.codePoints().anyMatch(c -> Character.isISOControl(c))) {
            return "has a control character";
        } else if (name.codePoints().anyMatch(c -> Character.getType(c) == Character.SURROGATE)) {
            return "is no valid Unicode";
        } else if (name.getBytes(StandardCharsets.UTF_8).length > BYTES_MAX) {
            return "has more than " + BYTES_MAX + " bytes";
        }
        return null;
    }
}
