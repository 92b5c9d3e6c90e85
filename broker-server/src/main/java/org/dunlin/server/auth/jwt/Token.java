package org.dunlin.server.auth.jwt;

import java.security.Key;
import java.util.List;
import org.jose4j.jwa.AlgorithmConstraints;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.consumer.InvalidJwtException;
import org.jose4j.lang.JoseException;
import org.jspecify.annotations.Nullable;

/** One token as it came: a signature over claims, both unproven until {@link #verify}. Any thread. */
final class Token {
    /** Longer ones are no tokens that anybody means: those of identity providers have up to about 4 KB. */
    static final int BYTES_MAX = 16 * 1024;

    /** A claim that is not trusted; the message completes "the token ...". */
    static final class Unfit extends Exception {
        private static final long serialVersionUID = 1L;

        Unfit(String what) {
            super(what, null, false, false);
        }
    }

    private final JsonWebSignature signature;

    private Token(JsonWebSignature signature) {
        this.signature = signature;
    }

    /** Whether somebody means this for a token: three parts of base64url, of which the first is a JSON object. */
    static boolean isMeantBy(byte @Nullable [] text) {
        if (text == null || text.length < 6 || text[0] != 'e' || text[1] != 'y') { // {" or {\n or { and a blank
            return false;
        }
        int dots = 0;
        for (byte b : text) {
            boolean base64url =
                    b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '-' || b == '_';
            if (b == '.') {
                dots++;
            } else if (!base64url) {
                return false;
            }
        }
        return dots == 2;
    }

    static Token parse(String text) throws Unfit {
        JsonWebSignature signature = new JsonWebSignature();
        try {
            signature.setCompactSerialization(text);
        } catch (JoseException | RuntimeException malformed) {
            throw new Unfit("is malformed");
        }
        if (signature.getObjectHeader("crit")
                != null) { // RFC 7515, 4.1.11: nothing that it could ask for is known here
            throw new Unfit("asks for an extension (crit) that is not known here");
        }
        return new Token(signature);
    }

    String algorithm() {
        return signature.getHeaders().getObjectHeaderValue("alg") instanceof String name ? name : "none";
    }

    /** Which key it names (kid), or null. */
    @Nullable
    String keyId() {
        return signature.getHeaders().getObjectHeaderValue("kid") instanceof String id ? id : null;
    }

    /** @throws Unfit if none of the keys has signed it */
    JwtClaims verify(List<Key> candidates) throws Unfit {
        signature.setAlgorithmConstraints(
                new AlgorithmConstraints(AlgorithmConstraints.ConstraintType.PERMIT, algorithm()));
        for (Key key : candidates) {
            try {
                signature.setKey(key);
                if (signature.verifySignature()) {
                    return JwtClaims.parse(signature.getPayload());
                }
            } catch (InvalidJwtException noObject) {
                throw new Unfit("has claims that are no JSON object");
            } catch (JoseException | RuntimeException unusable) {
                continue; // a signature of another form than the key's
            }
        }
        throw new Unfit("has a signature that is not valid");
    }
}
