package org.dunlin.server.auth.jwt;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.Key;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.LongSupplier;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.server.auth.HashWorkers;
import org.dunlin.server.auth.LoginQueue;
import org.dunlin.server.auth.Member;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.files.NamedFile;
import org.jose4j.jwt.JwtClaims;
import org.jspecify.annotations.Nullable;

/**
 * Lets in whoever has a token that is signed by a known key, in CONNECT or by the authentication method JWT. Any thread; signatures
 * are computed by workers.
 */
public final class JwtAuthenticator implements Member {
    /** The authentication method: one token as Authentication Data, also for re-authentication with a fresh one. */
    static final String METHOD = "JWT";

    private static final int TOKENS_WAITING = 4096;
    /** That a signature takes, about. */
    private static final long TOKEN_NANOS = 1_000_000;

    private static final Answer BUSY = new Answer.Refused(
            ReasonCode.SERVER_BUSY, "more tokens wait than can be checked; connect again in a few seconds");
    private static final Answer NO_KEYS = new Answer.Refused(
            ReasonCode.SERVER_BUSY, "the keys of tokens are not there yet; connect again in a few seconds");

    private final KeySource source;
    private final LoginQueue workers;
    private final LongSupplier nowMillis;
    private volatile Claims claims;
    private volatile Gate gate = Gate.OPEN;

    /** @param nowMillis the time of day */
    JwtAuthenticator(JwtSettings settings, KeySource source, LoginQueue workers, LongSupplier nowMillis) {
        this.source = source;
        this.claims = new Claims(settings);
        this.workers = workers;
        this.nowMillis = nowMillis;
    }

    /** What tokens have to say has changed, and the keys are the same. */
    public void settings(JwtSettings next) {
        claims = new Claims(next);
        if (workers instanceof HashWorkers own) {
            own.mostWait(next.patience().toNanos() / 2);
        }
    }

    /**
     * Gets the keys now, if they come from elsewhere; before {@link #watch}, by a thread that may wait.
     *
     * @throws ConfigException if there are none
     */
    public void load() throws ConfigException {
        source.load();
    }

    private static JwtAuthenticator with(JwtSettings settings, KeySource source) {
        HashWorkers workers = new HashWorkers(
                "auth-token",
                Runtime.getRuntime().availableProcessors(),
                TOKENS_WAITING,
                TOKEN_NANOS,
                settings.patience().toNanos() / 2);
        return new JwtAuthenticator(settings, source, workers, System::currentTimeMillis);
    }

    /** @param secret of at least 32 bytes, and as many as the algorithms need */
    public static JwtAuthenticator ofSecret(JwtSettings settings, String secret, List<String> algorithms) {
        try {
            return with(settings, KeySource.of(VerificationKeys.ofSecret(secret, algorithms)));
        } catch (VerificationKeys.Unfit unfit) {
            throw new IllegalArgumentException("the secret " + unfit.getMessage(), unfit);
        }
    }

    /** Whether a secret is long enough for one of the algorithms; if not, why, completing "the secret ...". */
    public static @Nullable String unfit(String secret, List<String> algorithms) {
        try {
            VerificationKeys.ofSecret(secret, algorithms);
            return null;
        } catch (VerificationKeys.Unfit unfit) {
            return unfit.getMessage();
        }
    }

    /** @throws ConfigException if the file has no keys that can be used */
    public static JwtAuthenticator ofPem(JwtSettings settings, Path file, List<String> algorithms)
            throws ConfigException {
        NamedFile named = new NamedFile(
                file, "key file", "auth.jwt.public-key", "correct auth.jwt.public-key", KeyFile.BYTES_MAX);
        return with(settings, new FileKeys(named, KeyFile::pem, algorithms));
    }

    /** @throws ConfigException if the file has no keys that can be used */
    public static JwtAuthenticator ofKeySet(JwtSettings settings, Path file, List<String> algorithms)
            throws ConfigException {
        NamedFile named = new NamedFile(file, "key set", "auth.jwt.jwks", "correct auth.jwt.jwks", KeyFile.BYTES_MAX);
        return with(settings, new FileKeys(named, KeyFile::jwks, algorithms));
    }

    /** Connects only once it is watched. */
    public static JwtAuthenticator ofKeySet(JwtSettings settings, URI url, Duration refresh, List<String> algorithms) {
        return with(settings, new FetchedKeys(url, refresh, algorithms));
    }

    @Override
    public String source() {
        return Claims.SOURCE;
    }

    @Override
    public String wants() {
        return claims.settings().inUserName() ? "send a token (JWT) as user name" : "send a token (JWT) as password";
    }

    @Override
    public boolean isFor(Credentials credentials) {
        return Token.isMeantBy(token(credentials));
    }

    private byte @Nullable [] token(Credentials credentials) {
        if (!claims.settings().inUserName()) {
            return credentials.password();
        }
        String user = credentials.userName();
        return user == null ? null : user.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public CompletionStage<Answer> authenticate(Credentials credentials) {
        byte[] token = token(credentials);
        if (token == null) { // it was meant for this one, until the settings changed
            return CompletableFuture.completedFuture(refused(new Token.Unfit("is missing"), false));
        }
        return check(token, credentials, claims.settings().inUserName() ? null : credentials.userName());
    }

    /** @param claimedUser that the client gives itself beside the token, or null */
    private CompletionStage<Answer> check(byte[] bytes, Credentials credentials, @Nullable String claimedUser) {
        if (bytes.length > Token.BYTES_MAX) {
            return CompletableFuture.completedFuture(
                    refused(new Token.Unfit("has " + bytes.length + " bytes; at most " + Token.BYTES_MAX), true));
        }
        String token = new String(bytes, StandardCharsets.ISO_8859_1);
        Arrays.fill(bytes, (byte) 0);
        String clientId = credentials.clientId();
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        try {
            workers.add(credentials, new LoginQueue.Task() {
                @Override
                public int atOnce() {
                    return gate.left(credentials);
                }

                @Override
                public void run() {
                    try {
                        answer.complete(gate.left(credentials) == 0 ? TOO_LATE : answer(token, clientId, claimedUser));
                    } finally {
                        answer.complete(BUSY); // if anything was thrown
                    }
                }
            });
        } catch (RejectedExecutionException full) {
            answer.complete(BUSY);
        }
        return answer;
    }

    private Answer answer(String text, String clientId, @Nullable String claimedUser) {
        VerificationKeys keys = source.keys();
        if (keys == null) {
            return NO_KEYS;
        }
        JwtClaims proven;
        try {
            Token token = Token.parse(text);
            List<Key> candidates = keys.candidates(token.algorithm(), token.keyId());
            if (candidates.isEmpty()) {
                return unknownKey(keys, token);
            }
            proven = token.verify(candidates);
        } catch (Token.Unfit unfit) {
            return refused(unfit, true);
        }
        try {
            return new Answer.Accepted(claims.identity(proven, clientId, claimedUser, nowMillis.getAsLong()), null);
        } catch (Token.Unfit unfit) {
            return refused(unfit, false); // nobody who guesses has a signature that is right
        }
    }

    private Answer unknownKey(VerificationKeys keys, Token token) {
        if (!keys.knowsAlgorithm(token.algorithm())) {
            return refused(new Token.Unfit("is signed by an algorithm that does not count here"), true);
        }
        return source.missed()
                ? NO_KEYS
                : refused(new Token.Unfit("names no key that is known here, or none where there are many (kid)"), true);
    }

    private static Answer refused(Token.Unfit unfit, boolean isGuess) {
        return new Answer.Refused(ReasonCode.NOT_AUTHORIZED, "the token " + unfit.getMessage(), isGuess);
    }

    @Override
    public @Nullable Exchange exchange(String method, Credentials credentials) {
        if (!method.equals(METHOD)) {
            return null;
        }
        return new Exchange() {
            @Override
            public CompletionStage<Answer> step(byte @Nullable [] data) {
                return data == null
                        ? CompletableFuture.completedFuture(
                                refused(new Token.Unfit("is missing; send it as Authentication Data"), true))
                        : check(data, credentials, credentials.userName());
            }

            @Override
            public boolean repeatsItsProof() {
                return true;
            }
        };
    }

    @Override
    public void ask(Gate asked) {
        gate = asked;
    }

    @Override
    public void watch(Runnable changed) {
        source.watch();
    }

    @Override
    public void close() {
        source.close();
        if (workers instanceof HashWorkers own) {
            own.close();
        }
    }
}
