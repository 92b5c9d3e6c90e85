package org.dunlin.server.ban;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.Fault;
import org.dunlin.server.config.Quote;
import org.dunlin.server.files.NamedFile;
import org.dunlin.server.share.AddressBlock;
import org.jspecify.annotations.Nullable;

/**
 * A file of bans, one a line: {@code address 10.1.2.0/24 until 2026-11-22T10:00:00Z why}, {@code user NAME ...}, {@code client-id ID
 * ...}, with empty lines and lines that begin with # between them. A name with blanks or quotes stands in double quotes, with a
 * backslash before each quote and backslash in it. Immutable; any thread.
 */
public final class BanFile {
    private static final int BYTES_MAX = 64 << 20;
    /** Around a line; other white space may be part of a name. */
    private static final Pattern BLANKS = Pattern.compile("\\A[ \\t\\r]+|[ \\t\\r]+\\z");

    private static final int FAULTS_MAX = 100;
    private static final String FORM =
            "write 'address BLOCK', 'user NAME' or 'client-id ID', then 'until TIME' if it ends," + " then the reason";

    private final List<Line> lines;

    /** @param ban null for an empty line or a comment */
    record Line(@Nullable Ban ban, String text) {}

    private BanFile(List<Line> lines) {
        this.lines = lines;
    }

    public static NamedFile named(Path file) {
        return new NamedFile(
                file,
                "ban file",
                "auth.ban-file",
                "make it, it may be empty, or with 'dunlin ban add'; or correct auth.ban-file",
                BYTES_MAX);
    }

    /** @throws ConfigException with every fault of the file, or the one that keeps it from being read */
    public static BanFile read(Path file) throws ConfigException {
        return parse(file.toString(), named(file).read());
    }

    /**
     * @param name of the file, for faults
     * @throws ConfigException with the faults, of which it tells the first hundred
     */
    static BanFile parse(String name, byte[] content) throws ConfigException {
        List<Fault> faults = new ArrayList<>();
        List<Line> lines = new ArrayList<>();
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(content))
                    .toString();
        } catch (CharacterCodingException malformed) {
            throw new ConfigException(
                    List.of(new Fault(Quote.path(name), "", "the ban file is not UTF-8", "save the file as UTF-8")));
        }
        int number = 0;
        for (String raw : text.split("\n", -1)) {
            number++;
            String line = BLANKS.matcher(raw).replaceAll("");
            try {
                lines.add(new Line(line.isEmpty() || line.startsWith("#") ? null : ban(line), raw));
            } catch (Unfit unfit) {
                if (faults.size() < FAULTS_MAX) {
                    faults.add(new Fault(Quote.path(name) + ":" + number, "", unfit.what, unfit.cure));
                }
            }
        }
        if (!faults.isEmpty()) {
            throw new ConfigException(faults);
        }
        return new BanFile(lines);
    }

    /** A line that is no ban. */
    static final class Unfit extends Exception {
        private static final long serialVersionUID = 1L;
        private final String what;
        private final String cure;

        Unfit(String what, String cure) {
            super(what, null, false, false);
            this.what = what;
            this.cure = cure;
        }

        Fault fault() {
            return new Fault("", "", what, cure);
        }
    }

    private static Ban ban(String line) throws Unfit {
        Words words = new Words(line);
        String first = words.next();
        Ban.Kind kind = Ban.Kind.of(first);
        if (kind == null) {
            throw new Unfit(Quote.begin(first) + " is nothing that can be banned", FORM);
        }
        String subject = subject(kind, words.next());
        String rest = words.rest();
        Instant until = null;
        if (rest.equals("until") || rest.startsWith("until ")) {
            words.next();
            until = time(words.next());
            rest = words.rest();
        }
        return new Ban(kind, subject, until, reason(rest));
    }

    /** In its one spelling. */
    static String subject(Ban.Kind kind, String text) throws Unfit {
        if (kind == Ban.Kind.ADDRESS) {
            AddressBlock block = AddressBlock.parse(text);
            if (block == null) {
                throw new Unfit(
                        Quote.of(text) + " is no address, or a block with bits set behind its length",
                        "write one like 10.1.2.3, 10.1.2.0/24 or 2001:db8::/32");
            }
            return block.toString();
        }
        if (text.isEmpty() || text.chars().anyMatch(Character::isISOControl)) {
            throw new Unfit("the " + kind.word() + " is empty or has a control character", FORM);
        }
        return text;
    }

    static Instant time(String text) throws Unfit {
        try {
            return OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeException malformed) {
            throw new Unfit(
                    Quote.of(text) + " is no time", "write one like 2026-11-22T10:00:00Z or 2026-11-22T10:00:00+01:00");
        }
    }

    static String reason(String text) throws Unfit {
        if (text.length() > 1000 || text.chars().anyMatch(Character::isISOControl)) {
            throw new Unfit("the reason has more than 1000 characters, or a control character", "shorten it");
        }
        return text;
    }

    /** Words with blanks between; what has blanks or quotes is in quotes. */
    private static final class Words {
        private final String line;
        private int at;

        Words(String line) {
            this.line = line;
        }

        /** "" behind the last one. */
        String next() throws Unfit {
            StringBuilder word = new StringBuilder();
            if (at < line.length() && line.charAt(at) == '"') {
                for (at++; at < line.length() && line.charAt(at) != '"'; at++) {
                    at += line.charAt(at) == '\\' ? 1 : 0;
                    word.append(at < line.length() ? line.charAt(at) : "");
                }
                if (at >= line.length()) {
                    throw new Unfit("a quote is not closed", "put names in quotes like \"a name\"");
                }
                at++;
            } else {
                while (at < line.length() && !isBlank(line.charAt(at))) {
                    word.append(line.charAt(at++));
                }
            }
            if (at < line.length() && !isBlank(line.charAt(at))) {
                throw new Unfit("there is no blank behind a quote", FORM);
            }
            while (at < line.length() && isBlank(line.charAt(at))) {
                at++;
            }
            return word.toString();
        }

        String rest() {
            return line.substring(at);
        }

        private static boolean isBlank(char c) {
            return c == ' ' || c == '\t';
        }
    }

    /** The line that says it. */
    public static String line(Ban ban) {
        String subject = ban.subject();
        boolean bare = subject.chars().noneMatch(c -> c <= ' ' || c == '"' || c == '\\');
        return ban.kind().word() + " "
                + (bare ? subject : '"' + subject.replace("\\", "\\\\").replace("\"", "\\\"") + '"')
                + (ban.until() == null ? "" : " until " + ban.until().truncatedTo(ChronoUnit.SECONDS))
                + (ban.reason().isEmpty() ? "" : " " + ban.reason());
    }

    /** Those that have ended, too; in the order of the file. */
    public List<Ban> bans() {
        List<Ban> bans = new ArrayList<>();
        for (Line line : lines) {
            if (line.ban != null) {
                bans.add(line.ban);
            }
        }
        return bans;
    }

    List<Line> lines() {
        return lines;
    }
}
