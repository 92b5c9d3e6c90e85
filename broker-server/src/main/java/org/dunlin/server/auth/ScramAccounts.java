package org.dunlin.server.auth;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The accounts of a password file that SCRAM can use, and made-up ones for all other names: always the same for the same name, and
 * with the iterations that most have, so that nobody learns who is known here. Any thread.
 */
final class ScramAccounts {
    private final Supplier<PasswordFile> users;
    /** From which made-up salts and keys follow; never leaves the process. */
    private final byte[] secret = PasswordHash.randomBytes(64);

    ScramAccounts(Supplier<PasswordFile> users) {
        this.users = users;
    }

    /** Begins an exchange, or null if it is no method of SCRAM. */
    @Nullable
    ScramExchange exchange(String method, @Nullable String named) {
        ScramMechanism mechanism = ScramMechanism.of(method);
        if (mechanism == null) {
            return null;
        }
        String nonce = Base64.getEncoder().withoutPadding().encodeToString(PasswordHash.randomBytes(24));
        return new ScramExchange(mechanism, named, user -> account(mechanism, user), nonce);
    }

    ScramHash account(ScramMechanism mechanism, String user) {
        PasswordFile now = users.get();
        return now.hash(user) instanceof ScramHash known && now.contains(user) && known.mechanism() == mechanism
                ? known
                : madeUp(mechanism, user, now.scramIterations(mechanism));
    }

    private ScramHash madeUp(ScramMechanism mechanism, String user, int iterations) {
        byte[] name = (mechanism + user).getBytes(StandardCharsets.UTF_8);
        byte[] digest = mechanism.hmac(secret, name);
        byte[] key = mechanism.hmac(
                secret, ByteBuffer.allocate(digest.length + 1).put(digest).array());
        return new ScramHash(mechanism, iterations, Arrays.copyOf(digest, ScramHash.SALT_BYTES), key, key);
    }
}
