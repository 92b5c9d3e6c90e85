package org.dunlin.server.cli.remote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.dunlin.server.cli.CommandLineInterface;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What commands ask a broker, and what they say of its answer. */
class RemoteCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final InputStream in = System.in;

    @TempDir
    Path folder;

    private AdminStub broker;
    private Path token;

    @BeforeEach
    void start() throws Exception {
        broker = new AdminStub();
        token = Files.writeString(folder.resolve("token"), "t0ken\n");
    }

    @AfterEach
    void stop() throws Exception {
        broker.close();
        System.setIn(in);
        assertFalse((out + err.toString()).contains("sesame"), out + err.toString());
    }

    private int run(String... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        return new CommandLineInterface(config -> 0, List::of, Map.of(), List.of())
                .printTo(new PrintWriter(out, true), new PrintWriter(err, true))
                .run(arguments);
    }

    private int ask(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--url", broker.url(), "--token-file", token.toString()));
        return run(all.toArray(String[]::new));
    }

    private void given(String input) {
        System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
    }

    private void assertOneLine(String... parts) {
        assertEquals(1, err.toString().lines().count(), err.toString());
        assertEquals("", out.toString());
        for (String part : parts) {
            assertTrue(err.toString().contains(part), err.toString());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '>',
            value = {
                "clients kick a/b                        > POST /api/v1/clients/a%2Fb/disconnect t0ken",
                "clients list --search x --limit 7       > GET /api/v1/clients?search=x&limit=7 t0ken",
                "clients                                 > GET /api/v1/clients t0ken",
                "clients --search x                      > GET /api/v1/clients?search=x t0ken",
                "token                                   > GET /api/v1/tokens t0ken",
                "sessions end s1                         > DELETE /api/v1/sessions/s1 t0ken",
                "sessions end --away-seconds 9 --queued 3 --dry-run"
                        + " > POST /api/v1/sessions/end t0ken {\"awaySeconds\":9,\"queuedMessages\":3,\"dryRun\":true}",
                "subscriptions --client c                > GET /api/v1/sessions/c/subscriptions t0ken",
                "sessions list --connected false --sort age > GET /api/v1/sessions?connected=false&sort=age t0ken",
                "subscriptions --filter f                > GET /api/v1/subscriptions?filter=f t0ken",
                "retained list a/#                       > GET /api/v1/retained?filter=a%2F%23 t0ken",
                "retained delete a/#" + " > POST /api/v1/retained/delete t0ken {\"filter\":\"a/#\",\"dryRun\":false}",
                "publish a 21.5 -q 1 -r --expiry 60"
                        + " > POST /api/v1/publish t0ken"
                        + " {\"topic\":\"a\",\"text\":\"21.5\",\"qos\":1,\"retain\":true,\"expirySeconds\":60}",
                "drops --clients --limit 5               > GET /api/v1/drops/clients?limit=5 t0ken",
                "drops --last                            > GET /api/v1/drops/last t0ken",
                "log-level                               > GET /api/v1/log/level t0ken",
                "log-level debug                         > PUT /api/v1/log/level t0ken {\"level\":\"debug\"}",
                "reload                                  > POST /api/v1/config/reload t0ken",
                "reload --dry-run                        > POST /api/v1/config/check t0ken",
                "explain message --topic a --retain      > GET /api/v1/explain/message?topic=a&retain=true t0ken",
                "token add ci                            > POST /api/v1/tokens t0ken {\"name\":\"ci\",\"scope\":\"read\"}",
                "token add ci --scope write --days 2"
                        + " > POST /api/v1/tokens t0ken"
                        + " {\"name\":\"ci\",\"scope\":\"write\",\"expiresInSeconds\":172800}",
                "token remove ci                         > DELETE /api/v1/tokens/ci t0ken",
                "listeners                               > GET /api/v1/listeners t0ken",
                "rates                                   > GET /api/v1/rates t0ken",
                "log --after 7 --limit 3                 > GET /api/v1/log?after=7&limit=3 t0ken",
                "topics a/b                              > GET /api/v1/topics?parent=a%2Fb t0ken",
                "settings                                > GET /api/v1/config t0ken",
                "refusals --kind banned                  > GET /api/v1/refusals?kind=banned t0ken",
                "user remove ann                         > DELETE /api/v1/users/ann t0ken",
                "ban add user ann --for 1h --reason why"
                        + " > POST /api/v1/bans t0ken"
                        + " {\"kind\":\"user\",\"subject\":\"ann\",\"reason\":\"why\",\"expiresInSeconds\":3600}",
                "ban add client-id c                     > POST /api/v1/bans t0ken {\"kind\":\"client-id\",\"subject\":\"c\"}",
                "ban remove address 10.1.2.0/24          > DELETE /api/v1/bans/address/10.1.2.0%2F24 t0ken",
                "acl explain -u ann -a publish -t a -q 1"
                        + " > GET /api/v1/acl/explain?user=ann&action=publish&topic=a&qos=1&clientId=client t0ken",
            })
    void command_asksThat(String command, String request) {
        ask(command.strip().split(" +"));
        assertEquals(1, broker.asked().size(), err::toString);
        assertEquals(sorted(request), sorted(broker.asked().get(0)));
    }

    /** The order of parameters and fields says nothing. */
    private static List<String> sorted(String request) {
        return List.of(request.split("[?&,{} ]")).stream().sorted().toList();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '>',
            value = {
                "400 > 2 > the parameter limit is 0",
                "401 > 2 > does not know this token; name the file of another with --token-file",
                "403 > 2 > the parameter limit is 0, and name its file with --token-file",
                "404 > 2 > the parameter limit is 0; 'dunlin clients list' shows what there is",
                "409 > 2 > the parameter limit is 0",
                "429 > 1 > the parameter limit is 0",
                "500 > 1 > the parameter limit is 0",
            })
    void refusal_isOneLineThatSaysWhatToDo(int status, int exitCode, String said) {
        broker.then(status, "{\"status\":1,\"error\":\"the parameter limit is 0\"}");
        assertEquals(exitCode, ask("clients", "show", "c"));
        assertOneLine("dunlin: ", said);
    }

    @Test
    void brokerThatStarts_isToldAsSuch() {
        broker.then(503, "{\"status\":503,\"error\":\"the broker is starting: reading sessions\"}");
        assertEquals(1, ask("status"));
        assertOneLine(
                "does not serve yet: the broker is starting: reading sessions; 'dunlin health' ends with 0 when it does");
    }

    @Test
    void health_isOneWord_andTheExitCode() {
        broker.then(200, "{\"ok\":true,\"status\":\"serving\"}").then(503, "{\"ok\":false,\"status\":\"starting: x\"}");
        assertEquals(0, run("health", "--url", broker.url()));
        assertEquals("serving\n", out.toString());
        assertEquals(1, run("health", "--url", broker.url(), "--json"));
        assertEquals("{\n  \"ok\" : false,\n  \"status\" : \"starting: x\"\n}\n", out.toString());
        assertEquals(List.of("GET /ready -", "GET /ready -"), broker.asked());
    }

    @Test
    void noBroker_orSomethingElse_isOneLineThatSaysWhatToDo() throws Exception {
        int free;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            free = socket.getLocalPort();
        }
        String nobody = "http://127.0.0.1:" + free;
        assertEquals(1, run("status", "--url", nobody, "--token-file", token.toString()));
        assertOneLine("no broker answers at " + nobody + "; start it, or name its admin port with --url");
        assertEquals(1, run("health", "--url", nobody));
        assertOneLine("no broker answers at " + nobody);

        broker.then(200, "<html>");
        assertEquals(1, ask("status"));
        assertOneLine("is no admin port of Dunlin; name it with --url");
        assertEquals(1, run("status", "--url", broker.url().replace("http:", "https:"), "--token-file", token + ""));
        assertOneLine("there is no TLS with", "; without admin.tls its URL begins with http://");
        assertEquals(2, run("status", "--url", "127.0.0.1:18083", "--token-file", token.toString()));
        assertOneLine("is no URL like http://127.0.0.1:18083");
        assertEquals(2, run("status", "--url", broker.url(), "--token-file", folder.resolve("no") + ""));
        assertOneLine("there is no token at " + folder.resolve("no"), "--token-file");
        for (Path ca : List.of(token, Files.writeString(folder.resolve("empty"), ""))) {
            assertEquals(
                    2,
                    run("status", "--url", "https://127.0.0.1:" + free, "--ca", ca + "", "--token-file", token + ""));
            assertOneLine("the certificates in " + ca + " cannot be read", "name a PEM file with --ca");
        }
    }

    @Test
    void tokenThatIsNone_andCertificatesWithoutTls_areToldBeforeABrokerIsAsked() throws Exception {
        Path several = Files.writeString(folder.resolve("several"), "open\nsesame\n");
        assertEquals(2, run("status", "--url", broker.url(), "--token-file", several.toString()));
        assertOneLine("there is no token in " + several
                + ": it would be one line of letters and digits; name the right file");
        Path empty = Files.writeString(folder.resolve("none"), "\n");
        assertEquals(2, run("status", "--url", broker.url(), "--token-file", empty.toString()));
        assertOneLine("there is no token in " + empty);
        assertEquals(2, ask("status", "--ca", token.toString()));
        assertOneLine("--ca is for a URL that begins with https://, and " + broker.url() + " does not");
        assertEquals(List.of(), broker.asked());
    }

    @Test
    void numberThatIsNone_isToldInWords() {
        assertEquals(2, ask("clients", "list", "--limit", "many"));
        assertOneLine("'--limit'", "'many' is no number");
        assertEquals(List.of(), broker.asked());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '>',
            quoteCharacter = '"',
            value = {
                "sessions end s1 --dry-run           > --dry-run does not go with ID; leave out one of them",
                "sessions end s1 --search x          > --search does not go with ID; leave out one of them",
                "subscriptions --client c --filter f > --filter does not go with --client; leave out one of them",
                "drops --limit 3                     > --limit goes with --clients or --last only",
                "token add ci --scope all            > 'all' is none of read, write",
                "sessions list --sort size           > 'size' is none of queue, age",
                "trace                               > dunlin: Missing required argument",
            })
    void argumentsThatDoNotFit_areToldBeforeABrokerIsAsked(String command, String said) {
        assertEquals(2, ask(command.strip().split(" +")));
        assertOneLine(said);
        assertEquals(List.of(), broker.asked());
    }

    @Test
    void noTokenAndNoBroker_isToldAsNoBroker() throws Exception {
        int free;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            free = socket.getLocalPort();
        }
        String nowhere = "storage.path=" + folder.resolve("nowhere");
        assertEquals(1, run("status", "--set", nowhere, "--set", "admin.port=" + free));
        assertOneLine("no broker answers at http://127.0.0.1:" + free);
        assertEquals(2, run("status", "--set", nowhere, "--url", broker.url()));
        assertOneLine("there is no token at " + folder.resolve("nowhere/admin.token"));
    }

    @Test
    void everyCommandThatShowsSomething_hasJson() throws Exception {
        for (String command : new String[] {"version", "config show", "settings", "store verify", "store repair"}) {
            assertEquals(0, run((command + " --help").split(" ")));
            assertTrue(out.toString().contains("--json"), out.toString());
        }
        assertEquals(0, run("version", "--json"));
        assertTrue(out.toString().startsWith("{\n  \"dunlin\" : \""), out.toString());
        assertEquals(0, run("config", "show", "--json", "--set", "limits.max-qos=1"));
        assertTrue(
                out.toString().replaceAll("\\s", "").contains("\"key\":\"limits.max-qos\",\"value\":\"1\""), out + "");
        Path config = Files.writeString(folder.resolve("c.yaml"), "limits:\n  max-qos: 7\n");
        assertEquals(2, run("config", "check", "--json", config.toString()));
        assertTrue(out.toString().startsWith("{\n  \"faults\" : [ \"" + config + ":2:"), out.toString());
        assertEquals("", err.toString());
        Files.writeString(config, "limits:\n  max-qos: 1\n");
        assertEquals(0, run("config", "check", "--json", config.toString()));
        assertTrue(out.toString().startsWith("{\n  \"faults\" : [ ],"), out.toString());
    }

    // ---- users, rights and bans

    @Test
    void user_isAddedToABroker_byAPasswordThatNobodySees() {
        broker.then(200, "{\"done\":\"added ann\"}");
        given("open sesame\n");
        assertEquals(0, ask("user", "add", "ann", "--stdin", "--scram"), err::toString);
        assertEquals("added ann\n", out.toString());
        assertEquals(
                List.of("POST /api/v1/users t0ken {\"name\":\"ann\",\"password\":\"open sesame\",\"scram\":true}"),
                broker.asked());

        broker.then(200, "{\"done\":\"changed the password of a b\"}");
        given("sesame2\r\n");
        assertEquals(0, ask("user", "passwd", "a b", "--stdin", "--json"), err::toString);
        assertEquals(
                "PUT /api/v1/users/a%20b/password t0ken {\"password\":\"sesame2\"}",
                broker.asked().get(1));
        assertEquals("{\n  \"done\" : \"changed the password of a b\"\n}\n", out.toString());
    }

    @Test
    void fileAndBroker_areAUsageError_andNothingIsAskedOrRead() {
        String file = folder.resolve("x").toString();
        for (List<String> command : List.of(
                List.of("user", "list", "-f", file),
                List.of("user", "add", "ann", "--stdin", "-f", file),
                List.of("ban", "list", "-f", file),
                List.of("acl", "show", "--acl-file", file))) {
            assertEquals(2, ask(command.toArray(String[]::new)));
            assertOneLine("a file and a broker are named; leave out --");
        }
        given("sesame\n");
        assertEquals(2, ask("user", "add", "ann", "--stdin", "--pbkdf2"));
        assertOneLine("--pbkdf2 is for a file only");
        assertEquals(2, ask("user", "add", "ann", "--stdin", "--scram", "sha-512"));
        assertOneLine("--scram sha-512 is for a file only");
        assertEquals(2, ask("user", "add", "a:b", "--stdin"));
        assertOneLine("the user name ");
        assertEquals(2, ask("user", "add", "ann"));
        assertOneLine("--stdin");
        assertEquals(2, ask("acl", "explain", "-a", "publish", "-t", "a", "-g", "g"));
        assertOneLine("--group is for a file only");
        assertEquals(2, ask("acl", "explain", "-a", "publish", "-t", "a/#"));
        assertOneLine("--topic 'a/#'");
        assertEquals(2, ask("ban", "add", "user", "ann", "--for", "ever"));
        assertOneLine("90s, 10m, 12h or 7d");
        assertEquals(2, ask("ban", "add", "host", "ann"));
        assertTrue(err.toString().contains("name an address, a user or a client-id"), err.toString());
        assertEquals(List.of(), broker.asked());
    }

    @Test
    void listOfUsers_isWhole_andTheSameAsThatOfAFile() throws Exception {
        String[] pages = {
            "{\"items\":[{\"name\":\"ann\",\"scram\":false}],\"next\":\"ann\"}",
            "{\"items\":[{\"name\":\"ben b\",\"scram\":true}],\"next\":null}"
        };
        broker.then(200, pages[0]).then(200, pages[1]);
        assertEquals(0, ask("user", "list"), err::toString);
        String shown = out.toString();
        assertEquals("ann\nben b\n", shown);
        assertEquals(
                List.of("GET /api/v1/users?limit=1000 t0ken", "GET /api/v1/users?limit=1000&after=ann t0ken"),
                broker.asked());
        broker.then(200, pages[0]).then(200, pages[1]);
        assertEquals(0, ask("user", "list", "--json"));
        String json = out.toString();

        String file = folder.resolve("users").toString();
        given("sesame\n");
        assertEquals(0, run("user", "add", "ben b", "--stdin", "--scram", "--iterations", "4096", "-f", file));
        given("sesame\n");
        assertEquals(0, run("user", "add", "ann", "--stdin", "-f", file));
        assertEquals(0, run("user", "list", "-f", file));
        assertEquals(shown, out.toString());
        assertEquals(0, run("user", "list", "-f", file, "--json"));
        assertEquals(json, out.toString());
    }

    @Test
    void bans_areShownAsThoseOfAFile() {
        String file = folder.resolve("bans").toString();
        broker.then(
                200,
                "{\"items\":[{\"kind\":\"address\",\"subject\":\"10.1.2.0/24\",\"until\":null,\"reason\":\"port scans\"},"
                        + "{\"kind\":\"user\",\"subject\":\"ann b\",\"until\":\"2999-01-01T00:00:00Z\",\"reason\":\"\"}]}");
        assertEquals(0, ask("ban", "list"), err::toString);
        String shown = out.toString();
        assertEquals("address 10.1.2.0/24 port scans\nuser \"ann b\" until 2999-01-01T00:00:00Z\n", shown);

        assertEquals(0, run("ban", "add", "address", "10.1.2.0/24", "--reason", "port scans", "-f", file));
        assertEquals(0, run("ban", "add", "user", "ann b", "--until", "2999-01-01T00:00:00Z", "-f", file, "--json"));
        assertTrue(out.toString().startsWith("{\n  \"done\" : \"banned user ann b until"), out.toString());
        assertEquals(0, run("ban", "list", "-f", file));
        assertEquals(shown, out.toString());
    }

    @Test
    void rights_areExplained_shownAndReplaced() throws Exception {
        broker.then(200, "{\"allowed\":false,\"lines\":[\"denied: a\",\"b\"]}");
        assertEquals(5, ask("acl", "explain", "-a", "publish", "-t", "a"));
        assertEquals("denied: a\nb\n", out.toString());

        String rules = "# mine\ntopic readwrite a\n";
        broker.then(200, "{\"path\":\"/etc/acl\",\"text\":\"# mine\\ntopic readwrite a\\n\"}");
        assertEquals(0, ask("acl", "show"));
        assertEquals(rules, out.toString());

        Path next = Files.writeString(folder.resolve("next"), rules);
        broker.then(200, "{\"done\":\"replaced /etc/acl\"}");
        assertEquals(0, ask("acl", "set", next.toString()), err::toString);
        assertEquals(
                "PUT /api/v1/acl t0ken {\"text\":\"# mine\\ntopic readwrite a\\n\"}",
                broker.asked().get(2));

        Path file = folder.resolve("acl");
        given(rules);
        assertEquals(0, run("acl", "set", "-", "-f", file.toString()), err::toString);
        assertTrue(out.toString().startsWith("replaced " + file + "; a running broker"), out.toString());
        assertEquals(0, run("acl", "show", "-f", file.toString()));
        assertEquals(rules, out.toString());
        assertEquals(0, run("acl", "explain", "-a", "receive", "-t", "a", "--json", "-f", file.toString()));
        assertTrue(out.toString().startsWith("{\n  \"allowed\" : true,\n  \"lines\" : ["), out.toString());
    }

    @Test
    void faultyRules_areToldWithTheirLines_andChangeNothing() throws Exception {
        Path faulty = Files.writeString(folder.resolve("faulty"), "topic raed a\nuser\n");
        Path file = Files.writeString(folder.resolve("acl"), "topic read a\n");
        assertEquals(2, run("acl", "set", faulty.toString(), "-f", file.toString()));
        String said = err.toString();
        assertTrue(said.startsWith(faulty + ":1: ") && said.contains(faulty + ":2: "), said);
        assertEquals("topic read a\n", Files.readString(file));
        assertEquals(2, ask("acl", "set", faulty.toString()));
        assertEquals(said, err.toString());
        assertEquals(List.of(), broker.asked());
    }
}
