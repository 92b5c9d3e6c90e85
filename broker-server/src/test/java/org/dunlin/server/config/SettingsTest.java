package org.dunlin.server.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsTest {
    @TempDir
    Path folder;

    private Settings settings(String yaml) throws Exception {
        Path file = Files.writeString(folder.resolve("dunlin.yaml"), yaml);
        return ConfigLoader.load(file, Map.of(), List.of()).settings();
    }

    private static Set<String> live(Settings before, Settings next) {
        return before.changes(next).stream()
                .filter(Settings.Change::live)
                .map(Settings.Change::path)
                .collect(Collectors.toSet());
    }

    private static final String TWO = """
            listeners:
              - {name: one, port: 1, allow-anonymous: %s}
              - {name: two, port: 2, allow-anonymous: %s, max-connections: 7}
            """;

    @Test
    void itemOfTheSameName_takesWhatIsLive_andKeepsTheRest() throws Exception {
        Settings before = settings(TWO.formatted("auto", "auto"));
        Settings next = settings(TWO.formatted("false", "true").replace("port: 2", "port: 3"));

        assertEquals(Set.of("listeners[0].allow-anonymous", "listeners[1].allow-anonymous"), live(before, next));
        List<Config.Listener> merged = before.reloaded(next).config().listeners();
        assertEquals(Config.AnonymousAccess.FALSE, merged.get(0).allowAnonymous());
        assertEquals(Config.AnonymousAccess.TRUE, merged.get(1).allowAnonymous());
        assertEquals(2, merged.get(1).port());
    }

    @Test
    void anotherItemInThatPlace_changesNothing() throws Exception {
        Settings before = settings(TWO.formatted("false", "auto"));
        for (String yaml : List.of(
                "listeners: [{name: open, port: 9, allow-anonymous: true}, {name: one, port: 1, allow-anonymous: false}]",
                "listeners: [{name: new, port: 1, allow-anonymous: true}]",
                TWO.formatted("false", "auto").replace("one", "uno")
                        + "  - {name: three, port: 3, max-connections: 1}")) {
            Settings next = settings(yaml);
            assertEquals(Set.of(), live(before, next));
            assertEquals(before.config(), before.reloaded(next).config());
        }
    }

    @Test
    void listThatIsLiveAsAWhole_growsAndShrinks() throws Exception {
        String rule = "queue: {rules: [{filter: a, overflow: reject}%s]}";
        Settings one = settings(rule.formatted(""));
        Settings two = settings(rule.formatted(", {filter: b, overflow: reject}"));
        Settings none = settings("");
        assertEquals(two.config(), one.reloaded(two).config());
        assertEquals(one.config(), two.reloaded(one).config());
        assertEquals(none.config(), two.reloaded(none).config());
    }

    @Test
    void whatKeepsSomebodyOut_staysUnlessItIsSaidToBeNothing() throws Exception {
        Settings before = settings("auth: {password-file: u, acl-file: a, ban-file: b, jwt: {issuer: i}}");
        assertEquals(Set.of(), live(before, settings("")));
        assertEquals(before.config(), before.reloaded(settings("")).config());
        Settings said = settings("auth: {password-file: \"\", acl-file: \"\", ban-file: other, jwt: {issuer: \"\"}}");
        assertEquals(4, live(before, said).size());
        assertEquals(said.config(), before.reloaded(said).config());
    }

    @Test
    void keyOfTokens_isReplacedByAnother() throws Exception {
        Settings secret = settings("auth: {jwt: {secret: 12345678901234567890123456789012}}");
        Settings file = settings("auth: {jwt: {public-key: k}}");
        assertEquals(file.config(), secret.reloaded(file).config());
        assertEquals(
                secret.config(),
                file.reloaded(settings("limits: {max-qos: 2}")).reloaded(secret).config());
        assertTrue(file.reloaded(settings("")).config().auth().jwt().isOn());
    }

    @Test
    void whatDoesNotFitWhatNeedsARestart_isAFaultOfBothTogether() throws Exception {
        Settings before = settings("");
        Settings next = settings("""
                listeners: [{type: tls, name: tcp, cert: c, key: k, ca: a, client-auth: required}]
                auth: {certificate: {user: cn}}
                """);
        assertEquals(List.of(), next.faults());
        List<Fault> faults = before.reloaded(next).faults();
        assertEquals(1, faults.size());
        assertEquals("auth.certificate.user", faults.get(0).key());
        assertFalse(faults.get(0).where().isEmpty());
    }
}
