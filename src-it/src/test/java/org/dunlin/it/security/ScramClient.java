package org.dunlin.it.security;

import com.hivemq.client.mqtt.datatypes.MqttUtf8String;
import com.hivemq.client.mqtt.mqtt5.Mqtt5ClientConfig;
import com.hivemq.client.mqtt.mqtt5.auth.Mqtt5EnhancedAuthMechanism;
import com.hivemq.client.mqtt.mqtt5.message.auth.Mqtt5Auth;
import com.hivemq.client.mqtt.mqtt5.message.auth.Mqtt5AuthBuilder;
import com.hivemq.client.mqtt.mqtt5.message.auth.Mqtt5EnhancedAuthBuilder;
import com.hivemq.client.mqtt.mqtt5.message.connect.Mqtt5Connect;
import com.hivemq.client.mqtt.mqtt5.message.connect.connack.Mqtt5ConnAck;
import com.hivemq.client.mqtt.mqtt5.message.disconnect.Mqtt5Disconnect;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/** SCRAM as a client of the HiveMQ library speaks it; it does not trust a server that cannot prove that it knows the account. */
final class ScramClient implements Mqtt5EnhancedAuthMechanism {
    private static final AtomicInteger NONCES = new AtomicInteger();

    private final String bits;
    private final String user;
    private final String password;
    private String first = "";
    private String proven = "";

    /** @param bits "256" or "512" */
    ScramClient(String bits, String user, String password) {
        this.bits = bits;
        this.user = user;
        this.password = password;
    }

    @Override
    public MqttUtf8String getMethod() {
        return MqttUtf8String.of("SCRAM-SHA-" + bits);
    }

    @Override
    public int getTimeout() {
        return 30;
    }

    /** The first message of a new exchange. */
    byte[] begin() {
        first = "n=" + user + ",r=fyko+d2lbbFgONRv9qkxdawL" + NONCES.incrementAndGet();
        return bytes("n,," + first);
    }

    @Override
    public CompletableFuture<Void> onAuth(
            Mqtt5ClientConfig config, Mqtt5Connect connect, Mqtt5EnhancedAuthBuilder auth) {
        auth.data(begin());
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletableFuture<Void> onReAuth(Mqtt5ClientConfig config, Mqtt5AuthBuilder auth) {
        auth.data(begin());
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletableFuture<Boolean> onContinue(Mqtt5ClientConfig config, Mqtt5Auth auth, Mqtt5AuthBuilder answer) {
        answer.data(bytes(last(text(auth.getData()))));
        return CompletableFuture.completedFuture(true);
    }

    /** The proof, as an answer to what the server asks. */
    String last(String challenge) {
        String[] parts = challenge.split(",");
        byte[] salt = Base64.getDecoder().decode(parts[1].substring(2));
        int iterations = Integer.parseInt(parts[2].substring(2));
        try {
            byte[] salted = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA" + bits)
                    .generateSecret(new PBEKeySpec(password.toCharArray(), salt, iterations, Integer.parseInt(bits)))
                    .getEncoded();
            byte[] clientKey = hmac(salted, "Client Key");
            String bare = "c=biws," + parts[0];
            String all = first + "," + challenge + "," + bare;
            byte[] proof = hmac(MessageDigest.getInstance("SHA-" + bits).digest(clientKey), all);
            for (int i = 0; i < proof.length; i++) {
                proof[i] ^= clientKey[i];
            }
            proven = "v=" + Base64.getEncoder().encodeToString(hmac(hmac(salted, "Server Key"), all));
            return bare + ",p=" + Base64.getEncoder().encodeToString(proof);
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA" + bits);
        mac.init(new SecretKeySpec(key, "HmacSHA" + bits));
        return mac.doFinal(bytes(text));
    }

    @Override
    public CompletableFuture<Boolean> onAuthSuccess(Mqtt5ClientConfig config, Mqtt5ConnAck connAck) {
        return CompletableFuture.completedFuture(connAck.getEnhancedAuth()
                .map(auth -> text(auth.getData()).equals(proven))
                .orElse(false));
    }

    @Override
    public CompletableFuture<Boolean> onReAuthSuccess(Mqtt5ClientConfig config, Mqtt5Auth auth) {
        return CompletableFuture.completedFuture(text(auth.getData()).equals(proven));
    }

    @Override
    public void onAuthRejected(Mqtt5ClientConfig config, Mqtt5ConnAck connAck) {}

    @Override
    public void onReAuthRejected(Mqtt5ClientConfig config, Mqtt5Disconnect disconnect) {}

    @Override
    public void onAuthError(Mqtt5ClientConfig config, Throwable cause) {}

    @Override
    public void onReAuthError(Mqtt5ClientConfig config, Throwable cause) {}

    private static String text(Optional<ByteBuffer> data) {
        return StandardCharsets.UTF_8.decode(data.orElseThrow().duplicate()).toString();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
