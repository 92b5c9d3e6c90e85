package org.dunlin.server.auth;

import java.security.GeneralSecurityException;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Any thread; takes up to seconds of a processor. */
final class Pbkdf2 {
    private Pbkdf2() {}

    /**
     * One block of RFC 8018, which is as long as the function's output, and the "Hi" of RFC 5802. Java's own key factory takes
     * characters only, and the password of a CONNECT is any bytes.
     *
     * @param function a HMAC, by Java's name for it
     */
    static byte[] derive(String function, int iterations, byte[] salt, byte[] password)
            throws GeneralSecurityException {
        Mac mac = Mac.getInstance(function);
        // HMAC fills a key up with zeros, so that this one is the same as none, which Java refuses
        mac.init(new SecretKeySpec(password.length == 0 ? new byte[1] : password, function));
        mac.update(salt);
        mac.update(new byte[] {0, 0, 0, 1});
        byte[] round = mac.doFinal();
        byte[] sum = round.clone();
        for (int i = 1; i < iterations; i++) {
            mac.update(round);
            mac.doFinal(round, 0);
            for (int j = 0; j < sum.length; j++) {
                sum[j] ^= round[j];
            }
        }
        return sum;
    }
}
