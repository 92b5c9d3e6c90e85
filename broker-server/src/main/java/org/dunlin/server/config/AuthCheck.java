package org.dunlin.server.config;

import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.dunlin.server.config.Config.CertificateField;
import org.dunlin.server.config.Config.CertificatePassword;
import org.dunlin.server.config.Config.ClientAuth;
import org.dunlin.server.config.Config.Secret;

/** Whether what is said of users fits together; nothing that was meant to keep somebody out may be left out in silence. One thread. */
final class AuthCheck {
    private static final int SECRET_BYTES_MIN = 32;
    private static final List<Key<?>> SOURCES =
            List.of(AuthKeys.JWT_SECRET, AuthKeys.JWT_PUBLIC_KEY, AuthKeys.JWT_JWKS);
    private static final List<Key<?>> TOKEN_KEYS = List.of(
            AuthKeys.JWT_JWKS_REFRESH,
            AuthKeys.JWT_ALGORITHMS,
            AuthKeys.JWT_ISSUER,
            AuthKeys.JWT_AUDIENCE,
            AuthKeys.JWT_USER_CLAIM,
            AuthKeys.JWT_ACL_CLAIM,
            AuthKeys.JWT_GROUPS_CLAIM,
            AuthKeys.JWT_CLIENT_ID_CLAIM,
            AuthKeys.JWT_LEEWAY,
            AuthKeys.JWT_FROM,
            AuthKeys.JWT_MATCH_USER,
            AuthKeys.JWT_REQUIRE_EXPIRY);

    private final Settings settings;
    private final Set<String> faulty;
    private final List<Fault> faults;
    private final List<String> warnings;

    AuthCheck(Settings settings, Set<String> faulty, List<Fault> faults, List<String> warnings) {
        this.settings = settings;
        this.faulty = faulty;
        this.faults = faults;
        this.warnings = warnings;
    }

    /** Whether anybody who names a user has to prove it; also if somebody meant so and made a mistake. */
    boolean knowsUsers() {
        return isMeant(AuthKeys.PASSWORD_FILE)
                || isMeant(AuthKeys.CERTIFICATE_USER)
                || SOURCES.stream().anyMatch(this::isMeant);
    }

    void run() {
        checkTokens();
        checkCertificates();
        if (isSet(AuthKeys.SCRAM_ENABLED) && !isMeant(AuthKeys.PASSWORD_FILE)) {
            warn(AuthKeys.SCRAM_ENABLED, "has no effect without auth.password-file");
        }
        if (isSet(AuthKeys.BIND_CLIENT_ID) && !knowsUsers()) {
            fault(
                    AuthKeys.BIND_CLIENT_ID,
                    "binds client identifiers to users, but nobody proves who is which user",
                    "name auth.password-file, auth.jwt or auth.certificate, or remove this");
        }
    }

    private void checkTokens() {
        List<Key<?>> named = new ArrayList<>();
        for (Key<?> key : SOURCES) {
            if (isMeant(key)) {
                named.add(key);
            }
        }
        if (named.isEmpty()) {
            for (Key<?> key : TOKEN_KEYS) {
                if (isSet(key)) {
                    warn(key, "has no effect: no auth.jwt.secret, public-key or jwks is set, tokens are not looked at");
                }
            }
            return;
        }
        if (named.size() > 1) {
            fault(named.get(1), "stands beside " + named.get(0).name(), "keep one of them");
        }
        checkSecret();
        checkJwks();
        if (!isFaulty(AuthKeys.JWT_ALGORITHMS) && named.size() == 1) {
            checkAlgorithms(named.get(0) == AuthKeys.JWT_SECRET);
        }
    }

    private void checkSecret() {
        if (isFaulty(AuthKeys.JWT_SECRET)) {
            return;
        }
        Secret secret = settings.get(AuthKeys.JWT_SECRET);
        int length = secret.value().getBytes(StandardCharsets.UTF_8).length;
        if (length > 0 && length < SECRET_BYTES_MIN) {
            fault(
                    AuthKeys.JWT_SECRET,
                    "has " + length + " bytes, which can be guessed from any token",
                    "make one of " + SECRET_BYTES_MIN + " or more, like with: openssl rand -base64 48");
        }
    }

    private void checkAlgorithms(boolean secret) {
        for (String algorithm : settings.get(AuthKeys.JWT_ALGORITHMS)) {
            if (algorithm.startsWith("HS") != secret) {
                fault(
                        AuthKeys.JWT_ALGORITHMS,
                        "has " + algorithm + ", which " + (secret ? "needs a public key" : "needs a secret"),
                        "remove it");
            }
        }
    }

    private void checkJwks() {
        if (isFaulty(AuthKeys.JWT_JWKS)) {
            return;
        }
        String jwks = settings.get(AuthKeys.JWT_JWKS);
        if (!Config.Jwt.isUrl(jwks)) {
            if (isSet(AuthKeys.JWT_JWKS_REFRESH) && !jwks.isEmpty()) {
                warn(AuthKeys.JWT_JWKS_REFRESH, "has no effect: auth.jwt.jwks is a file, which is watched");
            }
            return;
        }
        try {
            URI url = new URI(jwks);
            String host = url.getHost();
            if (host == null) {
                fault(AuthKeys.JWT_JWKS, "is a URL without a host", "write it like https://id.example.org/jwks.json");
            } else if (url.getRawUserInfo() != null) {
                fault(AuthKeys.JWT_JWKS, "has a user or password in it", "name a URL that needs none");
            } else if (url.getScheme().toLowerCase(Locale.ROOT).equals("http") && !isLoopback(host)) {
                fault(
                        AuthKeys.JWT_JWKS,
                        "is http: anybody on the way could put his own keys in",
                        "use https, or a server on 127.0.0.1");
            }
        } catch (URISyntaxException malformed) {
            fault(AuthKeys.JWT_JWKS, "is no valid URL", "write it like https://id.example.org/jwks.json");
        }
    }

    /** Asks no DNS. */
    private static boolean isLoopback(String host) {
        try {
            InetAddress address = ValueType.literal(host.replaceAll("[\\[\\]]", ""));
            return address.isLoopbackAddress();
        } catch (ValueType.Unfit name) {
            return false;
        }
    }

    private void checkCertificates() {
        if (isFaulty(AuthKeys.CERTIFICATE_USER)) {
            return;
        }
        if (settings.get(AuthKeys.CERTIFICATE_USER) == CertificateField.OFF) {
            if (isSet(AuthKeys.CERTIFICATE_PASSWORD)) {
                warn(AuthKeys.CERTIFICATE_PASSWORD, "has no effect: auth.certificate.user is off");
            }
            return;
        }
        boolean asked = false;
        for (int i = 0; i < settings.count("listeners"); i++) {
            asked |= faulty.contains(ListenerKeys.CLIENT_AUTH.path(i))
                    || settings.get(ListenerKeys.CLIENT_AUTH, i) != ClientAuth.NONE;
        }
        if (!asked) {
            fault(
                    AuthKeys.CERTIFICATE_USER,
                    "needs a listener that asks for certificates, and there is none",
                    "set client-auth: required of a tls or wss listener, or remove this");
        }
        boolean members = isMeant(AuthKeys.PASSWORD_FILE) || SOURCES.stream().anyMatch(this::isMeant);
        if (!members && settings.get(AuthKeys.CERTIFICATE_PASSWORD) == CertificatePassword.REQUIRED) {
            fault(
                    AuthKeys.CERTIFICATE_PASSWORD,
                    "is required, but nobody knows any passwords",
                    "name auth.password-file, or the key of tokens");
        }
    }

    private boolean isFaulty(Key<?> key) {
        return faulty.contains(key.path(0));
    }

    private boolean isMeant(Key<?> key) {
        return isFaulty(key) || isSet(key);
    }

    private boolean isSet(Key<?> key) {
        return !settings.get(key).equals(key.defaultValue());
    }

    private void warn(Key<?> key, String what) {
        warnings.add(key.name() + " (" + settings.origin(key.path(0)) + ") " + what);
    }

    private void fault(Key<?> key, String what, String cure) {
        faults.add(new Fault(settings.origin(key.path(0)), key.path(0), what, cure));
    }
}
