package org.dunlin.server.ban;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.files.FileReplacement;
import org.jspecify.annotations.Nullable;

/**
 * Changes the bans of a file in one step, and leaves its comments and other lines as they are, but for bans that have ended: they go.
 * One thread.
 */
public final class BanFileEditor {
    private final Path file;

    public BanFileEditor(Path file) {
        this.file = file;
    }

    /**
     * A ban as people name it.
     *
     * @param kind "address", "user" or "client-id"
     * @throws ConfigException if there can be no such ban
     */
    public static Ban ban(String kind, String subject, @Nullable Instant until, String reason) throws ConfigException {
        Ban.Kind known = Ban.Kind.of(kind);
        try {
            if (known == null) {
                throw new BanFile.Unfit("there is no " + kind, "name an address, a user or a client-id");
            }
            Ban ban = new Ban(known, BanFile.subject(known, subject), until, BanFile.reason(reason.strip()));
            BanFile.parse("", BanFile.line(ban).getBytes(StandardCharsets.UTF_8)); // it would not be read as another
            return ban;
        } catch (BanFile.Unfit unfit) {
            throw new ConfigException(List.of(unfit.fault()));
        }
    }

    /** A time like 2026-11-22T10:00:00Z. @throws ConfigException if it is none */
    public static Instant time(String text) throws ConfigException {
        try {
            return BanFile.time(text);
        } catch (BanFile.Unfit unfit) {
            throw new ConfigException(List.of(unfit.fault()));
        }
    }

    /** Adds a ban, in place of one of the same subject; makes the file if there is none. */
    public void add(Ban ban) throws IOException, ConfigException {
        change(true, ban, BanFile.line(ban));
    }

    /** @return false if the file has no such ban */
    public boolean remove(Ban ban) throws IOException, ConfigException {
        return change(false, ban, null);
    }

    private boolean change(boolean makes, Ban ban, @Nullable String added) throws IOException, ConfigException {
        Instant now = Instant.now();
        return new FileReplacement(BanFile.named(file)).apply(makes, content -> {
            List<String> kept = new ArrayList<>();
            boolean found = false;
            for (BanFile.Line line : BanFile.parse(file.toString(), content).lines()) {
                Ban there = line.ban();
                boolean same = there != null
                        && there.kind() == ban.kind()
                        && there.subject().equals(ban.subject());
                found |= same;
                if (there == null || !same && there.isInForce(now)) {
                    kept.add(line.text());
                }
            }
            if (added == null && !found) {
                return null;
            }
            while (!kept.isEmpty() && kept.get(kept.size() - 1).isBlank()) {
                kept.remove(kept.size() - 1);
            }
            if (added != null) {
                kept.add(added);
            }
            kept.add("");
            return String.join("\n", kept).getBytes(StandardCharsets.UTF_8);
        });
    }
}
