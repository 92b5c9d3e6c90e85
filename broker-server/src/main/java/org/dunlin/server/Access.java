package org.dunlin.server;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.dunlin.server.acl.AclAuthorizer;
import org.dunlin.server.auth.AuthenticatorChain;
import org.dunlin.server.auth.CertificateUser;
import org.dunlin.server.auth.ClientIdBinding;
import org.dunlin.server.auth.Member;
import org.dunlin.server.auth.PasswordAuthenticator;
import org.dunlin.server.auth.jwt.JwtAuthenticator;
import org.dunlin.server.auth.jwt.JwtSettings;
import org.dunlin.server.config.Config;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.Fault;
import org.jspecify.annotations.Nullable;

/** One thread. What is configured of who may connect, as those that decide it. */
final class Access {
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
        return new AuthenticatorChain(
                open(config),
                certificates(config),
                access.members,
                clientIds(config.auth().bindClientId()),
                System::currentTimeMillis);
    }

    private static ClientIdBinding clientIds(Config.ClientIds configured) {
        return switch (configured) {
            case OFF -> ClientIdBinding.OFF;
            case USER -> ClientIdBinding.USER;
            case PREFIX -> ClientIdBinding.PREFIX;
        };
    }

    /** Everything that is wrong with the files that are named. */
    static List<Fault> faults(Config config) {
        Access access = new Access(config);
        access.read();
        access.members.forEach(Member::close);
        return access.faults;
    }

    private void read() {
        Config.Auth auth = config.auth();
        // so that there is time left to tell whoever has waited for nothing
        Duration patience = Duration.ofMillis(config.limits().connectTimeoutMillis() * 3 / 4);
        if (auth.jwt().isOn()) {
            add(() -> tokens(auth.jwt(), patience));
        }
        if (!auth.passwordFile().isEmpty()) {
            add(() -> PasswordAuthenticator.of(Path.of(auth.passwordFile()), auth.scram(), patience));
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

    private static Member tokens(Config.Jwt jwt, Duration patience) throws ConfigException {
        JwtSettings settings = new JwtSettings(
                jwt.issuer(),
                jwt.audience(),
                jwt.userClaim(),
                jwt.aclClaim(),
                jwt.groupsClaim(),
                jwt.clientIdClaim(),
                jwt.leeway(),
                jwt.from() == Config.TokenField.USER_NAME,
                jwt.matchUser(),
                jwt.requireExpiry(),
                patience);
        List<String> algorithms = jwt.algorithms();
        if (!jwt.publicKey().isEmpty()) {
            return JwtAuthenticator.ofPem(settings, Path.of(jwt.publicKey()), algorithms);
        } else if (jwt.isFetched()) {
            return JwtAuthenticator.ofKeySet(settings, URI.create(jwt.jwks()), jwt.jwksRefresh(), algorithms);
        } else if (!jwt.jwks().isEmpty()) {
            return JwtAuthenticator.ofKeySet(settings, Path.of(jwt.jwks()), algorithms);
        }
        String secret = jwt.secret().value();
        String unfit = JwtAuthenticator.unfit(secret, algorithms);
        if (unfit != null) {
            throw new ConfigException(List.of(new Fault(
                    "configuration", "auth.jwt.secret", unfit, "use a longer one, or correct auth.jwt.algorithms")));
        }
        return JwtAuthenticator.ofSecret(settings, secret, algorithms);
    }

    private static @Nullable CertificateUser certificates(Config config) {
        Config.Certificate certificate = config.auth().certificate();
        boolean passwordToo = certificate.password() == Config.CertificatePassword.REQUIRED;
        return switch (certificate.user()) {
            case OFF -> null;
            case CN -> new CertificateUser(CertificateUser.Field.CN, passwordToo);
            case SAN_DNS -> new CertificateUser(CertificateUser.Field.SAN_DNS, passwordToo);
            case SAN_EMAIL -> new CertificateUser(CertificateUser.Field.SAN_EMAIL, passwordToo);
            case SAN_URI -> new CertificateUser(CertificateUser.Field.SAN_URI, passwordToo);
            case SUBJECT -> new CertificateUser(CertificateUser.Field.SUBJECT, passwordToo);
        };
    }

    /**
     * Reads the ACL file, if there is one.
     *
     * @throws ConfigException with every fault of it
     */
    static AclAuthorizer authorizer(Config config) throws ConfigException {
        String file = config.auth().aclFile();
        return new AclAuthorizer(
                file.isEmpty() ? null : Path.of(file), config.auth().jwt().isOn());
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
