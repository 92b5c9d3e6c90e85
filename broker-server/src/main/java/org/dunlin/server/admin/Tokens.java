package org.dunlin.server.admin;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.Fault;
import org.dunlin.server.config.Quote;
import org.dunlin.server.files.FileReplacement;
import org.dunlin.server.files.NamedFile;
import org.dunlin.server.rest.ApiFault;
import org.dunlin.server.rest.Principal;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tokens that open the admin port: the one for everything, in a file that only its owner may read, and those made for others,
 * of which beside it there are only digests. Any thread.
 */
final class Tokens {
    private static final Logger LOG = LoggerFactory.getLogger("dunlin.admin");

    static final String USUAL_NAME = "admin.token";
    private static final String OTHERS_NAME = "admin.tokens";
    private static final String PREFIX = "dunlin_";
    /** What the names of principals begin with that have a token. */
    private static final String HOLDER = "token ";

    private static final String MASTER_NAME = HOLDER + "admin";
    private static final int RANDOM_BYTES = 32;
    private static final int LENGTH_MIN = 20;
    private static final int BYTES_MAX = 1 << 20;
    private static final int MOST = 1000;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}");
    private static final Set<PosixFilePermission> OWNER_ONLY =
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

    private final SecureRandom random = new SecureRandom();
    private final NamedFile others;
    private final Supplier<Instant> now;
    private final String master;
    private volatile Map<String, Token> byDigest;

    /**
     * A token, without what it is.
     *
     * @param expires null if it does not
     */
    record Token(
            String name,
            Principal.Scope scope,
            Instant created,
            @Nullable Instant expires) {}

    private Tokens(String master, NamedFile others, Supplier<Instant> now) throws ConfigException {
        this.master = digest(master);
        this.others = others;
        this.now = now;
        this.byDigest = Files.exists(others.path()) ? parse(others.path(), others.read()) : Map.of();
    }

    /**
     * Reads the files; makes the first if it is missing.
     *
     * @param file of the token for everything; its directory is made if it is missing
     * @throws ConfigException if one of them has a fault, or cannot be made
     */
    static Tokens open(Path file, Supplier<Instant> now) throws ConfigException {
        NamedFile named = new NamedFile(
                file, "token file", "admin.token-file", "remove it, and the next start makes another", BYTES_MAX);
        if (Files.notExists(file)) {
            make(file);
        }
        String token = new String(named.read(), StandardCharsets.UTF_8).strip();
        if (token.length() < LENGTH_MIN || token.chars().anyMatch(c -> c <= ' ' || c > '~')) {
            throw new ConfigException(List.of(new Fault(
                    Quote.path(file.toString()),
                    "",
                    "the token has fewer than " + LENGTH_MIN + " characters, or others than printable ASCII",
                    "remove the file, and the next start makes another")));
        }
        warnIfOpen(file);
        return new Tokens(
                token,
                new NamedFile(
                        file.toAbsolutePath().resolveSibling(OTHERS_NAME),
                        "file of tokens",
                        "admin.token-file",
                        "make tokens with 'dunlin token add'",
                        BYTES_MAX),
                now);
    }

    private static void make(Path file) throws ConfigException {
        byte[] token = (fresh(new SecureRandom()) + "\n").getBytes(StandardCharsets.US_ASCII);
        try {
            Path directory = file.toAbsolutePath().getParent();
            if (directory != null) {
                Files.createDirectories(directory);
            }
            Set<StandardOpenOption> options = EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            boolean posix = file.getFileSystem().supportedFileAttributeViews().contains("posix");
            try (FileChannel channel = posix
                    ? FileChannel.open(file, options, PosixFilePermissions.asFileAttribute(OWNER_ONLY))
                    : FileChannel.open(file, options)) {
                channel.write(ByteBuffer.wrap(token));
                channel.force(true);
            }
        } catch (IOException unwritable) {
            throw new ConfigException(List.of(new Fault(
                    Quote.path(file.toString()),
                    "",
                    "the token file cannot be made: " + unwritable.getMessage(),
                    "let this user write there, name another place with admin.token-file, or set admin.enabled:"
                            + " false")));
        }
    }

    private static void warnIfOpen(Path file) {
        try {
            Set<PosixFilePermission> rights = Files.getPosixFilePermissions(file);
            if (!OWNER_ONLY.containsAll(rights) && rights.contains(PosixFilePermission.OTHERS_READ)) {
                LOG.warn("{} may be read by everybody on this machine; chmod 600 it", Quote.path(file.toString()));
            }
        } catch (IOException | UnsupportedOperationException unknown) {
            LOG.debug("The rights of {} are not known", file, unknown);
        }
    }

    private static String fresh(SecureRandom random) {
        byte[] bytes = new byte[RANDOM_BYTES];
        random.nextBytes(bytes);
        return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static String digest(String token) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException missing) {
            throw new IllegalStateException("every Java has SHA-256", missing);
        }
    }

    /** Whose token that is, or null if it is none, or over. What is compared are digests: how long it takes tells nothing. */
    @Nullable
    Principal find(String token) {
        String digest = digest(token);
        if (digest.equals(master)) {
            return new Principal(MASTER_NAME, Principal.Scope.WRITE);
        }
        Token found = byDigest.get(digest);
        return found == null || isOver(found) ? null : new Principal(holderName(found), found.scope());
    }

    /** Whether somebody is known by a token, and not by name and password. */
    static boolean isHolder(Principal principal) {
        return principal.name().startsWith(HOLDER);
    }

    /** Whether somebody whom {@link #find} has told of still has a token: it may be over, or removed. */
    boolean isInForce(Principal holder) {
        return holder.name().equals(MASTER_NAME)
                || byDigest.values().stream()
                        .anyMatch(token -> holder.name().equals(holderName(token)) && !isOver(token));
    }

    private boolean isOver(Token token) {
        Instant expires = token.expires();
        return expires != null && !now.get().isBefore(expires);
    }

    private static String holderName(Token token) {
        return HOLDER + token.name();
    }

    /** Those made for others, over or not. */
    List<Token> list() {
        return List.copyOf(byDigest.values());
    }

    /**
     * Makes a token.
     *
     * @return it, which nobody can be told again
     * @throws ApiFault if the name is taken, or is none
     */
    synchronized String add(String name, Principal.Scope scope, @Nullable Instant expires)
            throws ApiFault, IOException, ConfigException {
        if (!NAME.matcher(name).matches() || name.equals("admin")) {
            throw ApiFault.badRequest("the name of a token is 1 to 64 of a-z A-Z 0-9 _ . @ -, and not admin");
        }
        if (byDigest.values().stream().anyMatch(token -> token.name().equals(name))) {
            throw new ApiFault(409, "there is a token " + name + "; remove it first, or choose another name");
        }
        if (byDigest.size() >= MOST) {
            throw new ApiFault(409, "there are " + MOST + " tokens, as many as there may be; remove one");
        }
        String token = fresh(random);
        Map<String, Token> next = new LinkedHashMap<>(byDigest);
        next.put(digest(token), new Token(name, scope, now.get(), expires));
        write(next);
        return token;
    }

    /** @return false if there is none of that name */
    synchronized boolean remove(String name) throws IOException, ConfigException {
        Map<String, Token> next = new LinkedHashMap<>(byDigest);
        boolean removed = next.values().removeIf(token -> token.name().equals(name));
        if (removed) {
            write(next);
        }
        return removed;
    }

    private void write(Map<String, Token> next) throws IOException, ConfigException {
        StringBuilder lines = new StringBuilder("# Tokens of the admin port: name, scope, made, ends, digest.\n");
        next.forEach((digest, token) -> lines.append(token.name())
                .append(' ')
                .append(token.scope())
                .append(' ')
                .append(token.created())
                .append(' ')
                .append(token.expires() == null ? "-" : token.expires())
                .append(' ')
                .append(digest)
                .append('\n'));
        byte[] content = lines.toString().getBytes(StandardCharsets.UTF_8);
        new FileReplacement(others).apply(true, former -> content);
        byDigest = Map.copyOf(next);
    }

    private static Map<String, Token> parse(Path file, byte[] content) throws ConfigException {
        Map<String, Token> tokens = new LinkedHashMap<>();
        List<Fault> faults = new ArrayList<>();
        int number = 0;
        for (String line : new String(content, StandardCharsets.UTF_8).split("\n", -1)) {
            number++;
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            String[] words = line.strip().split(" +");
            try {
                tokens.put(
                        words[4],
                        new Token(
                                words[0],
                                Principal.Scope.valueOf(words[1].toUpperCase(Locale.ROOT)),
                                Instant.parse(words[2]),
                                words[3].equals("-") ? null : Instant.parse(words[3])));
            } catch (IndexOutOfBoundsException | IllegalArgumentException | DateTimeParseException malformed) {
                faults.add(new Fault(
                        Quote.path(file.toString()) + ":" + number,
                        "",
                        "the line is not as the broker writes it",
                        "remove it, and make the token anew with 'dunlin token add'"));
            }
        }
        if (!faults.isEmpty()) {
            throw new ConfigException(faults);
        }
        return Map.copyOf(tokens);
    }
}
