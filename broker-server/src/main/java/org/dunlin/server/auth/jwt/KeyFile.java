package org.dunlin.server.auth.jwt;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dunlin.server.config.Quote;
import org.jose4j.json.JsonUtil;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.PublicJsonWebKey;
import org.jose4j.lang.JoseException;

/** Reads public keys from what operators and identity providers write: PEM, or a JSON Web Key Set. Any thread. */
final class KeyFile {
    static final int BYTES_MAX = 1 << 20;
    private static final int KEYS_MAX = 100;
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]{1,40})-----(.*?)-----END \\1-----", Pattern.DOTALL);

    private KeyFile() {}

    /** Content without keys that can be used; the message is what is wrong with it, completing "the file ...". */
    static final class Unfit extends Exception {
        private static final long serialVersionUID = 1L;

        Unfit(String what) {
            super(what, null, false, false);
        }
    }

    /** A reader of one of the two forms. */
    interface Form {
        VerificationKeys read(byte[] content, List<String> algorithms) throws Unfit;
    }

    /** All keys and certificates of a PEM file; one that does not fit spoils the file. */
    static VerificationKeys pem(byte[] content, List<String> algorithms) throws Unfit {
        VerificationKeys.Builder keys = new VerificationKeys.Builder(algorithms);
        Matcher blocks = BLOCK.matcher(new String(content, StandardCharsets.ISO_8859_1));
        while (blocks.find()) {
            if (keys.count() == KEYS_MAX) {
                throw new Unfit("has more than " + KEYS_MAX + " keys");
            }
            String type = blocks.group(1);
            PublicKey key = key(type, blocks.group(2));
            try {
                keys.add(null, key, null);
            } catch (VerificationKeys.Unfit unfit) {
                throw new Unfit("has a key that " + unfit.getMessage());
            }
        }
        if (keys.count() == 0) {
            throw new Unfit("has no public key in PEM, which begins with -----BEGIN PUBLIC KEY-----");
        }
        return keys.build();
    }

    private static PublicKey key(String type, String base64) throws Unfit {
        byte[] der;
        try {
            der = Base64.getMimeDecoder().decode(base64.getBytes(StandardCharsets.ISO_8859_1));
            return switch (type) {
                case "PUBLIC KEY" -> publicKey(der);
                case "CERTIFICATE" ->
                    CertificateFactory.getInstance("X.509")
                            .generateCertificate(new ByteArrayInputStream(der))
                            .getPublicKey();
                case "RSA PUBLIC KEY" ->
                    throw new Unfit("has a key in an old form; convert it with: openssl rsa -RSAPublicKey_in -pubout");
                default ->
                    throw new Unfit((type.endsWith("PRIVATE KEY") ? "has a private key" : "has a " + type)
                            + " instead of a public key; make one with: openssl pkey -pubout");
            };
        } catch (IllegalArgumentException | GeneralSecurityException damaged) {
            throw new Unfit("has a damaged " + type);
        }
    }

    private static PublicKey publicKey(byte[] der) throws GeneralSecurityException {
        for (String kind : List.of("RSA", "EC", "EdDSA")) {
            try {
                return KeyFactory.getInstance(kind).generatePublic(new X509EncodedKeySpec(der));
            } catch (InvalidKeySpecException another) {
                continue;
            }
        }
        throw new InvalidKeySpecException("of no known kind");
    }

    /** All keys of a set that are for signatures and fit; what is for something else is passed over. */
    static VerificationKeys jwks(byte[] content, List<String> algorithms) throws Unfit {
        Object listed;
        try {
            listed = JsonUtil.parseJson(new String(content, StandardCharsets.UTF_8))
                    .get("keys");
        } catch (JoseException | RuntimeException malformed) {
            throw new Unfit("is no JSON object");
        }
        if (!(listed instanceof List<?> all)) {
            throw new Unfit("is no key set: it has no list \"keys\"");
        }
        if (all.size() > KEYS_MAX) {
            throw new Unfit("has more than " + KEYS_MAX + " keys");
        }
        VerificationKeys.Builder keys = new VerificationKeys.Builder(algorithms);
        String last = "it has none";
        for (Object each : all) {
            try {
                add(keys, each);
            } catch (Unfit | VerificationKeys.Unfit unfit) {
                last = "the last of them " + unfit.getMessage();
            }
        }
        if (keys.count() == 0) {
            throw new Unfit("has no key that can be used: " + last);
        }
        return keys.build();
    }

    private static void add(VerificationKeys.Builder keys, Object each) throws Unfit, VerificationKeys.Unfit {
        if (!(each instanceof Map<?, ?> map)) {
            throw new Unfit("is no JSON object");
        }
        Object kind = map.get("kty");
        if (!"RSA".equals(kind) && !"EC".equals(kind) && !"OKP".equals(kind)) { // "oct" would be a secret that is told
            throw new Unfit("is of the kind " + Quote.of(String.valueOf(kind)));
        }
        if (map.containsKey("use") && !"sig".equals(map.get("use"))
                || map.get("key_ops") instanceof List<?> uses && !uses.contains("verify")) {
            throw new Unfit("is not for signatures");
        }
        try {
            @SuppressWarnings("unchecked") // names in JSON are strings
            JsonWebKey key = JsonWebKey.Factory.newJwk((Map<String, Object>) map);
            if (!(key instanceof PublicJsonWebKey open) || open.getPublicKey() == null) {
                throw new Unfit("has no public key");
            }
            keys.add(key.getKeyId(), open.getPublicKey(), key.getAlgorithm());
        } catch (JoseException | RuntimeException damaged) {
            throw new Unfit("is damaged");
        }
    }
}
