package org.dunlin.server.auth.jwt;

import java.nio.charset.StandardCharsets;
import java.security.Key;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/** The keys whose signatures count, each for some algorithms of its own kind and for no others. Immutable; any thread. */
final class VerificationKeys {
    static final VerificationKeys NONE = new VerificationKeys(List.of());
    private static final int RSA_BITS_MIN = 2048;
    /** Keys that are tried for one token that does not say which it is. */
    private static final int TRIED_MAX = 8;

    private final List<Entry> entries;

    private VerificationKeys(List<Entry> entries) {
        this.entries = List.copyOf(entries);
    }

    /** @param id of the key (kid), or null if it has none */
    private record Entry(@Nullable String id, Key key, Set<String> algorithms) {}

    /** A key that cannot be used; the message completes "the key ...". */
    static final class Unfit extends Exception {
        private static final long serialVersionUID = 1L;

        Unfit(String what) {
            super(what, null, false, false);
        }
    }

    /** Puts keys together. One thread. */
    static final class Builder {
        private final Set<String> allowed;
        private final List<Entry> entries = new ArrayList<>();

        /** @param allowed algorithms; empty for all that fit a key */
        Builder(List<String> allowed) {
            this.allowed = Set.copyOf(allowed);
        }

        /**
         * @param id of the key, or null
         * @param algorithm the only one that it is for, or null
         */
        Builder add(@Nullable String id, Key key, @Nullable String algorithm) throws Unfit {
            Set<String> fitting = fitting(key);
            if (algorithm != null) {
                fitting.retainAll(Set.of(algorithm));
                if (fitting.isEmpty()) {
                    throw new Unfit("is of another kind than its algorithm says");
                }
            }
            if (!allowed.isEmpty()) {
                fitting.retainAll(allowed);
                if (fitting.isEmpty()) {
                    throw new Unfit("fits none of auth.jwt.algorithms");
                }
            }
            entries.add(new Entry(id, key, Set.copyOf(fitting)));
            return this;
        }

        int count() {
            return entries.size();
        }

        VerificationKeys build() {
            return new VerificationKeys(entries);
        }
    }

    /** @throws Unfit if it is too short for the algorithms */
    static VerificationKeys ofSecret(String secret, List<String> allowed) throws Unfit {
        Key key = new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HMAC");
        return new Builder(allowed).add(null, key, null).build();
    }

    private static Set<String> fitting(Key key) throws Unfit {
        Set<String> algorithms = new LinkedHashSet<>();
        if (key instanceof SecretKeySpec secret) {
            int bytes = secret.getEncoded().length;
            for (int bits = 256; bits <= 512; bits += 128) {
                if (bytes * 8 >= bits) {
                    algorithms.add("HS" + bits);
                }
            }
            if (algorithms.isEmpty()) {
                throw new Unfit("has " + bytes + " bytes; at least 32");
            }
        } else if (key instanceof RSAPublicKey rsa) {
            if (rsa.getModulus().bitLength() < RSA_BITS_MIN) {
                throw new Unfit("is RSA of " + rsa.getModulus().bitLength() + " bits; at least " + RSA_BITS_MIN);
            }
            algorithms.addAll(List.of("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"));
        } else if (key instanceof ECPublicKey ec) {
            algorithms.add(curve(ec));
        } else if (key instanceof EdECPublicKey ed && ed.getParams().getName().equals("Ed25519")) {
            algorithms.add("EdDSA");
        } else {
            throw new Unfit("is of the kind " + key.getAlgorithm() + "; known are RSA, EC and Ed25519");
        }
        return algorithms;
    }

    private static String curve(ECPublicKey ec) throws Unfit {
        return switch (ec.getParams().getOrder().bitLength()) {
            case 256 -> "ES256";
            case 384 -> "ES384";
            case 521 -> "ES512";
            default -> throw new Unfit("is on a curve that is not known; known are P-256, P-384 and P-521");
        };
    }

    int count() {
        return entries.size();
    }

    boolean knowsAlgorithm(String algorithm) {
        return entries.stream().anyMatch(entry -> entry.algorithms.contains(algorithm));
    }

    /**
     * Those that may have signed a token.
     *
     * @param id that the token names; then only the key of that id, and keys without any, can be meant
     * @return none if too many could be: then the token has to name one
     */
    List<Key> candidates(String algorithm, @Nullable String id) {
        List<Key> found = new ArrayList<>();
        for (Entry entry : entries) {
            boolean meant = id == null || entry.id == null || entry.id.equals(id);
            if (meant && entry.algorithms.contains(algorithm)) {
                found.add(entry.key);
            }
        }
        return found.size() > TRIED_MAX ? List.of() : found;
    }
}
