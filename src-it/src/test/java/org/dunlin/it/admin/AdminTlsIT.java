package org.dunlin.it.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import org.dunlin.it.RunningBroker;
import org.dunlin.it.doors.Identity;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The admin port in TLS, and off loopback. Certificates are made while the test runs. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AdminTlsIT {
    private Path folder;
    private Identity server;
    private Identity stranger;
    private RunningBroker broker;
    private AdminPort admin;

    @BeforeAll
    void start(@TempDir Path temporary) throws Exception {
        folder = temporary;
        server = Identity.make(folder, "server");
        stranger = Identity.make(folder, "stranger");
        broker = RunningBroker.start(List.of(
                "storage.path=" + folder.resolve("data"),
                "admin.tls.cert=" + server.cert(),
                "admin.tls.key=" + server.key()));
        admin = AdminPort.of(broker, folder.resolve("data"));
    }

    @AfterAll
    void stop() {
        broker.close();
    }

    private String run(int exitCode, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(RunningBroker.java(), "-jar", RunningBroker.jar().toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.startsWith("DUNLIN_"));
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(exitCode, process.waitFor(), said);
        return said;
    }

    @Test
    void commands_trustTheConfiguredCertificateAlone() throws Exception {
        String token = folder.resolve("data").resolve("admin.token").toString();
        assertTrue(admin.url().startsWith("https://"), admin.url());
        Path right = Files.writeString(
                folder.resolve("right.yaml"),
                "admin: {port: " + admin.port() + ", tls: {cert: " + server.cert() + ", key: " + server.key() + "}}\n"
                        + "storage: {path: " + folder.resolve("data") + "}\n");
        assertTrue(run(0, "status", "-c", right.toString()).contains("serving"));
        assertTrue(run(0, "health", "-c", right.toString()).contains("serving"));
        String url = admin.url();
        run(
                0,
                "status",
                "--url",
                url,
                "--token-file",
                token,
                "--ca",
                server.cert().toString());
        String refused = run(
                1,
                "status",
                "--url",
                url,
                "--token-file",
                token,
                "--ca",
                stranger.cert().toString());
        assertTrue(refused.contains("is not trusted; name the one of admin.tls.cert with --ca"), refused);
        run(1, "status", "--url", url, "--token-file", token);
        run(1, "health", "--url", url);
        run(1, "status", "--url", "http://127.0.0.1:" + admin.port(), "--token-file", token);
    }

    @Test
    void cookie_isSecure_andTheOriginHasToBeHttps() throws Exception {
        SSLContext trusting = SSLContext.getInstance("TLS");
        trusting.init(null, server.trust().getTrustManagers(), null);
        HttpClient client = HttpClient.newBuilder().sslContext(trusting).build();
        for (String scheme : List.of("https", "http")) {
            HttpResponse<String> response = client.send(
                    HttpRequest.newBuilder(URI.create(admin.url() + "/api/v1/login"))
                            .header("Content-Type", "application/json")
                            .header("Origin", scheme + "://127.0.0.1:" + admin.port())
                            .POST(HttpRequest.BodyPublishers.ofString("{\"token\":\"" + admin.token() + "\"}"))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            if (scheme.equals("http")) {
                assertEquals(403, response.statusCode());
            } else {
                String cookie = response.headers().firstValue("set-cookie").orElse("");
                assertTrue(cookie.contains("; Secure") && cookie.contains("; HttpOnly"), cookie);
            }
        }
    }

    @Test
    void plaintextOnTheTlsPort_isClosed() {
        try (RawHttp http = RawHttp.open(admin.port())) {
            http.send("GET /live HTTP/1.1\r\nHost: a\r\n\r\n");
            assertTrue(http.endsAfterWhatever());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "::", "192.0.2.1"})
    void offLoopbackInTheClear_exits2_andSaysWhatToDo(String address) {
        RunningBroker refused = RunningBroker.launch(RunningBroker.command(
                List.of(), List.of("storage.path=" + folder.resolve("off"), "admin.bind=" + address, "admin.port=0")));
        assertEquals(2, refused.awaitExit());
        String said = String.join("\n", refused.log());
        assertTrue(said.contains("admin.insecure") && said.contains("admin.tls"), said);
        assertTrue(!said.contains("\tat "), said);
    }

    @Test
    void offLoopback_withTls_isOpened() throws Exception {
        try (RunningBroker wide = RunningBroker.start(List.of(
                "storage.path=" + folder.resolve("wide"),
                "admin.bind=0.0.0.0",
                "admin.tls.cert=" + server.cert(),
                "admin.tls.key=" + server.key()))) {
            String url = AdminPort.of(wide, folder.resolve("wide")).url().replace("0.0.0.0", "127.0.0.1");
            assertTrue(run(0, "health", "--url", url, "--ca", server.cert().toString())
                    .contains("serving"));
        }
    }
}
