package org.dunlin.server.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.dunlin.core.limits.Limits;
import org.dunlin.server.config.Config.AnonymousAccess;
import org.dunlin.server.config.Config.Overflow;
import org.dunlin.server.config.ConfigLoader.Flag;
import org.dunlin.server.config.ConfigLoader.Loaded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigLoaderTest {
    @TempDir
    Path folder;

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("dunlin.yaml"), text);
    }

    private static Loaded env(String... pairs) throws ConfigException {
        return ConfigLoader.load(null, map(pairs), List.of());
    }

    private static Map<String, String> map(String... pairs) {
        Map<String, String> map = new java.util.HashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            map.put(pairs[i], pairs[i + 1]);
        }
        return map;
    }

    private static Loaded set(String path, String text) throws ConfigException {
        return ConfigLoader.load(null, Map.of(), List.of(new Flag("--set", path, text)));
    }

    private List<String> faults(String yaml, String... pairs) throws IOException {
        Path file = file(yaml);
        ConfigException thrown =
                assertThrows(ConfigException.class, () -> ConfigLoader.load(file, map(pairs), List.of()));
        return thrown.faults().stream()
                .map(fault -> fault.toString().replace(file.toString(), "F"))
                .toList();
    }

    private static void assertFault(String expected, List<String> faults) {
        assertTrue(faults.stream().anyMatch(fault -> fault.contains(expected)), () -> expected + " not in " + faults);
    }

    @Test
    void load_withNothingSet_isTheDefaultsOfTheCore() throws ConfigException {
        Config config = ConfigLoader.load(null, Map.of(), List.of()).config();
        assertEquals(Config.DEFAULTS, config);
        assertEquals(Limits.DEFAULTS, config.limits());
        assertEquals(1883, config.listeners().get(0).address().getPort());
        assertTrue(config.listeners().get(0).address().getAddress().isLoopbackAddress());
        assertTrue(config.allowsAnonymous(config.listeners().get(0)));
        assertEquals(Overflow.DROP_OLDEST, config.queue().overflow());
    }

    @Test
    void load_flagWinsOverEnvironmentWinsOverFile() throws Exception {
        Path file = file("limits:\n  max-inflight: 1\n  max-topic-levels: 1\n  receive-maximum: 1\n");
        Loaded loaded = ConfigLoader.load(
                file,
                Map.of("DUNLIN_LIMITS_MAX_INFLIGHT", "2", "DUNLIN_LIMITS_MAX_TOPIC_LEVELS", "2"),
                List.of(new Flag("--set", "limits.max-inflight", "3")));
        Limits limits = loaded.config().limits();
        assertEquals(3, limits.maxInflight());
        assertEquals(2, limits.maxTopicLevels());
        assertEquals(1, limits.receiveMaximum());
        assertEquals("--set", loaded.settings().origin("limits.max-inflight"));
        assertEquals("DUNLIN_LIMITS_MAX_TOPIC_LEVELS", loaded.settings().origin("limits.max-topic-levels"));
        assertEquals(file + ":4", loaded.settings().origin("limits.receive-maximum"));
        assertEquals("default", loaded.settings().origin("limits.max-qos"));
    }

    @Test
    void load_listOfListeners_mergesByIndex() throws Exception {
        Path file = file("listeners:\n  - name: a\n    port: 0\n  - name: b\n    port: 1884\n    max-connections: 7\n");
        Config config = ConfigLoader.load(
                        file,
                        Map.of("DUNLIN_LISTENERS_1_PORT", "1999"),
                        List.of(new Flag("--set", "listeners.0.name", "c")))
                .config();
        assertEquals(2, config.listeners().size());
        assertEquals("c", config.listeners().get(0).name());
        assertEquals(1999, config.listeners().get(1).port());
        assertEquals(7, config.listeners().get(1).maxConnections());
    }

    @Test
    void load_listWithGap_isFault() {
        ConfigException thrown = assertThrows(ConfigException.class, () -> env("DUNLIN_LISTENERS_2_PORT", "1"));
        assertEquals(2, thrown.faults().size());
        assertTrue(thrown.getMessage().contains("listeners[0]: is not described"), thrown.getMessage());
        thrown = assertThrows(ConfigException.class, () -> env("DUNLIN_LISTENERS_9999_PORT", "1"));
        assertTrue(thrown.getMessage().contains("more than 64"), thrown.getMessage());
    }

    @Test
    void load_queueRules_keepTheirOrder() throws Exception {
        Path file = file("queue:\n  rules:\n    - filter: 'a/#'\n      overflow: reject\n"
                + "    - {filter: \"#\", overflow: hold-ack}\n");
        List<Config.Rule> rules =
                ConfigLoader.load(file, Map.of(), List.of()).config().queue().rules();
        assertEquals("a/#", rules.get(0).filter().text());
        assertEquals(Overflow.REJECT, rules.get(0).overflow());
        assertEquals(Overflow.HOLD_ACK, rules.get(1).overflow());
    }

    @Test
    void load_queueRuleWithoutFilter_saysWhatIsMissing() throws IOException {
        List<String> faults =
                faults("queue:\n  rules:\n    - overflow: reject\n    - filter: a/#/b\n      overflow: x\n");
        assertFault("F:3: queue.rules[0].filter: is missing", faults);
        assertFault("F:4: queue.rules[1].filter: 'a/#/b'", faults);
        assertFault(
                "F:5: queue.rules[1].overflow: 'x' is not one of the choices; allowed: drop-oldest, drop-newest,",
                faults);
        assertEquals(3, faults.size());
        faults = faults("queue:\n  rules:\n    - filter: a/#/b\n");
        assertFault("F:3: queue.rules[0].overflow: is missing", faults);
    }

    @Test
    void load_severalFaults_allAreFoundWithTheirLines() throws IOException {
        List<String> faults = faults(
                "limits:\n  max-qos: 3\n  max-pakcet-size: 1MB\n  connect-timeout: 10\nlog:\n  level: loud\nqueue: 5\n",
                "DUNLIN_LIMITS_MAX_INFLIGHT",
                "0");
        assertEquals(
                List.of(
                        "F:2: limits.max-qos: '3' is not one of the choices; allowed: 0, 1, 2",
                        "F:3: limits.max-pakcet-size: is no key; did you mean limits.max-packet-size?",
                        "F:4: limits.connect-timeout: '10' has no unit (ms, s, m, h or d); allowed: a time from 100ms"
                                + " to 1h",
                        "F:6: log.level: 'loud' is not one of the choices; allowed: error, warn, info, debug, trace",
                        "F:7: queue: is a section, not a value; write its keys below it, like queue.max-messages",
                        "DUNLIN_LIMITS_MAX_INFLIGHT: limits.max-inflight: '0' is out of range; allowed: 1 to 65535"),
                faults);
    }

    @ParameterizedTest
    @CsvSource({
        "limits.maxQos, limits.max-qos",
        "limits.max_qos, limits.max-qos",
        "max-packet-size, limits.max-packet-size",
        "limit.max-qos, limits.max-qos",
        "queue.max-mesages, queue.max-messages",
        "log.formt, log.format",
        "sys-topic.interval, sys-topics.interval",
    })
    void load_misspeltKey_namesTheNearest(String written, String meant) {
        ConfigException thrown = assertThrows(ConfigException.class, () -> set(written, "1"));
        assertTrue(thrown.getMessage().endsWith("did you mean " + meant + "?"), thrown.getMessage());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "wibble",
                "limits",
                "listeners",
                "listeners[0]",
                "listeners.port",
                "limits.max-qos.x",
                "[",
                "a[1][2].b"
            })
    void load_pathThatIsNoKey_isFaultWithCure(String path) {
        ConfigException thrown = assertThrows(ConfigException.class, () -> set(path, "1"));
        assertEquals(1, thrown.faults().size());
        assertFalse(thrown.faults().get(0).cure().isEmpty());
    }

    @Test
    void load_adminOffLoopbackInTheClear_isFaultUnlessSaid() throws Exception {
        ConfigException thrown = assertThrows(ConfigException.class, () -> set("admin.bind", "0.0.0.0"));
        assertTrue(thrown.getMessage().contains("admin.insecure"), thrown.getMessage());
        ConfigLoader.load(
                null,
                Map.of(),
                List.of(new Flag("--set", "admin.bind", "0.0.0.0"), new Flag("--set", "admin.insecure", "true")));
        ConfigLoader.load(
                null,
                Map.of(),
                List.of(new Flag("--set", "admin.bind", "0.0.0.0"), new Flag("--set", "admin.enabled", "false")));
        ConfigLoader.load(
                null,
                Map.of(),
                List.of(
                        new Flag("--set", "admin.bind", "0.0.0.0"),
                        new Flag("--set", "admin.tls.cert", "c"),
                        new Flag("--set", "admin.tls.key", "k")));
    }

    @Test
    void choiceOfLaterVersion_saysSo() {
        ValueType<Config.Overflow> overflow = ValueType.choice(Config.Overflow.class, Set.of("spill"));
        assertEquals(
                "comes in a later version",
                assertThrows(ValueType.Unfit.class, () -> overflow.parse("spill"))
                        .what());
    }

    private static List<Config.ListenerType> accepted(String... more) throws Exception {
        List<String> said = new ArrayList<>(List.of("listeners[0].type=auto"));
        said.addAll(List.of(more));
        List<Flag> flags = said.stream()
                .map(one -> new Flag("--set", one.substring(0, one.indexOf('=')), one.substring(one.indexOf('=') + 1)))
                .toList();
        return ConfigLoader.load(null, Map.of(), flags)
                .config()
                .listeners()
                .get(0)
                .accept();
    }

    private static List<String> origins(Path folder, String yaml) throws Exception {
        Path file = Files.writeString(folder.resolve("lists.yaml"), "listeners:\n  - type: ws\n" + yaml);
        Config.WebSocket webSocket = ConfigLoader.load(file, Map.of(), List.of())
                .config()
                .listeners()
                .get(0)
                .webSocket();
        return webSocket == null ? List.of() : webSocket.allowedOrigins();
    }

    @Test
    void wordsInYaml_areATextWithCommasOrAList(@TempDir Path lists) throws Exception {
        List<String> both = List.of("https://a.example", "https://b.example");
        assertEquals(both, origins(lists, "    allowed-origins: https://a.example, https://b.example\n"));
        assertEquals(both, origins(lists, "    allowed-origins: [https://a.example, 'https://b.example']\n"));
        assertEquals(
                both, origins(lists, "    allowed-origins:\n      - https://a.example\n      - https://b.example\n"));
        assertEquals(List.of(), origins(lists, "    allowed-origins: []\n"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[https://a.example, /b] | which does not have that form",
                "['https://a.example,https://b.example'] | lists.yaml:3: listeners[0].allowed-origins[0]: ",
                "[''] | lists.yaml:3: listeners[0].allowed-origins[0]: is empty",
                "[[a]] | lists.yaml:3: listeners[0].allowed-origins[0][0]",
                "[{a: b}] | lists.yaml:3: listeners[0].allowed-origins[0].a"
            })
    void listInYaml_thatIsNone_isRefused(String written, String fault, @TempDir Path lists) {
        ConfigException thrown =
                assertThrows(ConfigException.class, () -> origins(lists, "    allowed-origins: " + written + "\n"));
        assertTrue(thrown.getMessage().contains(fault), thrown.getMessage());
    }

    /** What is in the clear comes in from this machine, or where somebody has said so. */
    @Test
    void autoListener_acceptsInTheClearOnLoopbackOrWhenTold() throws Exception {
        String off = "listeners[0].bind=0.0.0.0";
        String all = "auth.allow-anonymous=true";
        String[] pair = {"listeners[0].cert=c", "listeners[0].key=k"};
        assertEquals(List.of(Config.ListenerType.TCP, Config.ListenerType.WS), accepted());
        assertEquals(
                List.of(
                        Config.ListenerType.TCP,
                        Config.ListenerType.TLS,
                        Config.ListenerType.WS,
                        Config.ListenerType.WSS),
                accepted(pair));
        assertEquals(List.of(Config.ListenerType.TLS, Config.ListenerType.WSS), accepted(off, all, pair[0], pair[1]));
        assertEquals(
                List.of(Config.ListenerType.TCP, Config.ListenerType.TLS),
                accepted(off, all, pair[0], pair[1], "listeners[0].accept=tls, tcp"));
        assertEquals(List.of(Config.ListenerType.TCP), accepted(off, all, "listeners[0].accept=tcp"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "listeners[0].bind=0.0.0.0 | listeners[0].accept: is missing",
                "listeners[0].accept=tls | listeners[0].cert: is missing",
                "listeners[0].accept=tcp listeners[0].cert=c listeners[0].key=k | listeners[0].cert: is for encrypted",
                "listeners[0].accept=tcp listeners[0].path=/x | listeners[0].path: is for WebSocket",
                "listeners[0].accept=quic | which does not have that form",
                "listeners[0].ciphers=TLS_X | listeners[0].cert: is missing",
                "listeners[0].proxy-protocol=v1 | listeners[0].proxy-protocol: has no proxies",
                "listeners[0].proxy-trusted=::1 | listeners[0].proxy-trusted: is for listeners behind",
                "listeners[0].proxy-trusted=10.0.0.1/8 | which is no address, or sets bits behind",
                "listeners[0].type=tcp listeners[0].accept=tcp | listeners[0].accept: is for listeners of type auto"
            })
    void autoListener_thatDoesNotFit_isRefused(String said, String fault) {
        ConfigException thrown =
                assertThrows(ConfigException.class, () -> accepted((said + " auth.allow-anonymous=true").split(" ")));
        assertTrue(thrown.getMessage().contains(fault), thrown.getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "limits.max-packet-size, 1KB, 1024",
        "limits.max-packet-size, 65536, 65536",
        "limits.max-packet-size, 64kb, 65536",
        "limits.max-packet-size, 256MB, 268435456",
        "limits.outbound-buffer, 1GB, 1073741824",
    })
    void load_sizes_countBy1024(String path, String text, long bytes) throws ConfigException {
        Limits limits = set(path, text).config().limits();
        assertEquals(bytes, path.endsWith("buffer") ? limits.outboundBufferBytes() : limits.maxPacketSizeBytes());
    }

    @ParameterizedTest
    @CsvSource({"500ms, 500", "10s, 10000", "1m, 60000", "1h, 3600000"})
    void load_durations_haveUnits(String text, long millis) throws ConfigException {
        assertEquals(
                millis, set("limits.connect-timeout", text).config().limits().connectTimeoutMillis());
    }

    @ParameterizedTest
    @CsvSource({
        "limits.session-expiry-max, 4294967295s",
        "limits.session-expiry-max, 0",
        "limits.max-delay, 7d",
        "limits.max-keep-alive, 65535s",
        "sys-topics.interval, 0",
    })
    void load_boundsOfTimes_areAllowed(String path, String text) throws ConfigException {
        assertEquals(text, String.valueOf(set(path, text).settings().said(path).text()));
    }

    @ParameterizedTest
    @CsvSource({
        "limits.session-expiry-max, 4294967296s",
        "limits.session-expiry-max, 99999999999999999999d",
        "limits.session-expiry-max, 9223372036854775807d",
        "limits.session-expiry-max, 1500ms",
        "limits.max-keep-alive, 65536s",
        "limits.connect-timeout, 0",
        "limits.connect-timeout, -1s",
        "limits.connect-timeout, 1.5s",
        "limits.max-packet-size, 257MB",
        "limits.max-packet-size, 9999999999999999999GB",
        "limits.max-packet-size, 10TB",
        "limits.max-packet-size, 10 MB",
        "limits.max-packet-size, ''",
        "limits.max-inflight, 65536",
        "limits.max-inflight, 0x10",
        "limits.max-inflight, 1e3",
        "limits.max-inflight, -1",
        "limits.max-connections, 0",
        "limits.max-client-id-length, 22",
        "limits.retain-available, yes",
        "limits.retain-available, TRUE",
        "queue.overflow, drop_oldest",
        "server.response-information, a/+",
        "server.loops, -1",
        "listeners[0].port, 65536",
        "listeners[0].bind, example.org",
        "listeners[0].bind, 300.1.1.1",
        "listeners[0].bind, 127.1",
        "listeners[0].bind, 010.0.0.1",
        "listeners[0].bind, '1:2'",
        "listeners[0].name, '-x'",
        "queue.rules[0].filter, $share/g/a",
    })
    void load_valueOutsideItsRange_isFaultThatNamesWhatIsAllowed(String path, String text) {
        ConfigException thrown = assertThrows(ConfigException.class, () -> set(path, text));
        assertTrue(thrown.getMessage().contains("--set: " + path + ": '" + text + "' "), thrown.getMessage());
        assertTrue(thrown.getMessage().contains("; allowed: "), thrown.getMessage());
    }

    @Test
    void load_unknownEnvironmentVariable_onlyWarns() throws ConfigException {
        Loaded loaded = env("DUNLIN_LIMITS_MAX_QSO", "1", "DUNLIN_WIBBLE", "x", "PATH", "/bin", "DUNLINX", "y");
        assertEquals(Config.DEFAULTS, loaded.config());
        assertEquals(2, loaded.warnings().size());
        assertTrue(loaded.warnings().get(0).endsWith("did you mean DUNLIN_LIMITS_MAX_QOS?"));
    }

    @Test
    void load_variablesOfKubernetesServices_areIgnoredSilently() throws ConfigException {
        Loaded loaded = env(
                "DUNLIN_PORT", "tcp://10.0.0.1:1883",
                "DUNLIN_PORT_1883_TCP", "tcp://10.0.0.1:1883",
                "DUNLIN_PORT_1883_TCP_PORT", "1883",
                "DUNLIN_PORT_1883_TCP_ADDR", "10.0.0.1",
                "DUNLIN_PORT_1883_TCP_PROTO", "tcp",
                "DUNLIN_SERVICE_HOST", "10.0.0.1",
                "DUNLIN_SERVICE_PORT_MQTT", "1883",
                "DUNLIN_HEADLESS_SERVICE_HOST", "10.0.0.1");
        assertEquals(List.of(), loaded.warnings());
        assertEquals(Config.DEFAULTS, loaded.config());
    }

    /** Kubernetes would have put an address there; a bare number is somebody's who thinks that it is a key. */
    @Test
    void load_portVariableWithANumber_warnsThatItIsNoKey() throws ConfigException {
        Loaded loaded = env("DUNLIN_PORT", "1884", "DUNLIN_LISTENER_PORT", "1884");
        assertEquals(2, loaded.warnings().size(), loaded.warnings().toString());
        assertTrue(
                loaded.warnings().get(0).endsWith("did you mean DUNLIN_LISTENERS_0_PORT?"),
                loaded.warnings().get(0));
        assertTrue(
                loaded.warnings().get(1).contains("DUNLIN_PORT names no key"),
                loaded.warnings().get(1));
    }

    @Test
    void load_variableWithFile_readsTheValue() throws Exception {
        Path value = Files.writeString(folder.resolve("level"), "debug\n");
        assertEquals(
                Config.LogLevel.DEBUG,
                env("DUNLIN_LOG_LEVEL_FILE", value.toString()).config().log().level());
        ConfigException both = assertThrows(
                ConfigException.class,
                () -> env("DUNLIN_LOG_LEVEL_FILE", value.toString(), "DUNLIN_LOG_LEVEL", "info"));
        assertTrue(both.getMessage().contains("is set by DUNLIN_LOG_LEVEL too"), both.getMessage());
        ConfigException none = assertThrows(
                ConfigException.class,
                () -> env("DUNLIN_LOG_LEVEL_FILE", folder.resolve("none").toString()));
        assertTrue(none.getMessage().contains("cannot be read"), none.getMessage());
    }

    /** A variable that has lost its value on the way must not open the door. */
    @Test
    void load_emptyValueOfWhatProtects_isAFault_butInTheFile() throws Exception {
        for (String key : List.of(
                "auth.password-file",
                "auth.acl-file",
                "auth.ban-file",
                "auth.jwt.secret",
                "auth.jwt.public-key",
                "auth.jwt.jwks",
                "auth.jwt.issuer",
                "auth.jwt.audience",
                "auth.jwt.client-id-claim",
                "listeners[0].ca",
                "listeners[0].crl")) {
            String variable = "DUNLIN_" + key.replaceAll("[.\\[\\]-]+", "_").toUpperCase(Locale.ROOT);
            for (String nothing : List.of("", " ")) {
                ConfigException byVariable = assertThrows(ConfigException.class, () -> env(variable, nothing));
                assertTrue(byVariable.getMessage().contains(key + ": is empty"), byVariable.getMessage());
                assertTrue(byVariable.getMessage().contains(variable), byVariable.getMessage());
                ConfigException byFlag = assertThrows(
                        ConfigException.class,
                        () -> ConfigLoader.load(null, Map.of(), List.of(new Flag("--set", key, nothing))));
                assertTrue(byFlag.getMessage().contains(key + ": is empty"), byFlag.getMessage());
            }
        }
        Path file = Files.writeString(folder.resolve("nothing.yaml"), "auth:\n  password-file: ''\n");
        assertEquals(
                "", ConfigLoader.load(file, Map.of(), List.of()).config().auth().passwordFile());
    }

    @Test
    void load_portFlag_setsTheOnlyListener() throws ConfigException {
        Config config = ConfigLoader.load(
                        null,
                        Map.of(),
                        List.of(
                                new Flag("-p", "listeners[0].port", "0"),
                                new Flag("--bind", "listeners[0].bind", "::1")))
                .config();
        assertEquals(0, config.listeners().get(0).port());
        assertEquals("::1", config.listeners().get(0).bind());
    }

    @Test
    void load_portFlagWithConfiguredListeners_isFault() throws IOException {
        Path file = file("listeners:\n  - port: 1884\n");
        List<Flag> flag = List.of(new Flag("-p", "listeners[0].port", "1"));
        ConfigException thrown = assertThrows(ConfigException.class, () -> ConfigLoader.load(file, Map.of(), flag));
        assertTrue(thrown.getMessage().startsWith("-p: describes the only listener"), thrown.getMessage());
        assertTrue(thrown.getMessage().contains(":2)"), thrown.getMessage());
        assertThrows(
                ConfigException.class, () -> ConfigLoader.load(null, Map.of("DUNLIN_LISTENERS_0_NAME", "x"), flag));
        assertThrows(
                ConfigException.class,
                () -> ConfigLoader.load(
                        null, Map.of(), List.of(flag.get(0), new Flag("--set", "listeners[0].name", "x"))));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "::", "192.0.2.1", "::ffff:192.0.2.1"})
    void load_bindOffLoopbackWithoutAWord_isRefusedWithTheKeyToSet(String bind) {
        ConfigException thrown = assertThrows(ConfigException.class, () -> set("listeners[0].bind", bind));
        assertTrue(thrown.getMessage().contains("set auth.allow-anonymous: true"), thrown.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.3.2.1", "localhost", "::1", "::ffff:127.0.0.1"})
    void load_bindOnLoopback_letsAnonymousIn(String bind) throws ConfigException {
        Config config = set("listeners[0].bind", bind).config();
        assertTrue(config.allowsAnonymous(config.listeners().get(0)));
    }

    @Test
    void load_bindOffLoopback_withTheKeyOrTheListenersOwn_isFine() throws ConfigException {
        Loaded broker = env("DUNLIN_LISTENERS_0_BIND", "0.0.0.0", "DUNLIN_AUTH_ALLOW_ANONYMOUS", "true");
        assertTrue(broker.config().allowsAnonymous(broker.config().listeners().get(0)));
        Loaded own = env("DUNLIN_LISTENERS_0_BIND", "0.0.0.0", "DUNLIN_LISTENERS_0_ALLOW_ANONYMOUS", "true");
        assertEquals(AnonymousAccess.AUTO, own.config().auth().allowAnonymous());
        assertTrue(own.config().allowsAnonymous(own.config().listeners().get(0)));
    }

    @Test
    void load_nobodyMayConnect_warns() throws ConfigException {
        Loaded loaded = env("DUNLIN_AUTH_ALLOW_ANONYMOUS", "false");
        assertFalse(loaded.config().allowsAnonymous(loaded.config().listeners().get(0)));
        assertEquals(1, loaded.warnings().size());
    }

    @Test
    void load_listenersThatCollide_isFault() throws IOException {
        List<String> faults = faults("listeners:\n  - port: 1\n  - port: 1\n    bind: localhost\n");
        assertFault("F:3: listeners[1].name: is 'tcp' like that of listeners[0]", faults);
        assertFault("F:3: listeners[1].port: is 1 on the same address as listeners[0]", faults);
    }

    @Test
    void load_dataDirectoryWithMemory_warnsThatItIsNotUsed() throws ConfigException {
        assertTrue(ConfigLoader.load(
                        null,
                        Map.of(),
                        List.of(new Flag("--set", "storage.engine", "memory"), new Flag("--set", "storage.path", "x")))
                .warnings()
                .get(0)
                .contains("storage.engine is memory"));
    }

    @Test
    void load_dataDirectoryThatIsTheDefault_doesNotWarn() throws ConfigException {
        assertEquals(List.of(), set("storage.path", "data").warnings());
    }

    @Test
    void load_textThatTheLocaleCouldNotRead_isRefused() throws Exception {
        ConfigException flag = assertThrows(ConfigException.class, () -> set("storage.path", "k\uFFFD\uFFFDche"));
        assertTrue(flag.getMessage().startsWith("--set: storage.path: has a character that could not be read; "));
        ConfigException variable = assertThrows(ConfigException.class, () -> env("DUNLIN_STORAGE_PATH", "k\uFFFDche"));
        assertTrue(variable.getMessage().contains("LC_ALL"), variable.getMessage());
        Path latin1 = Files.write(folder.resolve("value"), new byte[] {'k', (byte) 0xFC});
        assertThrows(ConfigException.class, () -> env("DUNLIN_STORAGE_PATH_FILE", latin1.toString()));
    }

    @Test
    void load_emptySections_areNothing() throws Exception {
        assertEquals(
                Config.DEFAULTS,
                ConfigLoader.load(file("limits:\nlisteners:\nqueue:\n  rules:\nauth: ~\n"), Map.of(), List.of())
                        .config());
        assertFault("F:1: listeners: has no item", faults("listeners: []\n"));
        assertFault("F:2: limits.max-qos: has no value", faults("limits:\n  max-qos:\n"));
        assertFault("begin each item with '- '", faults("listeners:\n  port: 1\n"));
        assertFault("F:1: wibble: is no key", faults("wibble:\n"));
    }

    @Test
    void load_longAndStrangeText_isShownShortAndEscaped() {
        ConfigException thrown =
                assertThrows(ConfigException.class, () -> set("log.level", "a\n\u001b[31m" + "x".repeat(5000)));
        assertTrue(thrown.getMessage().contains("'a\\u000a\\u001b[31mxxx"), thrown.getMessage());
        assertTrue(thrown.getMessage().length() < 300);
        assertFalse(thrown.getMessage().contains("\n"));
    }

    @Test
    void defaults_areWithinTheirOwnRanges() throws Exception {
        for (Key<?> key : Keys.TABLE.keys()) {
            String text = key.defaultText();
            key.type().parse(text == null ? key.example() : text);
        }
        assertEquals(Duration.ofSeconds(10), Config.DEFAULTS.sysTopics().interval());
    }

    @ParameterizedTest
    @CsvSource({
        "'type: tcp, cert: c, key: k', 'cert: is for encrypted listeners, but the type of this one is tcp'",
        "'client-auth: required', 'client-auth: is for encrypted listeners'",
        "'type: ws, keystore: k', 'set type: wss, or remove it'",
        "'type: tls', 'cert: is missing: a listener of type tls has to show a certificate'",
        "'type: tls, cert: c', 'cert: has no private key'",
        "'type: wss, key: k', 'key: has no certificate'",
        "'type: tls, cert: c, key: k, keystore: s', 'keystore: stands beside cert or key'",
        "'type: tls, cert: c, key: k, ca: a, truststore: t', 'truststore: stands beside ca'",
        "'type: tls, cert: c, key: k, client-auth: optional', 'client-auth: asks for certificates, but nobody is named'",
        "'type: tls, cert: c, key: k, truststore-password: x', 'truststore-password: has no truststore'",
        "'type: tls, cert: c, key: k, path: /x', 'path: is for WebSocket, but the type of this listener is tls'",
        "'type: tcp, path: /x', 'set type: ws, or remove it'",
        "'type: tls, cert: c, key: k, protocols: SSLv3', 'does not have that form'",
        "'type: tls, cert: c, key: k, protocols: \"\"', 'is empty'",
        "'type: ws, path: mqtt', 'does not have that form'",
        "'type: ws, allowed-origins: example.org', 'does not have that form'",
    })
    void load_keysThatDoNotFitTheTypeOfTheListener_isFault(String keys, String expected) throws IOException {
        assertFault(expected, faults("listeners: \n  - " + keys.replace(", ", "\n    ") + "\n"));
    }

    @Test
    void load_typesWithoutNameAndPort_getTheUsualOnes() throws Exception {
        String tls = "cert: c\n    key: k\n";
        Loaded loaded = ConfigLoader.load(
                file("listeners:\n  - type: tcp\n  - type: tls\n    " + tls + "  - type: ws\n  - type: wss\n    "
                        + tls),
                Map.of(),
                List.of());
        assertEquals(
                List.of("tcp 1883", "tls 8883", "ws 8083", "wss 8084"),
                loaded.config().listeners().stream()
                        .map(listener -> listener.name() + " " + listener.port())
                        .toList());
        String shown = ConfigText.effective(loaded.settings());
        assertTrue(shown.contains("port: 8084  # default"), shown);
    }

    @Test
    void load_caThatNobodyNeeds_warns() throws Exception {
        Loaded loaded = ConfigLoader.load(
                file("listeners:\n  - type: tls\n    cert: c\n    key: k\n    ca: a\n"), Map.of(), List.of());
        assertTrue(loaded.warnings().get(0).startsWith("listeners[0].ca is not used: client-auth is none"));
    }
}
