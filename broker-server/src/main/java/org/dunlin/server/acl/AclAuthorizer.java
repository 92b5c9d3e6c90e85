package org.dunlin.server.acl;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.Rights;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.Fault;
import org.dunlin.server.files.FileWatch;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers what clients may do by an ACL file, which it follows as it changes, and by what tokens say. Any thread asks; answers come
 * from memory.
 */
public final class AclAuthorizer implements Authorizer, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("dunlin.acl");
    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(2);

    private volatile boolean tokens;
    private volatile @Nullable FileWatch watch;
    private volatile @Nullable AclFile file;
    /** As they were read at first: a watch of others has nothing to say any more. */
    private @Nullable Rules rules;

    private @Nullable Runnable reviewed;

    /** A file that has been read, and is not in force yet. */
    public static final class Rules {
        private final @Nullable Path path;
        private final byte[] content;
        private final @Nullable AclFile file;

        /**
         * Reads it.
         *
         * @param path null if there is none: then everybody may do everything but for what tokens say
         * @throws ConfigException with every fault of the file
         */
        public Rules(@Nullable Path path) throws ConfigException {
            this.path = path;
            this.content = path == null ? new byte[0] : AclFile.named(path).read();
            this.file = path == null ? null : AclFile.parse(path.toString(), content);
        }
    }

    /**
     * Reads the file.
     *
     * @param path null if there is none: then everybody may do everything but for what tokens say
     * @param tokens whether tokens may carry rights: then the rights of somebody who is away are not known
     * @throws ConfigException with every fault of the file
     */
    public AclAuthorizer(@Nullable Path path, boolean tokens) throws ConfigException {
        this.tokens = tokens;
        use(new Rules(path));
    }

    /** Answers by other rules from now on, and follows their file if this is followed. */
    public synchronized void use(Rules next) {
        close();
        rules = next;
        file = next.file;
        watch = null;
        Path path = next.path;
        if (path != null && next.file != null) {
            FileWatch own = new FileWatch(AclFile.named(path), next.content, BETWEEN_LOOKS, new Reload(next, path));
            watch = own;
            next.file.warnings().forEach(LOG::warn);
            if (reviewed != null) {
                own.start();
            }
        }
    }

    /** Whether tokens may carry rights has changed. */
    public void tokens(boolean next) {
        tokens = next;
    }

    /**
     * Begins to watch the file, if there is one.
     *
     * @param changed run by the thread of the watch when the rights of clients may be others
     */
    public synchronized void follow(Runnable changed) {
        reviewed = changed;
        FileWatch own = watch;
        if (own != null) {
            own.start();
        }
    }

    /** @return what to run then; null if others count by now than those that were read from the same file before */
    private synchronized @Nullable Runnable changed(Rules before, AclFile read) {
        if (rules != before) {
            return null;
        }
        file = read;
        return reviewed == null ? () -> {} : reviewed;
    }

    /**
     * What the operator should know of the rights of those whom nobody has asked who they are.
     *
     * @param open names of the listeners that let in clients without a user name
     * @param provesUsers whether user names are proven
     */
    public List<String> warnings(Collection<String> open, boolean provesUsers) {
        List<String> warnings = new ArrayList<>();
        AclFile read = file;
        if (read == null) {
            return warnings;
        }
        if (!open.isEmpty()) {
            warnings.add("Clients without a user name may connect (listeners " + String.join(", ", new TreeSet<>(open))
                    + "); " + read.path() + (read.allowsAnonymous() ? " allows them: " : " allows them nothing: ")
                    + read.ofAnonymous());
        }
        if (!provesUsers && read.namesUsers()) {
            warnings.add(read.path() + " has rules for users, but nobody proves to be one: a client has the rights of"
                    + " whatever user it names; configure auth.password-file");
        }
        return warnings;
    }

    @Override
    public Rights rights(Client client) {
        if (client.claims() instanceof Operator) {
            return Rights.ALL;
        }
        TokenRights token = token(client.claims());
        AclFile now = file;
        if (now != null) {
            return now.rights(client.clientId(), client.userName(), token);
        }
        Section granted = token == null ? null : token.section();
        return granted == null
                ? Rights.ALL
                : new AclRights(null, new Section[] {granted}, new Names(client.clientId(), client.userName()), false);
    }

    private static @Nullable TokenRights token(@Nullable Claims claims) {
        if (claims == null) {
            return null;
        } else if (claims instanceof TokenRights token) {
            return token;
        }
        throw new IllegalArgumentException("claims of another kind: " + claims.getClass());
    }

    @Override
    public Rights restored(String clientId, @Nullable String userName) {
        AclFile now = file;
        if (now == null) {
            return Rights.ALL;
        }
        return tokens ? now.denials(clientId, userName) : now.rights(clientId, userName, null);
    }

    /** The file as it counts now, or null if there is none. */
    public @Nullable AclFile file() {
        return file;
    }

    /** Has the file looked at now; completes when what it says is in force for new clients, and others are being asked about. */
    public CompletionStage<Void> hurry() {
        FileWatch own = watch;
        return own == null ? CompletableFuture.completedFuture(null) : own.hurry();
    }

    /** Looks at the file now, which otherwise happens by itself every two seconds. */
    void look() {
        FileWatch own = watch;
        if (own != null) {
            own.look();
        }
    }

    private final class Reload implements FileWatch.Reader {
        private final Rules of;
        private final Path path;

        Reload(Rules of, Path path) {
            this.of = of;
            this.path = path;
        }

        @Override
        public void changed(byte[] content) {
            AclFile read;
            try {
                read = AclFile.parse(path.toString(), content);
            } catch (ConfigException e) {
                LOG.warn(
                        "auth.acl-file has {} fault(s) and is not used, the rules read before stay; the first is {}",
                        e.faults().size(),
                        e.faults().get(0));
                return;
            }
            Runnable review = AclAuthorizer.this.changed(of, read);
            if (review == null) {
                return;
            }
            LOG.info(
                    "auth.acl-file {} has changed, it has {} rule(s) and names {} user(s) now",
                    path,
                    read.ruleCount(),
                    read.userCount());
            read.warnings().forEach(LOG::warn);
            review.run();
        }

        @Override
        public void unreadable(Fault fault) {
            LOG.warn("auth.acl-file cannot be read, the rules read before stay; {}", fault);
        }
    }

    @Override
    public void close() {
        FileWatch own = watch;
        if (own != null) {
            own.close();
        }
    }
}
