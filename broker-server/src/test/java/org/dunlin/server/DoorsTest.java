package org.dunlin.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.dunlin.server.Doors.Exposure;
import org.dunlin.server.config.ConfigLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoorsTest {
    @TempDir
    Path folder;

    private List<Exposure> exposures(String yaml) throws Exception {
        Path file = folder.resolve("dunlin.yaml");
        Files.writeString(file, yaml);
        return new Doors(ConfigLoader.load(file, Map.of(), List.of()).config()).exposures();
    }

    @Test
    void loopback_isNotOpenToTheNetwork() throws Exception {
        assertEquals(List.of(), exposures("listeners:\n  - bind: 127.0.0.1\n  - bind: '::1'\n    name: six\n"));
    }

    @Test
    void listenerForEverybodyInTheClear_isWide() throws Exception {
        assertEquals(
                List.of(new Exposure(
                        "Listener tcp is open to the network: anonymous clients allowed; all topics, since there is no"
                                + " auth.acl-file; in the clear: passwords and messages can be read on the way, see type tls",
                        true)),
                exposures("auth:\n  allow-anonymous: true\nlisteners:\n  - bind: 0.0.0.0\n"));
    }

    @Test
    void usersOverTls_areNot_butAnonymousClientsBesideThemAre() throws Exception {
        String listener = "listeners:\n  - {bind: 0.0.0.0, type: tls, cert: c, key: k}\n";
        assertEquals(
                List.of(new Exposure(
                        "Listener tls is open to the network: users of users; topics by rules; encrypted", false)),
                exposures("auth: {password-file: users, acl-file: rules}\n" + listener));
        assertEquals(
                List.of(new Exposure(
                        "Listener tls is open to the network: users of users and anonymous clients; topics by rules;"
                                + " encrypted",
                        true)),
                exposures("auth: {password-file: users, acl-file: rules, allow-anonymous: true}\n" + listener));
    }

    @Test
    void plaintextOnAPortForEverything_isSaid() throws Exception {
        Exposure only = exposures("auth: {password-file: users}\nlisteners:\n"
                        + "  - {bind: 0.0.0.0, type: auto, accept: [tls, ws], cert: c, key: k}\n")
                .get(0);
        assertEquals(true, only.isWide());
    }
}
