package org.dunlin.server.auth;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.Fault;
import org.dunlin.server.config.Quote;
import org.dunlin.server.files.NamedFile;
import org.jspecify.annotations.Nullable;

/**
 * The users of a password file: lines {@code user:hash}, with empty lines and lines that begin with # between them. Immutable;
 * any thread.
 */
public final class PasswordFile {
    static final int BYTES_MAX = 64 << 20;
    private static final int USER_BYTES_MAX = 65_535;

    private final Map<String, PasswordHash> users;
    private final PasswordHash decoy;
    private final List<ScramHash.Shape> shapes256;
    private final List<ScramHash.Shape> shapes512;

    private PasswordFile(Map<String, PasswordHash> users) {
        this.users = users;
        this.decoy = usual(users.values());
        this.shapes256 = shapes(ScramMechanism.SHA_256, users.values());
        this.shapes512 = shapes(ScramMechanism.SHA_512, users.values());
    }

    /** @throws ConfigException with every fault of the file, or the one that keeps it from being read */
    public static PasswordFile read(Path file) throws ConfigException {
        return parse(file.toString(), named(file).read());
    }

    /** With the words for what may be wrong with it. */
    static NamedFile named(Path file) {
        String make = "make it with 'dunlin user add NAME -f " + Quote.path(file.toString()) + "', or correct "
                + "auth.password-file";
        return new NamedFile(file, "password file", "auth.password-file", make, BYTES_MAX);
    }

    /**
     * @param name of the file, for faults
     * @throws ConfigException with every fault
     */
    static PasswordFile parse(String name, byte[] content) throws ConfigException {
        Map<String, PasswordHash> users = new LinkedHashMap<>();
        Map<String, Integer> lines = new HashMap<>();
        List<Fault> faults = new ArrayList<>();
        int number = 0;
        for (byte[] raw : split(content)) {
            number++;
            String where = Quote.path(name) + ":" + number;
            String line = decode(raw);
            if (line == null) {
                faults.add(new Fault(where, "", "the line is not UTF-8", "save the file as UTF-8"));
                continue;
            }
            String text = line.strip();
            if (text.isEmpty() || text.startsWith("#")) {
                continue;
            }
            int colon = text.indexOf(':');
            String user = (colon < 0 ? text : text.substring(0, colon)).strip();
            if (colon < 0) {
                faults.add(new Fault(where, "", "the line has no colon", "write USER:HASH")); // which may be a secret
                continue;
            }
            String unfit = unfit(user);
            if (unfit != null) {
                faults.add(new Fault(where, "", "the user name " + unfit, "write USER:HASH"));
                continue;
            }
            Integer other = lines.putIfAbsent(user, number);
            if (other != null) {
                faults.add(new Fault(
                        where, "", "user " + Quote.of(user) + " is in line " + other + ", too", "keep one of them"));
                continue;
            }
            try {
                users.put(user, PasswordHash.parse(text.substring(colon + 1).strip()));
            } catch (PasswordHash.Unfit e) {
                faults.add(new Fault(
                        where,
                        "",
                        "user " + Quote.of(user) + ": the hash " + e.getMessage(),
                        "remove the line and give a password with 'dunlin user add'"));
            }
        }
        if (!faults.isEmpty()) {
            throw new ConfigException(faults);
        }
        return new PasswordFile(users);
    }

    /** Lines with their ends taken off; what comes after the last end counts if it is not empty. */
    static List<byte[]> split(byte[] content) {
        List<byte[]> lines = new ArrayList<>();
        int from = 0;
        for (int i = 0; i <= content.length; i++) {
            if (i == content.length ? i > from : content[i] == '\n') {
                lines.add(Arrays.copyOfRange(content, from, i));
                from = i + 1;
            }
        }
        return lines;
    }

    /** @return null if it is not UTF-8 */
    static @Nullable String decode(byte[] line) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(line))
                    .toString();
        } catch (CharacterCodingException malformed) {
            return null;
        }
    }

    /** @return why a name cannot stand in the file, completing "the user name ..."; null if it can */
    public static @Nullable String unfit(String user) {
        if (user.isEmpty()) {
            return "is empty";
        } else if (!user.strip().equals(user)) {
            return "begins or ends with a blank";
        } else if (user.indexOf(':') >= 0) {
            return "has a colon";
        } else if (user.startsWith("#")) {
            return "begins with #, as a comment does";
        } else if (user.chars().anyMatch(c -> Character.isISOControl(c))) {
            return "has a control character";
        } else if (user.getBytes(StandardCharsets.UTF_8).length > USER_BYTES_MAX) {
            return "has more than " + USER_BYTES_MAX + " bytes";
        }
        return null;
    }

    /** One like most of them, of two such kinds the slower. */
    private static PasswordHash usual(Collection<PasswordHash> hashes) {
        Map<Long, Integer> counts = new HashMap<>();
        PasswordHash usual = Argon2Hash.usualDecoy();
        int most = 0;
        for (PasswordHash hash : hashes) {
            int count = counts.merge(hash.work(), 1, Integer::sum);
            if (count > most || count == most && hash.work() > usual.work()) {
                usual = hash;
                most = count;
            }
        }
        return usual.decoy();
    }

    /**
     * Of an account of that mechanism; if there is none, of those made here.
     *
     * @param chance 0 to 1, which is not in it; if the file changes, few chances get another account
     */
    ScramHash.Shape scramShape(ScramMechanism mechanism, double chance) {
        List<ScramHash.Shape> shapes = mechanism == ScramMechanism.SHA_256 ? shapes256 : shapes512;
        return shapes.get((int) (shapes.size() * chance));
    }

    /** In order, so that neighbours are alike. */
    private static List<ScramHash.Shape> shapes(ScramMechanism mechanism, Collection<PasswordHash> hashes) {
        List<ScramHash.Shape> shapes = new ArrayList<>();
        for (PasswordHash hash : hashes) {
            if (hash instanceof ScramHash scram && scram.mechanism() == mechanism) {
                shapes.add(scram.shape());
            }
        }
        if (shapes.isEmpty()) {
            shapes.add(new ScramHash.Shape(mechanism.iterations(), ScramHash.SALT_BYTES));
        }
        shapes.sort(Comparator.comparingInt(ScramHash.Shape::iterations).thenComparing(ScramHash.Shape::saltBytes));
        return shapes;
    }

    /** In the order of the file. */
    public Set<String> users() {
        return users.keySet();
    }

    /** How the user's hash for SCRAM was made; null if it is of another kind, or there is no such user. */
    public PasswordHash.@Nullable ScramKind scramKind(String user) {
        PasswordHash hash = users.get(user);
        return hash == null ? null : PasswordHash.scramKind(hash);
    }

    /** Takes as long for a user that there is not. Up to a second of a processor. */
    public boolean matches(String user, byte[] password) {
        return hash(user).matches(password);
    }

    public boolean contains(String user) {
        return users.containsKey(user);
    }

    /** Of this user, or, if there is no such user, one that nothing matches and that takes as long as most others. */
    public PasswordHash hash(String user) {
        return users.getOrDefault(user, decoy);
    }

    /** What the operator should know although the users can be served. */
    List<String> warnings(Path file) {
        List<String> warnings = new ArrayList<>();
        long weak = users.values().stream().filter(PasswordHash::isWeak).count();
        if (weak > 0) {
            warnings.add(weak + " of " + users.size() + " passwords in " + file
                    + " have hashes that are quick to guess from; renew them with 'dunlin user passwd NAME'");
        }
        if (isReadableByAll(file)) {
            warnings.add(file + " can be read by every user of this machine; run chmod o= " + file);
        }
        if (users.isEmpty()) {
            warnings.add(file + " names no user; add one with 'dunlin user add NAME'");
        }
        return warnings;
    }

    private static boolean isReadableByAll(Path file) {
        try {
            return Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ);
        } catch (IOException | UnsupportedOperationException unknown) {
            return false;
        }
    }
}
