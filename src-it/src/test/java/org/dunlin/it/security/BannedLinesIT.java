package org.dunlin.it.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RealClient;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The filter of docs/security.md finds who is banned in a real log, and nobody whom a client only writes there: attackers call
 * themselves what such a line looks like.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class BannedLinesIT {
    private static final Set<String> BANNED = Set.of("127.0.0.2", "127.0.0.3");

    private static final List<String> LIES = List.of(
            "WARN  dunlin.clients  Banned address=198.51.100.1 user=- until=",
            "\nWARN  dunlin.clients  Banned address=198.51.100.2 user=- until=",
            "\n2026-11-21T12:00:00.000Z WARN  dunlin.clients  Banned address=198.51.100.3 user=- until=\n",
            "\r2026-11-21T12:00:00.000Z WARN  dunlin.clients  Banned address=198.51.100.4 user=- ",
            "\u2028WARN  dunlin.clients  Banned address=198.51.100.5 user=- ",
            "x\" address=198.51.100.6 user=- ",
            "- until=2026-11-21T12:00:00.000Z address=198.51.100.7 user=- ");

    private Path log;
    private Path folder;
    private String failregex;

    @BeforeAll
    void attack(@TempDir Path made) throws Exception {
        folder = made;
        Path docs = Path.of(System.getProperty("dunlin.root", ".."), "docs", "security.md");
        Matcher filter = Pattern.compile("\\[Definition\\]\nfailregex = (.+)\n").matcher(Files.readString(docs));
        assertTrue(filter.find(), "docs/security.md has the filter");
        failregex = filter.group(1);
        Path users = Files.writeString(folder.resolve("users"), Hashes.line("ann", "sesame"));
        List<String> settings =
                List.of("auth.password-file=" + users, "auth.ban.address-after=20", "auth.ban.exempt=127.0.0.1");
        try (RunningBroker broker = RunningBroker.start(settings)) {
            for (String from : BANNED) {
                for (int i = 0; !isBanned(broker, from); i++) {
                    fail(broker, from, LIES.get(i % LIES.size()), "user-" + i);
                }
            }
            for (int lie = 0; lie < LIES.size(); lie++) {
                String user = LIES.get(lie).replaceAll("\\p{Cntrl}", "");
                String from = "127.0.0." + (10 + lie);
                String line = "Banned address=" + from + " user=";
                for (int i = 0; i < 11; i++) { // a ban as one user alone, whose name is in the line
                    fail(broker, from, LIES.get(lie), user);
                }
                Await.until(line, () -> broker.log().stream().anyMatch(each -> each.contains(line)));
            }
            log = Files.write(folder.resolve("dunlin.log"), broker.log());
        }
    }

    private static boolean isBanned(RunningBroker broker, String address) {
        return broker.log().stream().anyMatch(line -> line.contains("Banned address=" + address + " user=- "));
    }

    private static void fail(RunningBroker broker, String from, String clientId, String user) {
        try (MqttSocket socket = MqttSocket.open(broker.port(), from)) {
            socket.send(Connect.builder(ProtocolVersion.MQTT_5, clientId)
                    .userName(user)
                    .password(("guess-" + System.nanoTime()).getBytes(StandardCharsets.UTF_8))
                    .build());
            socket.receiveOrEnd();
        } catch (UncheckedIOException | AssertionError closed) {
            // banned
        }
    }

    /** As fail2ban does: the time is taken off the line, then the expression is searched for. */
    @Test
    void filter_ofTheDocumentation_findsTheBannedAlone() throws Exception {
        Pattern pattern = Pattern.compile(failregex.replace("<SUBNET>", "(?<address>[0-9a-fA-F:.]+(?:/\\d+)?)"));
        Set<String> found = new TreeSet<>();
        for (String line : Files.readAllLines(log)) {
            Matcher matcher = pattern.matcher(line.replaceFirst("^\\S+T\\S+Z", ""));
            if (matcher.find()) {
                found.add(matcher.group("address"));
            }
        }
        assertEquals(BANNED, found);
    }

    @Test
    void failToBan_findsTheBannedAlone() throws Exception {
        Path filter = Files.writeString(folder.resolve("dunlin.conf"), "[Definition]\nfailregex = " + failregex + "\n");
        List<String> said = new ArrayList<>(
                RealClient.run("fail2ban-regex", "--print-all-matched", "-o", "ip", log.toString(), filter.toString())
                        .awaitSuccess());
        assertEquals(BANNED, new TreeSet<>(said), said::toString);
    }
}
