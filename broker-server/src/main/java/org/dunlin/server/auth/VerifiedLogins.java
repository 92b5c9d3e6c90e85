package org.dunlin.server.auth;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Which user has lately proven which password, so that nobody waits for a hash who comes again. Kept are digests that say nothing
 * without a random key which never leaves this process. Any thread; waits for nothing.
 */
final class VerifiedLogins {
    private static final String HMAC = "HmacSHA256";

    private final SecretKeySpec secret;
    private final int most;
    /** What was proven or asked for lately, and what was before that and is forgotten next. */
    private volatile Halves halves = new Halves(new ConcurrentHashMap<>(), new ConcurrentHashMap<>());

    private record Halves(Map<Login, Boolean> young, Map<Login, Boolean> old) {}

    /** The digest of a user name, a password and the hash that it was compared with. */
    record Login(long a, long b, long c, long d) {}

    /** @param most how many are remembered, about; at least 2 */
    VerifiedLogins(int most) {
        this.most = most;
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        this.secret = new SecretKeySpec(key, HMAC);
    }

    Login login(String user, byte[] password, PasswordHash hash) {
        try {
            Mac mac = Mac.getInstance(HMAC);
            mac.init(secret);
            update(mac, user.getBytes(StandardCharsets.UTF_8));
            update(mac, password);
            update(mac, hash.encoded().getBytes(StandardCharsets.UTF_8));
            ByteBuffer digest = ByteBuffer.wrap(mac.doFinal());
            return new Login(digest.getLong(), digest.getLong(), digest.getLong(), digest.getLong());
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("every Java has " + HMAC, missing);
        }
    }

    /** With its length, so that no two lists of parts are the same bytes. */
    private static void update(Mac mac, byte[] part) {
        mac.update(ByteBuffer.allocate(4).putInt(0, part.length));
        mac.update(part);
    }

    boolean contains(Login login) {
        Halves now = halves;
        if (now.young.containsKey(login)) {
            return true;
        }
        if (now.old.containsKey(login)) {
            add(login);
            return true;
        }
        return false;
    }

    void add(Login login) {
        Halves now = halves;
        if (now.young.size() >= most / 2) {
            now = new Halves(new ConcurrentHashMap<>(), now.young);
            halves = now; // of two threads that do so at once one forgets a few, which costs a hash each
        }
        now.young.put(login, Boolean.TRUE);
    }

    int size() {
        Halves now = halves;
        return now.young.size() + now.old.size();
    }
}
