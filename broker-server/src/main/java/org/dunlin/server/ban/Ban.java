package org.dunlin.server.ban;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import org.dunlin.server.share.AddressBlock;
import org.jspecify.annotations.Nullable;

/**
 * Somebody who may not connect. Any thread.
 *
 * @param subject an address or block in its one spelling, a user name or a client identifier
 * @param until null for ever
 * @param reason of whoever has banned it, perhaps empty; its client and the log are told
 */
public record Ban(Kind kind, String subject, @Nullable Instant until, String reason) {
    /** What is banned. */
    public enum Kind {
        ADDRESS,
        USER,
        CLIENT_ID;

        /** As it is written: "client-id". */
        public String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        /** @return null if it is no kind */
        public static @Nullable Kind of(String word) {
            for (Kind kind : values()) {
                if (kind.word().equals(word)) {
                    return kind;
                }
            }
            return null;
        }
    }

    /** An address or a block of them. */
    public static Ban address(AddressBlock block, @Nullable Instant until, String reason) {
        return new Ban(Kind.ADDRESS, block.toString(), until, reason);
    }

    boolean isInForce(Instant now) {
        return until == null || now.isBefore(until);
    }

    /** For the banned and the log: "this user is banned until 2026-11-22T10:00:00Z: reason". */
    String text() {
        String who = kind == Kind.CLIENT_ID ? "client identifier" : kind.word();
        return "this " + who + " is banned" + (until == null ? "" : " until " + until.truncatedTo(ChronoUnit.SECONDS))
                + (reason.isEmpty() ? "" : ": " + reason);
    }
}
