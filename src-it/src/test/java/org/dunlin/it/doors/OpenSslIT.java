package org.dunlin.it.doors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.RealClient;
import org.dunlin.it.RunningBroker;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Certificates, revocation lists and handshakes of OpenSSL against the packed broker. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class OpenSslIT {
    private Path folder;
    private Path crl;
    private RunningBroker broker;

    @BeforeAll
    void start(@TempDir Path made) throws Exception {
        folder = made;
        crl = folder.resolve("list.crl");
        Files.writeString(folder.resolve("index.txt"), "");
        Files.writeString(
                folder.resolve("ca.cnf"),
                "[ca]\ndefault_ca=own\n[own]\ndatabase=" + folder.resolve("index.txt")
                        + "\ndefault_md=sha256\ndefault_crl_days=2\n"
                        + "[part]\nissuingDistributionPoint=critical,@users\n[users]\nonlyuser=TRUE\n"
                        + "[delta]\n2.5.29.27=critical,DER:020101\n");
        openssl(
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=authority",
                "-keyout",
                path("ca.key"),
                "-out",
                path("ca.crt"));
        for (String name : List.of("main", "one.example.org", "good", "bad")) {
            sign(name);
        }
        list();
        List<String> settings = List.of(
                "listeners[0].type=auto",
                "listeners[0].port=0",
                "listeners[0].accept=tls,wss",
                "listeners[0].cert=" + path("main.crt"),
                "listeners[0].key=" + path("main.key"),
                "listeners[0].ca=" + path("ca.crt"),
                "listeners[0].crl=" + crl,
                "listeners[0].client-auth=optional",
                "listeners[0].sni=" + path("one.example.org.crt") + ":" + path("one.example.org.key"));
        List<String> command = new ArrayList<>(RunningBroker.command(List.of("-Xmx512m"), settings));
        int port = command.indexOf("-p");
        command.subList(port, port + 2).clear();
        broker = RunningBroker.launch(command);
    }

    @AfterAll
    void stop() {
        broker.close();
    }

    private String path(String name) {
        return folder.resolve(name).toString();
    }

    private static void openssl(String... arguments) {
        RealClient.run("openssl", arguments).awaitSuccess();
    }

    private void sign(String name) throws Exception {
        Path extension =
                Files.writeString(folder.resolve(name + ".ext"), "subjectAltName=DNS:" + name + ",IP:127.0.0.1\n");
        openssl(
                "req",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-subj",
                "/CN=" + name,
                "-keyout",
                path(name + ".key"),
                "-out",
                path(name + ".csr"));
        openssl(
                "x509",
                "-req",
                "-in",
                path(name + ".csr"),
                "-CA",
                path("ca.crt"),
                "-CAkey",
                path("ca.key"),
                "-CAcreateserial",
                "-days",
                "2",
                "-extfile",
                extension.toString(),
                "-out",
                path(name + ".crt"));
    }

    private void list(String... more) {
        List<String> command = new ArrayList<>(
                List.of("ca", "-config", path("ca.cnf"), "-keyfile", path("ca.key"), "-cert", path("ca.crt")));
        command.addAll(List.of(more));
        openssl(command.toArray(new String[0]));
        if (more.length == 0 || !more[0].equals("-gencrl")) {
            list("-gencrl", "-out", crl.toString());
        }
    }

    private int port() {
        String ready = broker.awaitLog(" Ready ");
        return Integer.parseInt(ready.replaceAll(".*auto://127\\.0\\.0\\.1:(\\d+).*", "$1"));
    }

    private RealClient client(String... more) {
        List<String> command = new ArrayList<>(
                List.of("s_client", "-connect", "127.0.0.1:" + port(), "-CAfile", path("ca.crt"), "-brief"));
        command.addAll(List.of(more));
        return RealClient.run("openssl", command.toArray(new String[0]));
    }

    @ParameterizedTest
    @CsvSource({"-tls1_2, TLSv1.2", "-tls1_3, TLSv1.3"})
    void versionsOfToday_areSpoken(String option, String version) {
        List<String> said = client(option).awaitSuccess();
        assertTrue(said.contains("Protocol version: " + version), said::toString);
        assertTrue(said.contains("Verification: OK"), said::toString);
    }

    @Test
    void olderVersions_areRefused() {
        try (RealClient old = client("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")) {
            assertNotEquals(0, old.awaitExit());
            assertTrue(old.toString().contains("alert protocol version"), old::toString);
        }
    }

    @ParameterizedTest
    @CsvSource({"one.example.org, one.example.org", "two.example.org, main", "main, main"})
    void certificate_isThatOfTheServerName(String asked, String shown) {
        for (String version : List.of("-tls1_2", "-tls1_3")) {
            List<String> said = client(version, "-servername", asked).awaitSuccess();
            assertTrue(said.contains("Peer certificate: CN = " + shown), said::toString);
        }
    }

    private int publish(String version, String who) {
        return RealClient.run(
                        "mosquitto_pub",
                        "-h",
                        "127.0.0.1",
                        "-p",
                        Integer.toString(port()),
                        "--cafile",
                        path("ca.crt"),
                        "--cert",
                        path(who + ".crt"),
                        "--key",
                        path(who + ".key"),
                        "--tls-version",
                        version,
                        "-q",
                        "1",
                        "-t",
                        "t",
                        "-m",
                        "m")
                .awaitExit();
    }

    @Test
    void mosquitto_whoseCertificateIsRevoked_isRefusedFromTheNewListOn() {
        for (String version : List.of("tlsv1.2", "tlsv1.3")) {
            assertEquals(0, publish(version, "good"));
        }
        assertEquals(0, publish("tlsv1.3", "bad"));
        list("-revoke", path("bad.crt"));
        broker.awaitLog("clients of new handshakes are checked by the new ca and crl");
        for (String version : List.of("tlsv1.2", "tlsv1.3")) {
            assertEquals(0, publish(version, "good"));
            assertNotEquals(0, publish(version, "bad"));
        }
        broker.awaitLog("the certificate of CN=bad was revoked on ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"part", "delta"})
    void listOfAPart_isRefused(String kind) throws Exception {
        list("-gencrl", "-crlexts", kind, "-out", path(kind + ".crl"));
        Path file = Files.writeString(
                folder.resolve(kind + ".yaml"),
                "listeners:\n  - type: tls\n    cert: " + path("main.crt") + "\n    key: " + path("main.key")
                        + "\n    ca: " + path("ca.crt") + "\n    client-auth: required\n    crl: "
                        + path(kind + ".crl") + "\n");
        try (RealClient check = RealClient.run(
                RunningBroker.java(), "-jar", RunningBroker.jar().toString(), "config", "check", file.toString())) {
            assertEquals(2, check.awaitExit(), check::toString);
            assertTrue(check.toString().contains("may cover a part of its certificates only"), check::toString);
        }
    }

    @Test
    void configCheck_readsTheFiles_andListsEveryFault() throws Exception {
        Path file = Files.writeString(
                folder.resolve("dunlin.yaml"),
                "listeners:\n  - type: auto\n    accept: [tls, wss]\n    cert: " + path("main.crt") + "\n    key: "
                        + path("good.key") + "\n    ca: " + path("ca.crt") + "\n    client-auth: required\n    crl: "
                        + path("none.crl") + "\n    sni:\n      - " + path("one.example.org.crt") + ":"
                        + path("main.key")
                        + "\n      - " + path("gone.pem") + "\n");
        try (RealClient check = RealClient.run(
                RunningBroker.java(), "-jar", RunningBroker.jar().toString(), "config", "check", file.toString())) {
            assertEquals(2, check.awaitExit(), check::toString);
            String said = check.toString();
            assertTrue(said.contains("dunlin.yaml:4: listeners[0]: the private key in " + path("good.key")), said);
            assertTrue(said.contains("the private key in " + path("main.key") + " does not belong"), said);
            assertTrue(said.contains(path("gone.pem") + " does not exist; check the path"), said);
            assertTrue(said.contains(path("none.crl") + " does not exist; check the path"), said);
        }
    }
}
