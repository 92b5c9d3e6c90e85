package org.dunlin.server;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.dunlin.server.acl.AclAuthorizer;
import org.dunlin.server.auth.AuthenticatorChain;
import org.dunlin.server.auth.CertificateUser;
import org.dunlin.server.auth.Member;
import org.dunlin.server.auth.PasswordAuthenticator;
import org.dunlin.server.config.Config;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.Fault;
import org.jspecify.annotations.Nullable;

/** One thread. What is configured of who may connect, as those that decide it. */
public final class Access {
    private final Config config;
    private final List<Fault> faults = new ArrayList<>();
    private final List<Member> members = new ArrayList<>();

    private Access(Config config) {
        this.config = config;
    }

    /**
     * Reads the files that are named; connects nowhere.
     *
     * @throws ConfigException with every fault of all of them
     */
    static AuthenticatorChain chain(Config config) throws ConfigException {
        Access access = new Access(config);
        access.read();
        if (!access.faults.isEmpty()) {
            access.members.forEach(Member::close);
            throw new ConfigException(access.faults);
        }
        return new AuthenticatorChain(open(config), certificates(config), access.members, System::currentTimeMillis);
    }

    /**
     * Whether the files that are named can be used.
     *
     * @throws ConfigException with every fault of all of them
     */
    public static void check(Config config) throws ConfigException {
        chain(config).close();
    }

    private void read() {
        Config.Auth auth = config.auth();
        Duration patience = Duration.ofMillis(config.limits().connectTimeoutMillis());
        if (!auth.passwordFile().isEmpty()) {
            add(() -> PasswordAuthenticator.of(Path.of(auth.passwordFile()), patience));
        }
    }

    /** Something that is made of files. */
    private interface Making {
        Member make() throws ConfigException;
    }

    private void add(Making making) {
        try {
            members.add(making.make());
        } catch (ConfigException faulty) {
            faults.addAll(faulty.faults());
        }
    }

    private static @Nullable CertificateUser certificates(Config config) {
        return null;
    }

    /**
     * Reads the ACL file, if there is one.
     *
     * @throws ConfigException with every fault of it
     */
    static AclAuthorizer authorizer(Config config) throws ConfigException {
        String file = config.auth().aclFile();
        return new AclAuthorizer(file.isEmpty() ? null : Path.of(file), false);
    }

    /** The names of the listeners that let in clients without a user name. */
    static Set<String> open(Config config) {
        Set<String> open = new HashSet<>();
        for (Config.Listener listener : config.listeners()) {
            if (config.allowsAnonymous(listener)) {
                open.add(listener.name());
            }
        }
        return open;
    }
}
