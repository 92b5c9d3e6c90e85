package org.dunlin.server.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.dunlin.server.config.ConfigLoader.Flag;
import org.dunlin.server.config.ConfigLoader.Loaded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds for every key, whichever is added. */
class KeyRoundTripTest {
    /** Tried in turn until one is a value of the key and not its default. */
    private static final List<String> VALUES = List.of(
            "false",
            "true",
            "1",
            "100",
            "2KB",
            "20KB",
            "20MB",
            "3s",
            "200ms",
            "::1",
            "alarm/+",
            "json",
            "openssl",
            "debug",
            "nio",
            "drop-newest",
            "close",
            "data/x",
            "second",
            "memory",
            "async",
            "32MB",
            "ws",
            "required",
            "san-uri",
            "ES256,EdDSA",
            "user-name",
            "TLSv1.3",
            "TLS_AES_128_GCM_SHA256",
            "/x",
            "https://example.org",
            "Name=value",
            "v2",
            "10.0.0.0/8",
            "tcp,ws",
            "back-off",
            "2h",
            "prefix");

    /** What a key needs beside it to be right. */
    private static final Map<String, Map<String, String>> NEEDED = Map.ofEntries(
            Map.entry("cert", Map.of("type", "tls", "key", "k")),
            Map.entry("key", Map.of("type", "tls", "cert", "c")),
            Map.entry("keystore", Map.of("type", "tls")),
            Map.entry("key-password", Map.of("type", "tls", "cert", "c", "key", "k")),
            Map.entry("ca", Map.of("type", "tls", "cert", "c", "key", "k", "client-auth", "optional")),
            Map.entry("truststore", Map.of("type", "tls", "cert", "c", "key", "k", "client-auth", "optional")),
            Map.entry("truststore-password", Map.of("type", "tls", "cert", "c", "key", "k", "truststore", "t")),
            Map.entry("client-auth", Map.of("type", "tls", "cert", "c", "key", "k", "ca", "a")),
            Map.entry("crl", Map.of("type", "tls", "cert", "c", "key", "k", "ca", "a", "client-auth", "required")),
            Map.entry("sni", Map.of("type", "tls", "cert", "c", "key", "k")),
            Map.entry("protocols", Map.of("type", "tls", "cert", "c", "key", "k")),
            Map.entry("ciphers", Map.of("type", "tls", "cert", "c", "key", "k")),
            Map.entry("accept", Map.of("type", "auto")),
            Map.entry("proxy-protocol", Map.of("proxy-trusted", "10.0.0.1")),
            Map.entry("proxy-trusted", Map.of("proxy-protocol", "v2")),
            Map.entry("path", Map.of("type", "ws")),
            Map.entry("allowed-origins", Map.of("type", "wss", "cert", "c", "key", "k")));

    @TempDir
    Path folder;

    static Stream<Key<?>> keys() {
        return Keys.TABLE.keys().stream();
    }

    private static String other(Key<?> key) {
        if (key.name().equals("auth.jwt.secret")) {
            return "a-secret-of-thirty-two-bytes-or-more";
        }
        for (String value : VALUES) {
            try {
                key.type().parse(value);
            } catch (ValueType.Unfit unfit) {
                continue;
            }
            if (!value.equals(key.defaultText())) {
                return value;
            }
        }
        throw new AssertionError("no value for " + key.name());
    }

    private static Map<String, String> withSiblings(Key<?> key) {
        Map<String, String> values = new HashMap<>();
        String list = key.list();
        if (list != null) {
            for (Key<?> sibling : Keys.TABLE.keysOf(list)) {
                if (sibling.defaultValue() == null) {
                    values.put(sibling.path(0), sibling.example());
                }
            }
            if (list.equals("listeners")) {
                NEEDED.getOrDefault(key.leaf(), Map.of())
                        .forEach((leaf, text) -> values.put("listeners[0]." + leaf, text));
            }
        }
        if (key.name().equals("admin.tls.cert") || key.name().equals("admin.tls.key")) {
            values.put("admin.tls.cert", "c");
            values.put("admin.tls.key", "k");
        }
        if (key.name().equals("auth.bind-client-id")) { // somebody has to know users
            values.put("auth.password-file", "users");
        }
        if (key.name().equals("auth.certificate.user")) { // somebody has to ask for certificates
            values.put("listeners[0].client-auth", "required");
            values.put("listeners[0].ca", "a");
            NEEDED.getOrDefault("client-auth", Map.of())
                    .forEach((leaf, text) -> values.put("listeners[0]." + leaf, text));
        }
        values.put(key.path(0), other(key));
        return values;
    }

    @ParameterizedTest
    @MethodSource("keys")
    void key_bySetEnvironmentAndFile_meansTheSameAndIsShownSo(Key<?> key) throws Exception {
        List<Flag> flags = new ArrayList<>();
        Map<String, String> environment = new HashMap<>();
        withSiblings(key).forEach((path, text) -> {
            flags.add(new Flag("--set", path, text));
            environment.put("DUNLIN_" + path.replaceAll("[.\\[\\]-]+", "_").toUpperCase(java.util.Locale.ROOT), text);
        });
        Loaded bySet = ConfigLoader.load(null, Map.of(), flags);
        Loaded byEnvironment = ConfigLoader.load(null, environment, List.of());
        assertEquals(bySet.config(), byEnvironment.config());
        if (!key.name().equals("storage.path")) {
            assertNotEquals(Config.DEFAULTS, bySet.config(), "the key has no effect");
        }
        String shown = ConfigText.effective(byEnvironment.settings());
        if (key.secret()) {
            assertTrue(shown.contains("#" + key.leaf() + ": # secret, set, not shown"), shown);
            assertFalse(bySet.config().toString().contains(key.leaf() + "=" + other(key)));
            return;
        }
        assertTrue(
                Pattern.compile("(?m)^[ -]*" + key.leaf() + ": .*  # " + key.environmentName(0) + "$")
                        .matcher(shown)
                        .find(),
                shown);
        Path file = Files.writeString(folder.resolve("shown.yaml"), shown);
        Loaded again = ConfigLoader.load(file, Map.of(), List.of());
        assertEquals(bySet.config(), again.config());
        Settings.Setting said = again.settings().said(key.path(0));
        assertEquals(other(key), said == null ? null : said.text());
    }

    @Test
    void environmentNames_areNeverTheSame() {
        Set<String> names = new HashSet<>();
        keys().forEach(key -> assertTrue(names.add(key.environmentName(0)), key.name()));
        keys().forEach(key -> assertFalse(names.contains(key.environmentName(0) + "_FILE"), key.name()));
    }

    @Test
    void explanations_areOneLine() {
        keys().forEach(key -> assertTrue(key.explanation().matches("[A-Z][^\\n]{10,100}\\."), key.name()));
    }

    @Test
    void show_ofStrangeText_isReadAgain() throws Exception {
        String strange = "a: '\"\\ \u00e9\u2028\ud83d\ude00\ufffe\uffff";
        Loaded loaded =
                ConfigLoader.load(null, Map.of(), List.of(new Flag("--set", "server.response-information", strange)));
        Path file = Files.writeString(folder.resolve("s.yaml"), ConfigText.effective(loaded.settings()));
        assertEquals(
                strange,
                ConfigLoader.load(file, Map.of(), List.of()).config().server().responseInformation());
    }

    @Test
    void secret_isNeitherShownNorInAFault() throws Exception {
        Key<Integer> secret = new Key<>("door.code", ValueType.integer(0, 9999), 0, "", "The code.", true, false);
        Key<Integer> plain = Key.of("door.number", ValueType.integer(0, 9999), 7, "The number.");
        KeyTable table = new KeyTable(List.of(secret, plain));
        ConfigLoader loader = new ConfigLoader(table);
        Settings settings = loader.fill(null, Map.of("DUNLIN_DOOR_CODE", "4711"), List.of());
        String shown = ConfigText.effective(settings);
        assertFalse(shown.contains("4711"), shown);
        assertTrue(shown.contains("#code: # secret, set, not shown (DUNLIN_DOOR_CODE)"), shown);
        ConfigLoader again = new ConfigLoader(table);
        again.fill(Files.writeString(folder.resolve("x.yaml"), shown), Map.of(), List.of());
        assertEquals(List.of(), again.faults());
        ConfigLoader wrong = new ConfigLoader(table);
        wrong.fill(null, Map.of("DUNLIN_DOOR_CODE", "hunter2"), List.of());
        assertEquals(1, wrong.faults().size());
        assertFalse(wrong.faults().toString().contains("hunter2"));
    }
}
