package org.dunlin.server;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.dunlin.server.acl.AclAuthorizer;
import org.dunlin.server.auth.AuthenticatorChain;
import org.dunlin.server.auth.CertificateUser;
import org.dunlin.server.auth.ClientIdBinding;
import org.dunlin.server.auth.Member;
import org.dunlin.server.auth.PasswordAuthenticator;
import org.dunlin.server.auth.jwt.JwtAuthenticator;
import org.dunlin.server.auth.jwt.JwtSettings;
import org.dunlin.server.ban.Bans;
import org.dunlin.server.config.Config;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.Fault;
import org.jspecify.annotations.Nullable;

/**
 * Who may connect and what they may do, as it is configured; a reload changes it as a whole. Any thread but a loop, one at a time.
 */
final class Access implements AutoCloseable {
    private final AuthenticatorChain authenticator;
    private final AclAuthorizer authorizer;
    private final Bans bans;
    private Config config;
    private List<Configured> members;
    private Runnable review = () -> {};

    /** A member with what it was made of: as long as that is the same, it stays, with all that it remembers. */
    private record Configured(Record of, Member member) {}

    private record Passwords(String file, boolean scram) {}

    /** What of a configuration of tokens decides by which keys they are proven. */
    private record TokenKeys(
            Config.Secret secret, String publicKey, String jwks, Duration jwksRefresh, List<String> algorithms) {
        static TokenKeys of(Config.Jwt jwt) {
            return new TokenKeys(jwt.secret(), jwt.publicKey(), jwt.jwks(), jwt.jwksRefresh(), jwt.algorithms());
        }
    }

    /** Reads the files that are named; connects nowhere unless a broker runs already. */
    private static final class Reading {
        private final Config config;
        private final boolean running;
        private final List<Configured> former;
        private final List<Configured> members = new ArrayList<>();
        private final List<Fault> faults = new ArrayList<>();
        private AclAuthorizer.@Nullable Rules rules;
        private Bans.@Nullable Filed filed;

        /** @param former that may stay; null if no broker runs */
        Reading(Config config, @Nullable List<Configured> former) {
            this.config = config;
            this.running = former != null;
            this.former = former == null ? List.of() : former;
        }

        void members() {
            Config.Auth auth = config.auth();
            Duration patience = patience(config);
            if (auth.jwt().isOn()) {
                add(TokenKeys.of(auth.jwt()), () -> running ? loaded(tokens(config)) : tokens(config));
            }
            if (!auth.passwordFile().isEmpty()) {
                add(
                        new Passwords(auth.passwordFile(), auth.scram()),
                        () -> PasswordAuthenticator.of(Path.of(auth.passwordFile()), auth.scram(), patience));
            }
        }

        private static Member loaded(JwtAuthenticator tokens) throws ConfigException {
            try {
                tokens.load();
                return tokens;
            } catch (ConfigException faulty) {
                tokens.close();
                throw faulty;
            }
        }

        private void add(Record of, Making<Member> making) {
            for (Configured each : former) {
                if (each.of.equals(of)) {
                    members.add(each);
                    return;
                }
            }
            Member member = made(making);
            if (member != null) {
                members.add(new Configured(of, member));
            }
        }

        void rules() {
            rules = made(() -> new AclAuthorizer.Rules(path(config.auth().aclFile())));
        }

        void bans() {
            filed = made(() -> new Bans.Filed(path(config.bans().file())));
        }

        private <T> @Nullable T made(Making<T> making) {
            try {
                return making.make();
            } catch (ConfigException faulty) {
                faults.addAll(faulty.faults());
                return null;
            }
        }

        /** What was made for nothing. */
        void undo() {
            for (Configured each : members) {
                if (!former.contains(each)) {
                    each.member.close();
                }
            }
        }

        void complete() throws ConfigException {
            if (!faults.isEmpty()) {
                undo();
                throw new ConfigException(faults);
            }
        }

        AuthenticatorChain.Parts parts() {
            return new AuthenticatorChain.Parts(
                    open(config),
                    certificates(config),
                    members.stream().map(Configured::member).toList(),
                    clientIds(config.auth().bindClientId()));
        }
    }

    /** Something that is made of files. */
    private interface Making<T> {
        T make() throws ConfigException;
    }

    /** @throws ConfigException with every fault of the files that are named */
    Access(Config config) throws ConfigException {
        this.config = config;
        Reading reading = new Reading(config, null);
        reading.members();
        reading.complete();
        this.members = reading.members;
        this.authenticator = new AuthenticatorChain(reading.parts(), System::currentTimeMillis);
        try {
            this.authorizer = new AclAuthorizer(
                    path(config.auth().aclFile()), config.auth().jwt().isOn());
            this.bans = new Bans(
                    path(config.bans().file()),
                    config.bans().time(),
                    config.bans().maxTime());
        } catch (ConfigException faulty) {
            reading.undo();
            throw faulty;
        }
    }

    AuthenticatorChain authenticator() {
        return authenticator;
    }

    AclAuthorizer authorizer() {
        return authorizer;
    }

    Bans bans() {
        return bans;
    }

    /** What the operator should know of the rights of those whom nobody has asked who they are. */
    List<String> warnings() {
        return authorizer.warnings(open(config), authenticator.provesUsers());
    }

    /** Begins to follow the files. @param whenChanged runs whenever somebody may have to go, or may do something else */
    void follow(Runnable whenChanged) {
        review = whenChanged;
        authenticator.watch(whenChanged);
        authorizer.follow(whenChanged);
        bans.follow(whenChanged);
    }

    /**
     * Reads what is configured otherwise.
     *
     * @return puts it into force, and never fails
     * @throws ConfigException with every fault of the files; nothing has changed then
     */
    Runnable prepare(Config next) throws ConfigException {
        Reading reading = new Reading(next, members);
        reading.members();
        if (!next.auth().aclFile().equals(config.auth().aclFile())) {
            reading.rules();
        }
        if (!next.bans().file().equals(config.bans().file())) {
            reading.bans();
        }
        reading.complete();
        return () -> use(reading);
    }

    private void use(Reading next) {
        Config former = config;
        config = next.config;
        members = next.members;
        for (Configured each : members) {
            if (each.member instanceof JwtAuthenticator tokens) {
                tokens.settings(settings(config));
            } else if (each.member instanceof PasswordAuthenticator passwords) {
                passwords.patience(patience(config));
            }
        }
        if (next.rules != null) {
            authorizer.use(next.rules);
        }
        authorizer.tokens(config.auth().jwt().isOn());
        if (next.filed != null) {
            bans.use(next.filed);
        }
        List<Member> left = authenticator.use(next.parts());
        if (!left.isEmpty()) {
            // whoever has asked them gets an answer first
            CompletableFuture.delayedExecutor(patience(former).toMillis(), TimeUnit.MILLISECONDS)
                    .execute(() -> left.forEach(Member::close));
        }
        if (!former.auth().equals(config.auth())
                || !open(former).equals(open(config))
                || !former.bans().file().equals(config.bans().file())) {
            review.run();
        }
    }

    /** So that there is time left to tell whoever has waited for nothing. */
    private static Duration patience(Config config) {
        return Duration.ofMillis(config.limits().connectTimeoutMillis() * 3 / 4);
    }

    private static @Nullable Path path(String text) {
        return text.isEmpty() ? null : Path.of(text);
    }

    /** Everything that is wrong with the files that are named. */
    static List<Fault> faults(Config config) {
        Reading reading = new Reading(config, null);
        reading.members();
        reading.rules();
        reading.bans();
        reading.undo();
        return reading.faults;
    }

    private static ClientIdBinding clientIds(Config.ClientIds configured) {
        return switch (configured) {
            case OFF -> ClientIdBinding.OFF;
            case USER -> ClientIdBinding.USER;
            case PREFIX -> ClientIdBinding.PREFIX;
        };
    }

    private static JwtSettings settings(Config config) {
        Config.Jwt jwt = config.auth().jwt();
        return new JwtSettings(
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
                patience(config));
    }

    private static JwtAuthenticator tokens(Config config) throws ConfigException {
        Config.Jwt jwt = config.auth().jwt();
        JwtSettings settings = settings(config);
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

    @Override
    public void close() {
        bans.close();
        authorizer.close();
        authenticator.close();
    }
}
