package org.dunlin.server.acl;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.Quote;
import org.dunlin.server.files.NamedFile;
import org.jspecify.annotations.Nullable;

/** The rules of one ACL file as they were read. Immutable; any thread. */
public final class AclFile {
    private static final int BYTES_MAX = 64 << 20;
    private static final int NAME_SHOWN = 80;

    private final String path;
    private final Section anonymous;
    private final Section all;
    private final Section patterns;
    private final Map<String, Section> groups;
    private final Map<String, User> users;
    private final User unknown;
    private final User nobody;
    private final List<String> warnings;

    /** What the file says of one user. */
    private static final class User {
        final @Nullable Section own;
        final List<Section> groups;
        /** All that count for it and are not empty. */
        final Section[] sections;
        /** The rights of all clients of it, if patterns make no difference between them. */
        volatile @Nullable AclRights rights;

        User(@Nullable Section own, List<Section> groups, Section... forAll) {
            this.own = own;
            this.groups = groups;
            List<Section> those = new ArrayList<>(groups);
            if (own != null) {
                those.add(own);
            }
            those.addAll(List.of(forAll));
            this.sections = filled(those);
        }
    }

    AclFile(String path, AclParser.Read read) {
        this.path = path;
        this.anonymous = new Section("clients without a user name", read.anonymous());
        this.all = new Section("all", read.all());
        this.patterns = new Section("patterns", read.patterns());
        this.unknown = new User(null, List.of(), all, patterns);
        this.nobody = new User(anonymous, List.of(), all, patterns);
        this.groups = read.groups();
        this.warnings = List.copyOf(read.warnings());
        this.users = new HashMap<>();
        Set<String> names = new HashSet<>(read.users().keySet());
        names.addAll(read.members().keySet());
        for (String name : names) {
            List<Section> theirs = new ArrayList<>();
            read.members().getOrDefault(name, Set.of()).forEach(group -> theirs.add(section(group)));
            users.put(name, new User(read.users().get(name), List.copyOf(theirs), all, patterns));
        }
    }

    private Section section(String group) {
        return Objects.requireNonNull(groups.get(group));
    }

    private static Section[] filled(List<Section> sections) {
        sections.removeIf(section -> section.rules().isEmpty());
        return sections.toArray(Section[]::new);
    }

    /** The file with the words for what may be wrong with it. */
    public static NamedFile named(Path file) {
        return new NamedFile(file, "ACL file", "auth.acl-file", "write one, or correct auth.acl-file", BYTES_MAX);
    }

    /** @throws ConfigException with every fault of the file, or the one that keeps it from being read */
    public static AclFile read(Path file) throws ConfigException {
        return parse(file.toString(), named(file).read());
    }

    /**
     * @param path of the file, for faults
     * @throws ConfigException with every fault
     */
    public static AclFile parse(String path, byte[] content) throws ConfigException {
        return new AclFile(path, new AclParser(path).read(content));
    }

    /** What the operator should know although the file can be used. */
    public List<String> warnings() {
        return warnings;
    }

    /** Whether any rule allows anything to clients without a user name; patterns with %u do not count. */
    boolean allowsAnonymous() {
        return allows(anonymous) || allows(all) || allows(patterns);
    }

    /** What rules there are for clients without a user name. */
    String ofAnonymous() {
        return anonymous.rules().size() + " rule(s) before the first user, "
                + all.rules().size() + " of 'all', " + patterns.rules().size() + " pattern(s)";
    }

    private static boolean allows(Section section) {
        for (Rule rule : section.rules()) {
            if (!rule.deny()
                    && !(rule.kind() == Rule.Kind.PATTERN && rule.filter().contains("%u"))) {
                return true;
            }
        }
        return false;
    }

    /** Whether it has rules for users by name. */
    boolean namesUsers() {
        return !users.isEmpty();
    }

    /** As it is named where there is room. */
    String path() {
        return path;
    }

    /** Its name for clients, who need not know the folder. */
    String shortName() {
        String name = Quote.path(String.valueOf(Path.of(path).getFileName()));
        return name.length() <= NAME_SHOWN ? name : name.substring(0, NAME_SHOWN) + "...";
    }

    int ruleCount() {
        int count =
                anonymous.rules().size() + all.rules().size() + patterns.rules().size();
        for (Section group : groups.values()) {
            count += group.rules().size();
        }
        for (User user : users.values()) {
            Section own = user.own;
            count += own == null ? 0 : own.rules().size();
        }
        return count;
    }

    int userCount() {
        return users.size();
    }

    Section patterns() {
        return patterns;
    }

    /** The rights of a client; clients of one user share them where nothing sets them apart. */
    AclRights rights(String clientId, @Nullable String userName, @Nullable TokenRights token) {
        User user = user(userName);
        boolean shared = token == null && patterns.rules().isEmpty() && user != unknown;
        AclRights there = shared ? user.rights : null;
        if (there != null) {
            return there;
        }
        AclRights made = new AclRights(this, sections(user, token), new Names(clientId, userName), false);
        if (shared) {
            user.rights = made;
        }
        return made;
    }

    /** As {@link #rights}, but of the rules only the denials count. */
    AclRights denials(String clientId, @Nullable String userName) {
        return new AclRights(this, user(userName).sections, new Names(clientId, userName), true);
    }

    private User user(@Nullable String userName) {
        return userName == null ? nobody : users.getOrDefault(userName, unknown);
    }

    private Section[] sections(User user, @Nullable TokenRights token) {
        if (token == null) {
            return user.sections;
        }
        List<Section> sections = new ArrayList<>(List.of(user.sections));
        for (String name : new TreeSet<>(token.groups())) {
            Section group = groups.get(name);
            if (group != null && !user.groups.contains(group)) {
                sections.add(group);
            }
        }
        Section granted = token.section();
        if (granted != null) {
            sections.add(granted);
        }
        return filled(sections);
    }

    boolean names(String userName) {
        return users.containsKey(userName);
    }

    Set<String> groupNames() {
        return groups.keySet();
    }
}
