package org.dunlin.server.ban;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BanFileTest {
    private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");

    @TempDir
    Path folder;

    private static List<Ban> parse(String text) throws ConfigException {
        return BanFile.parse("bans", text.getBytes(StandardCharsets.UTF_8)).bans();
    }

    private static @Nullable Ban address(List<Ban> bans, String address) throws Exception {
        return new Banned(bans).address(InetAddress.getByName(address), NOW);
    }

    @Test
    void lines_sayWhoUntilWhenAndWhy() throws Exception {
        List<Ban> bans = parse("""
                # of the night shift
                address 10.1.2.0/24 until 2026-11-22T10:00:00Z port scans

                user "ann \\"the\\" b" until 2026-11-22T11:00:00+01:00
                client-id meter-7 until further notice
                  client-id until
                """.replace("until further", "\"until\" further"));

        assertEquals(
                List.of(
                        new Ban(Ban.Kind.ADDRESS, "10.1.2.0/24", Instant.parse("2026-11-22T10:00:00Z"), "port scans"),
                        new Ban(Ban.Kind.USER, "ann \"the\" b", Instant.parse("2026-11-22T10:00:00Z"), ""),
                        new Ban(Ban.Kind.CLIENT_ID, "meter-7", null, "\"until\" further notice"),
                        new Ban(Ban.Kind.CLIENT_ID, "until", null, "")),
                bans);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "host 10.0.0.1",
                "address",
                "address ten",
                "address 10.0.0.1/8",
                "user",
                "client-id \"open",
                "user \"a\"b",
                "user ann until tomorrow",
                "user ann until",
                "user ann until 2026-11-22",
                "user \u0007"
            })
    void faultyLine_isToldWithItsNumber(String line) {
        ConfigException e = assertThrows(ConfigException.class, () -> parse("user ok\n\n" + line));
        assertEquals(1, e.faults().size());
        assertTrue(e.faults().get(0).toString().contains("bans:3"), e.faults().toString());
    }

    @Test
    void fileOfUsers_isNoBanFile_andItsHashesAreNotTold() {
        ConfigException e = assertThrows(ConfigException.class, () -> parse("ann:$7$101$AAAA$BBBB"));
        assertTrue(
                e.faults().toString().contains("'ann...' is nothing"),
                e.faults().toString());
        assertFalse(e.faults().toString().contains("AAAA"));
    }

    @Test
    void faults_areBounded() {
        ConfigException e = assertThrows(ConfigException.class, () -> parse("x\n".repeat(100_000)));
        assertEquals(100, e.faults().size());
        assertThrows(ConfigException.class, () -> BanFile.read(folder.resolve("missing")));
    }

    @Test
    void ban_isInForceUntilItsEnd_andTheLastingOneCounts() throws Exception {
        List<Ban> bans = parse("""
                address 10.0.0.0/8 until 2026-11-21T11:00:00Z over
                address 10.1.0.0/16 until 2026-11-21T13:00:00Z still
                address 2001:db8::/32 for ever
                user ann
                user ann until 2026-11-21T11:00:00Z
                """);
        assertNull(address(bans, "10.2.0.1"));
        assertNotNull(address(bans, "10.1.0.1"));
        assertNotNull(address(bans, "2001:db8:1::1"));
        assertNull(address(bans, "2001:db9::1"));
        assertNotNull(new Banned(bans).user("ann", NOW));
        assertNull(new Banned(bans).user("Ann", NOW));
        assertNull(new Banned(bans).clientId("ann", NOW));
        assertEquals(3, new Banned(bans).inForce(NOW).size());
    }

    @Test
    void everyBan_isReadAsItWasWritten() throws Exception {
        long seed = Long.getLong("dunlin.seed", System.nanoTime());
        Random random = new Random(seed);
        String alphabet = "ab \"\\#/:'\u00e9\u2028until";
        for (int i = 0; i < 5000; i++) {
            StringBuilder name = new StringBuilder();
            for (int n = 1 + random.nextInt(6); n > 0; n--) {
                name.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            Ban ban = new Ban(
                    random.nextBoolean() ? Ban.Kind.USER : Ban.Kind.CLIENT_ID,
                    name.toString(),
                    random.nextBoolean() ? null : NOW,
                    random.nextBoolean() ? "" : "a reason");
            assertEquals(List.of(ban), parse(BanFile.line(ban)), "seed " + seed);
        }
    }

    @Test
    void editor_replacesAddsAndRemoves_andKeepsTheRest() throws Exception {
        Path file = folder.resolve("bans");
        BanFileEditor editor = new BanFileEditor(file);
        editor.add(BanFileEditor.ban("user", "ann", null, "first"));
        Files.writeString(
                file,
                Files.readString(file) + "# kept\nclient-id old until 2020-01-01T00:00:00Z\n\taddress 10.0.0.1  why\n");

        editor.add(BanFileEditor.ban("user", "ann", BanFileEditor.time("2999-01-01T00:00:00Z"), "again"));
        assertEquals(
                "# kept\n\taddress 10.0.0.1  why\nuser ann until 2999-01-01T00:00:00Z again\n", Files.readString(file));

        assertTrue(editor.remove(BanFileEditor.ban("address", "10.0.0.1", null, "")));
        assertFalse(editor.remove(BanFileEditor.ban("address", "10.0.0.1", null, "")));
        assertFalse(editor.remove(BanFileEditor.ban("client-id", "ann", null, "")));
        assertEquals("# kept\nuser ann until 2999-01-01T00:00:00Z again\n", Files.readString(file));
    }

    @Test
    void editor_leavesAFaultyFileAlone() throws Exception {
        Path file = Files.writeString(folder.resolve("bans"), "nonsense\n");
        BanFileEditor editor = new BanFileEditor(file);
        Ban ban = BanFileEditor.ban("user", "ann", null, "");
        assertThrows(ConfigException.class, () -> editor.add(ban));
        assertEquals("nonsense\n", Files.readString(file));
        assertEquals(1, folder.toFile().list().length);
        assertThrows(ConfigException.class, () -> BanFileEditor.ban("user", "a\nb", null, ""));
        assertThrows(ConfigException.class, () -> BanFileEditor.ban("user", "a", null, "b\nuser c"));
        assertThrows(ConfigException.class, () -> BanFileEditor.ban("user", "a", null, "until tomorrow"));
    }
}
