package org.dunlin.server.net.tls;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKey;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Any thread. Certificates and private keys as text: keys of PKCS#8, in the clear or encrypted, and the older forms of RSA
 * (PKCS#1) and elliptic curves (SEC 1) in the clear.
 */
final class Pem {
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]{1,40})-----(.*?)-----END \\1-----", Pattern.DOTALL);
    /** openssl's own way to encrypt the older forms. */
    private static final Pattern OLD_ENCRYPTION = Pattern.compile("Proc-Type:\\s*4,ENCRYPTED|DEK-Info:");

    private static final String PBES2 = "1.2.840.113549.1.5.13";
    private static final List<String> ALGORITHMS = List.of("RSA", "EC", "EdDSA", "RSASSA-PSS");

    /** rsaEncryption with its NULL. */
    private static final byte[] RSA = {
        0x30, 13, 6, 9, 0x2a, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xf7, 13, 1, 1, 1, 5, 0
    };
    /** id-ecPublicKey. */
    private static final byte[] EC = {6, 7, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 2, 1};

    private static final byte[] VERSION = {2, 1, 0};
    private static final int SEQUENCE = 0x30;
    private static final int OCTET_STRING = 4;
    private static final int EC_PARAMETERS = 0xa0;

    private Pem() {}

    private record Block(String type, String body) {
        byte[] bytes(Path file) throws TlsFault {
            try {
                return Base64.getMimeDecoder().decode(body.getBytes(StandardCharsets.ISO_8859_1));
            } catch (IllegalArgumentException e) {
                throw new TlsFault(file + " is damaged: its " + type + " is no Base64; replace the file");
            }
        }
    }

    private static List<Block> blocks(byte[] content) {
        List<Block> blocks = new ArrayList<>();
        Matcher block = BLOCK.matcher(new String(content, StandardCharsets.ISO_8859_1));
        while (block.find()) {
            blocks.add(new Block(block.group(1), block.group(2)));
        }
        return blocks;
    }

    /** All in the file, in its order; at least one. */
    static List<X509Certificate> certificates(Path file, byte[] content) throws TlsFault {
        List<X509Certificate> certificates = new ArrayList<>();
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            for (Block block : blocks(content)) {
                if (block.type().endsWith("CERTIFICATE")) {
                    certificates.add(
                            (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(block.bytes(file))));
                }
            }
        } catch (CertificateException e) {
            throw new TlsFault(
                    file + " has a damaged certificate (number " + (certificates.size() + 1) + "); replace the file");
        }
        if (certificates.isEmpty()) {
            throw new TlsFault(file + " has no certificate; it has to be a PEM file with -----BEGIN CERTIFICATE-----");
        }
        return certificates;
    }

    /** All in the file, as they are inside of the text; none if there are none. */
    static List<byte[]> revocationLists(Path file, byte[] content) throws TlsFault {
        List<byte[]> lists = new ArrayList<>();
        for (Block block : blocks(content)) {
            if (block.type().equals("X509 CRL")) {
                lists.add(block.bytes(file));
            }
        }
        return lists;
    }

    /** The first in the file. */
    static PrivateKey key(Path file, byte[] content, String password) throws TlsFault {
        for (Block block : blocks(content)) {
            if (block.type().endsWith("PRIVATE KEY")) {
                PrivateKey key = key(file, block, password);
                if (key == null) {
                    throw new TlsFault(file + " has a private key that is damaged or of an unknown kind; use RSA, EC or"
                            + " Ed25519, in the form of PKCS#8 (openssl pkcs8 -topk8)");
                }
                return key;
            }
        }
        throw new TlsFault(file + " has no private key; it has to be a PEM file with -----BEGIN PRIVATE KEY-----");
    }

    private static @Nullable PrivateKey key(Path file, Block block, String password) throws TlsFault {
        if (OLD_ENCRYPTION.matcher(block.body()).find()) {
            throw new TlsFault(file + " has a private key that is encrypted in an old way; convert it with"
                    + " openssl pkcs8 -topk8 -v2 aes256");
        }
        byte[] bytes = block.bytes(file);
        return switch (block.type()) {
            case "PRIVATE KEY" -> generate(bytes);
            case "ENCRYPTED PRIVATE KEY" -> decrypt(file, bytes, password);
            case "RSA PRIVATE KEY" -> generate(der(SEQUENCE, VERSION, RSA, der(OCTET_STRING, bytes)));
            case "EC PRIVATE KEY" -> {
                byte[] curve = curve(bytes);
                yield curve == null
                        ? null
                        : generate(der(SEQUENCE, VERSION, der(SEQUENCE, EC, curve), der(OCTET_STRING, bytes)));
            }
            default -> null;
        };
    }

    private static @Nullable PrivateKey decrypt(Path file, byte[] bytes, String password) throws TlsFault {
        if (password.isEmpty()) {
            throw new TlsFault(file + " has a private key that is encrypted; set key-password");
        }
        try {
            EncryptedPrivateKeyInfo info = new EncryptedPrivateKeyInfo(bytes);
            String algorithm = info.getAlgName();
            if (algorithm.equals(PBES2) || algorithm.equals("PBES2")) {
                algorithm = info.getAlgParameters().toString(); // only there are the two algorithms that it is made of
            }
            SecretKey secret =
                    SecretKeyFactory.getInstance(algorithm).generateSecret(new PBEKeySpec(password.toCharArray()));
            Cipher cipher = Cipher.getInstance(algorithm);
            cipher.init(Cipher.DECRYPT_MODE, secret, info.getAlgParameters());
            return generate(cipher.doFinal(info.getEncryptedData()));
        } catch (javax.crypto.BadPaddingException e) {
            throw new TlsFault(file + " has a private key that key-password does not open; set the right one");
        } catch (GeneralSecurityException | java.io.IOException e) {
            throw new TlsFault(
                    file + " has a private key that is encrypted in a way that Java does not know; convert it"
                            + " with openssl pkcs8 -topk8 -v2 aes256");
        }
    }

    private static @Nullable PrivateKey generate(byte[] pkcs8) {
        for (String algorithm : ALGORITHMS) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
            } catch (GeneralSecurityException notThisOne) {
                // the next
            }
        }
        return null;
    }

    /** The parameters of a key of SEC 1: it may name its curve itself, which PKCS#8 wants outside of it. */
    private static byte @Nullable [] curve(byte[] sec1) {
        int at = content(sec1, 0);
        while (at > 0 && at < sec1.length) {
            int from = content(sec1, at);
            int to = from < 0 ? -1 : from + length(sec1, at);
            if (to < from || to > sec1.length) {
                return null;
            }
            if ((sec1[at] & 0xff) == EC_PARAMETERS) {
                return java.util.Arrays.copyOfRange(sec1, from, to);
            }
            at = to;
        }
        return null;
    }

    /** Where the content of the element begins, or -1. */
    private static int content(byte[] der, int at) {
        if (at + 1 >= der.length) {
            return -1;
        }
        int first = der[at + 1] & 0xff;
        return first < 0x80 ? at + 2 : at + 2 + (first & 0x7f);
    }

    private static int length(byte[] der, int at) {
        int first = der[at + 1] & 0xff;
        if (first < 0x80) {
            return first;
        }
        int length = 0;
        for (int i = 0; i < (first & 0x7f); i++) {
            if (i > 2 || at + 2 + i >= der.length) {
                return -1;
            }
            length = length << 8 | der[at + 2 + i] & 0xff;
        }
        return length;
    }

    private static byte[] der(int tag, byte[]... parts) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            content.writeBytes(part);
        }
        int length = content.size();
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        whole.write(tag);
        if (length < 0x80) {
            whole.write(length);
        } else if (length < 0x100) {
            whole.write(0x81);
            whole.write(length);
        } else {
            whole.write(0x82);
            whole.write(length >> 8);
            whole.write(length);
        }
        whole.writeBytes(content.toByteArray());
        return whole.toByteArray();
    }
}
