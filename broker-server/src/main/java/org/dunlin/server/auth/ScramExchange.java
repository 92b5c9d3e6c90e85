package org.dunlin.server.auth;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dunlin.core.spi.Authenticator.Answer;
import org.dunlin.core.spi.Authenticator.Exchange;
import org.dunlin.core.spi.Authenticator.Identity;
import org.dunlin.mqtt.ReasonCode;
import org.jspecify.annotations.Nullable;

/**
 * The server's part of one SCRAM exchange (RFC 5802, RFC 7677) without channel binding: client-first, server-first, client-final,
 * server-final, and then no more. A few digests, so that a loop can do it. One thread at a time.
 */
final class ScramExchange implements Exchange {
    private static final int BYTES_MAX = 4096;
    /** gs2-header without channel binding and authorization identity, then n, r and extensions, which nobody has to know. */
    private static final Pattern FIRST = Pattern.compile(
            "([ny]),(?:a=([^,]*))?,(n=([^,]+),r=([\\x21-\\x2b\\x2d-\\x7e]+)(?:,[A-Za-ln-z]=[^,]*){0,8})");

    private static final Pattern FINAL = Pattern.compile(
            "(c=([A-Za-z0-9+/=]+),r=([\\x21-\\x2b\\x2d-\\x7e]+)(?:,[A-Za-ln-z]=[^,]*){0,8}),p=([A-Za-z0-9+/=]+)");

    /** The same whatever does not fit: the user, the password or the proof. */
    static final Answer WRONG =
            new Answer.Refused(ReasonCode.BAD_USER_NAME_OR_PASSWORD, "user name or password is wrong");

    private final ScramMechanism mechanism;
    private final @Nullable String named;
    private final Function<String, ScramHash> accounts;
    private final String nonce;
    private @Nullable String user;
    private @Nullable Challenge challenge;
    private boolean over;

    /**
     * What the client has been asked.
     *
     * @param header the gs2-header, which it has to repeat
     * @param nonce of both
     * @param text client-first without its header, and server-first
     */
    private record Challenge(String user, ScramHash account, String header, String nonce, String text) {}

    /** Something that is no SCRAM message; the message is a sentence for the client. */
    private static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;

        Malformed(String what) {
            super(what, null, false, false);
        }
    }

    /**
     * @param named the user name of CONNECT, which has to be the same, or null
     * @param accounts of every name; one that nobody has the password of for names that are not known
     * @param nonce the server's part of it, which is never used again
     */
    ScramExchange(
            ScramMechanism mechanism, @Nullable String named, Function<String, ScramHash> accounts, String nonce) {
        this.mechanism = mechanism;
        this.named = named;
        this.accounts = accounts;
        this.nonce = nonce;
    }

    @Override
    public CompletionStage<Answer> step(byte @Nullable [] data) {
        return CompletableFuture.completedFuture(next(data));
    }

    @Override
    public @Nullable String userName() {
        return user;
    }

    private Answer next(byte @Nullable [] data) {
        try {
            if (over) {
                throw new Malformed("this SCRAM exchange is over");
            }
            Challenge asked = challenge;
            String text = text(data);
            if (asked == null) {
                return first(text);
            }
            over = true;
            return last(asked, text);
        } catch (Malformed malformed) {
            over = true;
            return new Answer.Refused(ReasonCode.NOT_AUTHORIZED, String.valueOf(malformed.getMessage()));
        }
    }

    private static String text(byte @Nullable [] data) throws Malformed {
        if (data == null) {
            throw new Malformed("Authentication Data is missing");
        }
        if (data.length > BYTES_MAX) {
            throw new Malformed("the SCRAM message has more than " + BYTES_MAX + " bytes");
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(data))
                    .toString();
        } catch (CharacterCodingException not) {
            throw new Malformed("the SCRAM message is not UTF-8");
        }
    }

    private Answer first(String text) throws Malformed {
        if (text.startsWith("p=")) {
            throw new Malformed("channel binding is not known here; begin with n,,");
        }
        Matcher m = FIRST.matcher(text);
        if (!m.matches()) {
            throw new Malformed("this is no first message of SCRAM like n,,n=USER,r=NONCE");
        }
        String claimed = name(m.group(4));
        user = claimed;
        String acting = m.group(2);
        if (acting != null && !acting.isEmpty() && !name(acting).equals(claimed)) {
            throw new Malformed("nobody can act for another user here");
        }
        if (named != null && !named.equals(claimed)) {
            throw new Malformed("the user of SCRAM is not the user name of CONNECT");
        }
        ScramHash account = accounts.apply(claimed);
        String both = m.group(5) + nonce;
        String question =
                "r=" + both + ",s=" + Base64.getEncoder().encodeToString(account.salt()) + ",i=" + account.iterations();
        String header = text.substring(0, m.start(3));
        challenge = new Challenge(claimed, account, header, both, m.group(3) + "," + question);
        return new Answer.Continue(bytes(question));
    }

    /** A saslname: comma and equals sign are written =2C and =3D. */
    private static String name(String written) throws Malformed {
        String rest = written.replace("=2C", "").replace("=3D", "");
        if (rest.indexOf('=') >= 0) {
            throw new Malformed("the user name of SCRAM has an equals sign that is not written =3D");
        }
        return written.replace("=2C", ",").replace("=3D", "=");
    }

    private Answer last(Challenge asked, String text) throws Malformed {
        Matcher m = FINAL.matcher(text);
        if (!m.matches()) {
            throw new Malformed("this is no final message of SCRAM like c=biws,r=NONCE,p=PROOF");
        }
        String binding = Base64.getEncoder().encodeToString(bytes(asked.header));
        if (!m.group(2).equals(binding)) {
            throw new Malformed("the final message of SCRAM repeats another beginning");
        }
        if (!MessageDigest.isEqual(bytes(m.group(3)), bytes(asked.nonce))) {
            throw new Malformed("the final message of SCRAM has another nonce");
        }
        byte[] proof;
        try {
            proof = Base64.getDecoder().decode(m.group(4));
        } catch (IllegalArgumentException not) {
            throw new Malformed("the proof of SCRAM is not base64");
        }
        byte[] all = bytes(asked.text + "," + m.group(1));
        byte[] clientKey = mechanism.hmac(asked.account.storedKey(), all);
        if (proof.length != clientKey.length) {
            return WRONG;
        }
        for (int i = 0; i < proof.length; i++) {
            clientKey[i] ^= proof[i];
        }
        boolean right = MessageDigest.isEqual(mechanism.hash(clientKey), asked.account.storedKey());
        if (!right || !accounts.apply(asked.user).equals(asked.account)) { // it may have changed meanwhile
            return WRONG;
        }
        byte[] signature = mechanism.hmac(asked.account.serverKey(), all);
        return new Answer.Accepted(
                Identity.of(asked.user, PasswordAuthenticator.SOURCE),
                bytes("v=" + Base64.getEncoder().encodeToString(signature)));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
