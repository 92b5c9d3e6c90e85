package org.dunlin.server.auth;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The accounts of a password file that SCRAM can use, and made-up ones for all other names: always the same for the same name, and
 * with iterations and a length of the salt that real ones have, each as often as among them, so that nobody learns who is known here.
 * Any thread.
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
                : madeUp(mechanism, user, now);
    }

    private ScramHash madeUp(ScramMechanism mechanism, String user, PasswordFile now) {
        byte[] name = (mechanism + user).getBytes(StandardCharsets.UTF_8);
        ByteBuffer chance = ByteBuffer.wrap(made(mechanism, name, 0));
        ScramHash.Shape shape = now.scramShape(mechanism, (chance.getLong() >>> 11) * 0x1p-53);
        byte[] salt = new byte[shape.saltBytes()];
        for (int at = 0, part = 2; at < salt.length; part++) {
            byte[] more = made(mechanism, name, part);
            int length = Math.min(more.length, salt.length - at);
            System.arraycopy(more, 0, salt, at, length);
            at += length;
        }
        byte[] key = made(mechanism, name, 1);
        return new ScramHash(mechanism, shape.iterations(), salt, key, key);
    }

    private byte[] made(ScramMechanism mechanism, byte[] name, int part) {
        return mechanism.hmac(
                secret,
                ByteBuffer.allocate(4 + name.length).putInt(part).put(name).array());
    }
}
