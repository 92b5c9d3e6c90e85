package org.dunlin.server.config;

import static org.dunlin.server.config.ValueType.bool;
import static org.dunlin.server.config.ValueType.choice;
import static org.dunlin.server.config.ValueType.duration;
import static org.dunlin.server.config.ValueType.file;
import static org.dunlin.server.config.ValueType.seconds;
import static org.dunlin.server.config.ValueType.secret;
import static org.dunlin.server.config.ValueType.text;
import static org.dunlin.server.config.ValueType.words;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.dunlin.server.config.Config.AnonymousAccess;
import org.dunlin.server.config.Config.CertificateField;
import org.dunlin.server.config.Config.CertificatePassword;
import org.dunlin.server.config.Config.ClientIds;
import org.dunlin.server.config.Config.DeniedPublish;
import org.dunlin.server.config.Config.Secret;
import org.dunlin.server.config.Config.TokenField;

/** What can be set of who gets in and what they may do. Any thread. */
final class AuthKeys {
    static final List<Key<?>> ALL = new ArrayList<>();

    static final Key<AnonymousAccess> ALLOW_ANONYMOUS = live(Key.of(
            "auth.allow-anonymous",
            choice(AnonymousAccess.class, Set.of()),
            AnonymousAccess.AUTO,
            "Whether clients without a user may connect; auto: on loopback, while no users are configured."));

    static final Key<String> PASSWORD_FILE = live(Key.of(
            "auth.password-file",
            text("nothing, or a path of 1 to 1024 printable characters", Pattern.compile("[^\\p{Cntrl}]*")),
            "",
            "Users: lines USER:HASH, made by 'dunlin user' or mosquitto_passwd; watched; none if empty."));

    static final Key<String> ACL_FILE = live(Key.of(
            "auth.acl-file",
            text("nothing, or a path of 1 to 1024 printable characters", Pattern.compile("[^\\p{Cntrl}]*")),
            "",
            "Rights by topic, in the form of mosquitto's ACL file; watched; if empty, everything is allowed."));

    static final Key<DeniedPublish> DENIED_PUBLISH = live(Key.of(
            "auth.denied-publish",
            choice(DeniedPublish.class, Set.of()),
            DeniedPublish.DROP,
            "A PUBLISH without the right to it, from a client before MQTT 5 that cannot be told: drop it, or close."));

    static final Key<ClientIds> BIND_CLIENT_ID = live(Key.of(
            "auth.bind-client-id",
            choice(ClientIds.class, Set.of()),
            ClientIds.OFF,
            "Which client identifiers users may have: any, the user name, or user name, colon and more (prefix)."));

    static final Key<CertificateField> CERTIFICATE_USER = live(Key.of(
            "auth.certificate.user",
            choice(CertificateField.class, Set.of()),
            CertificateField.OFF,
            "Which name in a client's certificate says which user it is; off: none, a certificate lets nobody in."));
    static final Key<CertificatePassword> CERTIFICATE_PASSWORD = live(Key.of(
            "auth.certificate.password",
            choice(CertificatePassword.class, Set.of()),
            CertificatePassword.IGNORED,
            "Whether the user of a certificate needs a password or token, too."));

    static final Key<Secret> JWT_SECRET = live(Key.secret(
            "auth.jwt.secret",
            secret(),
            Secret.NONE,
            "Tokens as passwords: the secret that signs them by HS256, of 32 bytes or more; HS512 needs 64."));
    static final Key<String> JWT_PUBLIC_KEY = live(Key.of(
            "auth.jwt.public-key",
            file(),
            "",
            "Instead of a secret: PEM file with public keys (RSA, EC, Ed25519) or certificates; watched."));
    static final Key<String> JWT_JWKS = live(Key.of(
            "auth.jwt.jwks",
            text("a file, https://..., http://... on loopback, or nothing", Pattern.compile("[^\\p{Cntrl}]*")),
            "",
            "Instead of both: the key set of who signs the tokens, as a file (watched) or as a URL."));
    static final Key<Duration> JWT_JWKS_REFRESH = live(Key.of(
            "auth.jwt.jwks-refresh",
            duration(Duration.ofSeconds(1), Duration.ofDays(7)),
            Duration.ofMinutes(10),
            "Time between two looks at that URL; a token with an unknown key causes one earlier."));
    static final Key<List<String>> JWT_ALGORITHMS = live(Key.of(
            "auth.jwt.algorithms",
            words(
                    "HS256, HS384, HS512, the same with RS, PS or ES, and EdDSA",
                    Pattern.compile("(HS|RS|PS|ES)(256|384|512)|EdDSA"),
                    0),
            List.of(),
            "Signatures that count, with commas between; nothing: all that fit the kind of key."));
    static final Key<String> JWT_ISSUER = live(Key.of(
            "auth.jwt.issuer", line(), "", "Who has to have issued a token (iss); nothing: whoever has the key."));
    static final Key<String> JWT_AUDIENCE = live(Key.of(
            "auth.jwt.audience", line(), "", "For whom a token has to be (aud); nothing: tokens without audience."));
    static final Key<String> JWT_USER_CLAIM =
            live(Key.of("auth.jwt.user-claim", claim(1), "sub", "Claim that says which user it is."));
    static final Key<String> JWT_ACL_CLAIM = live(Key.of(
            "auth.jwt.acl-claim", claim(0), "acl", "Claim with topics that the user may use; nothing: none is read."));
    static final Key<String> JWT_GROUPS_CLAIM = live(Key.of(
            "auth.jwt.groups-claim",
            claim(0),
            "",
            "Claim with groups of the ACL file that the user is in; nothing: none."));
    static final Key<String> JWT_CLIENT_ID_CLAIM = live(Key.of(
            "auth.jwt.client-id-claim",
            claim(0),
            "",
            "Claim with the only client identifier that a token is good for; nothing: it is good for all."));
    static final Key<Duration> JWT_LEEWAY = live(Key.of(
            "auth.jwt.leeway",
            seconds(0, 600),
            Duration.ofSeconds(30),
            "How far the clock of who issues tokens may be off."));
    static final Key<TokenField> JWT_FROM = live(Key.of(
            "auth.jwt.from",
            choice(TokenField.class, Set.of()),
            TokenField.PASSWORD,
            "The field of CONNECT that has the token."));
    static final Key<Boolean> JWT_MATCH_USER = live(Key.of(
            "auth.jwt.match-user", bool(), true, "Whether a user name in CONNECT has to be the one in the token."));
    static final Key<Boolean> JWT_REQUIRE_EXPIRY =
            live(Key.of("auth.jwt.require-expiry", bool(), true, "Whether a token has to say when it expires (exp)."));

    static final Key<Boolean> SCRAM_ENABLED = live(Key.of(
            "auth.scram.enabled",
            bool(),
            true,
            "Whether users with a SCRAM hash may log in by AUTH: their password does not travel then."));

    /**
     * Without a value they let somebody in whom they would keep out with one. So a variable or a flag that has lost its value on the
     * way must not set them to nothing.
     */
    static final Set<Key<?>> PROTECTING = Set.of(
            PASSWORD_FILE,
            ACL_FILE,
            JWT_SECRET,
            JWT_PUBLIC_KEY,
            JWT_JWKS,
            JWT_ISSUER,
            JWT_AUDIENCE,
            JWT_CLIENT_ID_CLAIM,
            BanKeys.FILE,
            ListenerKeys.CA,
            ListenerKeys.TRUSTSTORE,
            ListenerKeys.CRL);

    /** What is off without a value. */
    private static final Set<Key<?>> PROVING = Set.of(CERTIFICATE_USER, CERTIFICATE_PASSWORD, BIND_CLIENT_ID);

    private static final Set<Key<?>> TOKEN_SOURCES = Set.of(JWT_SECRET, JWT_PUBLIC_KEY, JWT_JWKS);

    private AuthKeys() {}

    /** Whether a key that keeps somebody out was said before and is not now, nor another one in its place. */
    static boolean isLost(Key<?> key, Settings before, Settings next) {
        boolean replaced = TOKEN_SOURCES.contains(key)
                && TOKEN_SOURCES.stream().anyMatch(source -> next.said(source.path(0)) != null);
        return (PROTECTING.contains(key) || PROVING.contains(key))
                && before.said(key.path(0)) != null
                && next.said(key.path(0)) == null
                && !replaced;
    }

    static Config.Auth auth(Settings settings) {
        return new Config.Auth(
                settings.get(ALLOW_ANONYMOUS),
                settings.get(PASSWORD_FILE),
                settings.get(ACL_FILE),
                settings.get(DENIED_PUBLISH),
                settings.get(BIND_CLIENT_ID),
                new Config.Certificate(settings.get(CERTIFICATE_USER), settings.get(CERTIFICATE_PASSWORD)),
                new Config.Jwt(
                        settings.get(JWT_SECRET),
                        settings.get(JWT_PUBLIC_KEY),
                        settings.get(JWT_JWKS),
                        settings.get(JWT_JWKS_REFRESH),
                        settings.get(JWT_ALGORITHMS),
                        settings.get(JWT_ISSUER),
                        settings.get(JWT_AUDIENCE),
                        settings.get(JWT_USER_CLAIM),
                        settings.get(JWT_ACL_CLAIM),
                        settings.get(JWT_GROUPS_CLAIM),
                        settings.get(JWT_CLIENT_ID_CLAIM),
                        settings.get(JWT_LEEWAY),
                        settings.get(JWT_FROM),
                        settings.get(JWT_MATCH_USER),
                        settings.get(JWT_REQUIRE_EXPIRY)),
                settings.get(SCRAM_ENABLED));
    }

    private static ValueType<String> line() {
        return text("up to 1024 printable characters, or nothing", Pattern.compile("[^\\p{Cntrl}]*"));
    }

    private static ValueType<String> claim(int least) {
        return text(
                (least == 0 ? "nothing, or " : "") + "a name of up to 128 printable characters",
                Pattern.compile("[^\\p{Cntrl}]{" + least + ",128}"));
    }

    private static <T> Key<T> live(Key<T> key) {
        return add(key.whileRunning());
    }

    private static <T> Key<T> add(Key<T> key) {
        ALL.add(key);
        return key;
    }
}
