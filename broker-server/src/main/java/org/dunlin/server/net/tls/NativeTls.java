package org.dunlin.server.net.tls;

import io.netty.handler.ssl.OpenSsl;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Any thread; the first use loads a native library. What BoringSSL does here, and what it does not. */
public final class NativeTls {
    /** It has all of them or none of TLS 1.3. */
    private static final Set<String> SUITES_OF_1_3 =
            Set.of("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256");

    private static final String TLS_1_3 = "TLSv1.3";

    private NativeTls() {}

    /** @return null if it can be used here; else why not, a few words */
    public static @Nullable String missing() {
        if (!OpenSsl.isAvailable()) {
            Throwable cause = OpenSsl.unavailabilityCause();
            while (cause != null && cause.getCause() != null) {
                cause = cause.getCause();
            }
            String why = cause == null ? "" : ": " + firstLine(String.valueOf(cause.getMessage()));
            return "its library does not load on " + System.getProperty("os.name") + " " + System.getProperty("os.arch")
                    + why;
        }
        if (!isBoring()) {
            return "the library that loads is " + OpenSsl.versionString()
                    + ", not the BoringSSL that comes with Dunlin";
        }
        return null;
    }

    /** Others have other bounds for what a client may make them do. */
    private static boolean isBoring() {
        return String.valueOf(OpenSsl.versionString()).startsWith("BoringSSL");
    }

    private static String firstLine(String text) {
        int end = text.indexOf('\n');
        return end < 0 ? text : text.substring(0, end);
    }

    /** For people: "BoringSSL", or "Java" and why. */
    public static String describe() {
        String missing = missing();
        return missing == null ? "BoringSSL" : "Java (no BoringSSL: " + missing + ")";
    }

    /** @return null if it does all that a listener asks for; else what it does not, with what to do about it */
    static @Nullable String unfit(TlsSettings settings, Material material) {
        for (Credentials each : material.shown()) {
            String kind = each.key().getAlgorithm();
            if (!kind.equals("RSA") && !kind.equals("EC")) {
                return "the key of " + each.subject() + " is of the kind " + kind
                        + ", which BoringSSL does not sign with here; take RSA or EC";
            }
        }
        return settings.ciphers().isEmpty() ? null : unfit(settings.protocols(), settings.ciphers());
    }

    private static @Nullable String unfit(List<String> protocols, List<String> ciphers) {
        Set<String> newest = new HashSet<>(SUITES_OF_1_3);
        newest.retainAll(ciphers);
        if (protocols.contains(TLS_1_3) && newest.size() < SUITES_OF_1_3.size()) {
            return "ciphers leaves some of TLS 1.3 out, which BoringSSL cannot; name all three, or leave TLSv1.3 out of"
                    + " protocols";
        }
        int older = 0;
        for (String cipher : ciphers) {
            if (!SUITES_OF_1_3.contains(cipher)) {
                older++;
                if (!OpenSsl.isCipherSuiteAvailable(cipher)) {
                    return "ciphers has " + cipher + ", which BoringSSL does not know; remove it";
                }
            }
        }
        return older > 0
                ? null
                : "ciphers has none of TLS 1.2, which BoringSSL does without only by protocols; add one";
    }
}
