package org.dunlin.server.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HostileYamlTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private List<String> faults(byte[] content) throws Exception {
        Path file = Files.write(folder.resolve("x.yaml"), content);
        return assertTimeoutPreemptively(
                SOON,
                () ->
                        assertThrows(ConfigException.class, () -> ConfigLoader.load(file, Map.of(), List.of()))
                                .faults()
                                .stream()
                                .map(fault -> fault.toString().replace(file.toString(), "F"))
                                .toList());
    }

    private String fault(String content) throws Exception {
        List<String> faults = faults(content.getBytes(StandardCharsets.UTF_8));
        assertEquals(1, faults.size(), faults::toString);
        return faults.get(0);
    }

    @Test
    void read_fileOfTenMegabytes_isRefusedClearly() throws Exception {
        assertTrue(fault("# " + "x".repeat(10 * 1024 * 1024)).startsWith("F: is larger than 1MB;"));
    }

    @ParameterizedTest
    @CsvSource({
        "'[',500000",
        "'{',500000",
        "'{a: ',200000",
        "'- ',500000",
        "'? ',300000",
        "'[[]',200000",
        "'\"',1000000"
    })
    void read_endlessOpenings_areRefusedQuickly(String opening, int times) throws Exception {
        List<String> faults = faults(
                ("limits: " + (opening.startsWith("-") || opening.startsWith("?") ? "\n " : "") + opening.repeat(times))
                        .getBytes(StandardCharsets.UTF_8));
        assertTrue(faults.size() <= 101, () -> String.valueOf(faults.size()));
    }

    @Test
    void read_deepIndentation_isRefusedWithItsLine() throws Exception {
        StringBuilder yaml = new StringBuilder();
        for (int depth = 0; depth < 500; depth++) {
            yaml.append(" ".repeat(depth)).append("a:\n");
        }
        assertTrue(fault(yaml.toString()).startsWith("F:9: a.a.a"));
    }

    @Test
    void read_billionLaughs_isRefusedAtTheFirstAnchor() throws Exception {
        StringBuilder yaml = new StringBuilder("a: &a [x, x, x, x, x, x, x, x, x]\n");
        for (char c = 'b'; c < 'k'; c++) {
            yaml.append(c)
                    .append(": &")
                    .append(c)
                    .append(" [*")
                    .append((char) (c - 1))
                    .append(", *");
            yaml.append((char) (c - 1)).append("]\n");
        }
        assertTrue(fault(yaml.toString()).startsWith("F:1: a: has an anchor"));
        assertTrue(fault("limits: *x\n").startsWith("F:1: limits: uses an alias"));
        assertTrue(fault("&r limits:\n  max-qos: 1\n").contains("has an anchor"));
    }

    @Test
    void read_tags_areRefused() throws Exception {
        assertTrue(fault("limits: !!javax.script.ScriptEngineManager [x]\n").startsWith("F:1: limits: has a tag"));
        assertTrue(fault("limits:\n  max-qos: !!int 1\n").startsWith("F:2: limits.max-qos: has a tag"));
    }

    @Test
    void read_duplicateKeys_nameBothLines() throws Exception {
        assertEquals(
                "F:4: limits.max-qos: is already set in line 2; keep one of the two",
                fault("limits:\n  max-qos: 1\n  max-inflight: 9\n  max-qos: 2\n"));
        assertEquals(
                "F:3: limits: is already set in line 1; keep one of the two",
                fault("limits:\n  max-qos: 1\nlimits:\n  max-inflight: 9\n"));
    }

    @Test
    void read_tooManyValues_isRefused() throws Exception {
        assertTrue(fault("limits: [" + "1,".repeat(100_000) + "1]").contains("has more than 20000 values"));
    }

    @Test
    void read_listWhereNoneBelongs_isOneFault() throws Exception {
        assertTrue(fault("limits: [" + "1,".repeat(1000) + "1]").startsWith("F:1: limits: is a section, not a list"));
        assertTrue(fault("log:\n  level: [a, b]\n").startsWith("F:2: log.level: takes one value, not a list"));
        assertTrue(fault("wibble: [a, b]\n").startsWith("F:1: wibble: is no key"));
    }

    @Test
    void read_manyUnknownKeys_areBounded() throws Exception {
        StringBuilder yaml = new StringBuilder();
        for (int i = 0; i < 15_000; i++) {
            yaml.append("key-").append(i).append(": 1\n");
        }
        assertEquals(
                200, faults(yaml.toString().getBytes(StandardCharsets.UTF_8)).size());
    }

    @Test
    void read_manyFaults_areBounded() throws Exception {
        List<String> faults = faults(("a:\n".repeat(50_000)).getBytes(StandardCharsets.UTF_8));
        assertTrue(faults.size() <= 250, () -> String.valueOf(faults.size()));
    }

    @ParameterizedTest
    @CsvSource({
        "'limits: [1', F:1",
        "'limits:|  max-qos: 1| bad: 2|', F:3",
        "'limits: \"x', F:1",
        "'\tlimits: 1', F:1",
        "'limits: @x', F:1",
        "'a: b: c', F:1",
        "'%FOO|---|a: 1|', F:",
        "'just words', F:1",
        "'- a|- b', F:1",
        "'limits:|  max-qos: 1|---|a: 1|', F:3",
        "'[a, b]: 1', F:1",
        "'? {a: 1}|: 2|', F:1",
    })
    void read_brokenSyntax_hasFileAndLine(String yaml, String where) throws Exception {
        String fault = fault(yaml.replace('|', '\n'));
        assertTrue(fault.startsWith(where), fault);
        assertTrue(fault.contains("; "), fault);
    }

    @Test
    void read_controlCharacterAndBadUtf8_areRefused() throws Exception {
        assertTrue(fault("limits:\n  max-qos: \u0001\n").startsWith("F:2: has a character"));
        assertEquals(List.of("F: is not UTF-8 text; save it as UTF-8"), faults(new byte[] {'a', (byte) 0xC3, '\n'}));
    }

    @Test
    void read_tab_saysToIndentWithSpaces() throws Exception {
        assertEquals("F:2: has a tab where YAML allows none; indent with spaces", fault("limits:\n\tmax-qos: 1\n"));
    }

    @Test
    void read_keyWithoutName_isFault_notTheSectionAbove() throws Exception {
        assertTrue(fault("\"\":\n  limits:\n    max-qos: 1\n").startsWith("F:1: has a key without a name;"));
        assertTrue(fault("limits:\n  '': 1\n").startsWith("F:2: limits: has a key without a name;"));
    }

    @Test
    void read_itemThatIsNoMapping_saysHowToWriteOne() throws Exception {
        for (String item : List.of("[tcp]", "\n  -\n", "[[a]]")) {
            String fault = fault("listeners: " + item);
            assertTrue(fault.contains("listeners[0]"), fault);
            assertTrue(fault.endsWith("write '- KEY: VALUE', like '- name: VALUE'"), fault);
        }
    }

    @Test
    void read_fileWithLongName_isNamedWhole() throws Exception {
        Path deep = Files.createDirectories(folder.resolve("a".repeat(100)).resolve("b".repeat(100)));
        Path file = Files.writeString(deep.resolve("x.yaml"), "limits:\n  max-qos: 3\n");
        ConfigException thrown =
                assertThrows(ConfigException.class, () -> ConfigLoader.load(file, Map.of(), List.of()));
        assertEquals(file + ":2", thrown.faults().get(0).where());
    }

    @Test
    void read_nullsAndEmptiness_areTheDefaults() throws Exception {
        for (String yaml : List.of("", "\n", "# only words\n", "---\n", "\uFEFFlimits:\n", "limits: {}\n")) {
            Path file = Files.writeString(folder.resolve("e.yaml"), yaml);
            assertEquals(
                    Config.DEFAULTS,
                    ConfigLoader.load(file, Map.of(), List.of()).config(),
                    yaml);
        }
    }

    @Test
    void read_directoryOrNothing_isFault() {
        Path none = folder.resolve("none.yaml");
        for (Path path : List.of(folder, none, Path.of(""))) {
            ConfigException thrown =
                    assertThrows(ConfigException.class, () -> ConfigLoader.load(path, Map.of(), List.of()));
            assertEquals(1, thrown.faults().size());
            assertFalse(thrown.faults().get(0).where().isEmpty());
        }
    }

    @Test
    void read_damagedReference_neverThrowsAnythingButFaults() throws Exception {
        long seed = Long.getLong("dunlin.seed", System.nanoTime());
        System.out.println("HostileYamlTest seed: -Ddunlin.seed=" + seed);
        Random random = new Random(seed);
        byte[] good = ConfigText.effective(Settings.defaults(Keys.TABLE)).getBytes(StandardCharsets.UTF_8);
        byte[] spice = "\n\t :-[]{}#&*!|>'\"%@`,?~0aZ\u0000\u00ff".getBytes(StandardCharsets.ISO_8859_1);
        Path file = folder.resolve("r.yaml");
        for (int round = 0; round < 1000; round++) {
            byte[] bad = good.clone();
            for (int i = random.nextInt(1, 6); i > 0; i--) {
                bad[random.nextInt(bad.length)] = spice[random.nextInt(spice.length)];
            }
            Files.write(file, bad);
            try {
                ConfigLoader.load(file, Map.of(), List.of());
            } catch (ConfigException faults) {
                faults.faults().forEach(fault -> {
                    assertTrue(fault.toString().chars().noneMatch(Character::isISOControl), fault::toString);
                    assertTrue(fault.toString().length() < 800, fault::toString);
                });
            }
        }
    }
}
