package org.dunlin.it.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.hivemq.client.mqtt.MqttClientSslConfig;
import com.hivemq.client.mqtt.mqtt5.Mqtt5BlockingClient;
import com.hivemq.client.mqtt.mqtt5.Mqtt5Client;
import com.hivemq.client.mqtt.mqtt5.Mqtt5ClientBuilder;
import com.hivemq.client.mqtt.mqtt5.exceptions.Mqtt5ConnAckException;
import com.hivemq.client.mqtt.mqtt5.message.connect.connack.Mqtt5ConnAckReasonCode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dunlin.it.Await;
import org.dunlin.it.RealClient;
import org.dunlin.it.RunningBroker;
import org.dunlin.it.doors.Identity;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Clients whose certificate says who they are, with and without a password beside it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class CertificateUserIT {
    private Identity server;
    private Identity meter;
    private Identity named;
    private Path acl;
    private Path users;
    private List<String> listener;

    @BeforeAll
    void make(@TempDir Path folder) throws Exception {
        server = Identity.make(folder, "server");
        meter = Identity.make(folder, "meter");
        named = Identity.makeNamed(
                folder,
                "named",
                "CN=ann,OU=north,O=Example",
                "dns:meter-1.example.org,email:m1@example.org,uri:urn:meter:1,ip:127.0.0.1");
        acl = Files.writeString(folder.resolve("acl"), "pattern write of/%u\n");
        Accounts accounts = new Accounts(folder.resolve("users"));
        accounts.add("meter", "sesame-meter");
        accounts.add("ann", "sesame-ann");
        users = accounts.file();
        listener = List.of(
                "listeners[0].type=tls",
                "listeners[0].port=0",
                "listeners[0].cert=" + server.cert(),
                "listeners[0].key=" + server.key(),
                "listeners[0].client-auth=optional",
                "listeners[0].ca=" + meter.cert(),
                "listeners[1].name=plain", // by which it is known that the broker is ready
                "listeners[1].port=0");
    }

    private RunningBroker start(String... more) {
        return start(null, more);
    }

    private RunningBroker start(@Nullable Path file, String... more) {
        List<String> settings = new ArrayList<>(listener);
        settings.addAll(List.of(more));
        List<String> command = new ArrayList<>(RunningBroker.command(List.of("-Xmx512m"), settings));
        int port = command.indexOf("-p");
        command.subList(port, port + 2).clear();
        if (file != null) {
            command.addAll(List.of("-c", file.toString()));
        }
        return RunningBroker.run(command);
    }

    private Mqtt5BlockingClient client(
            RunningBroker broker, @Nullable Identity shows, @Nullable String user, @Nullable String password)
            throws Exception {
        Mqtt5ClientBuilder builder = Mqtt5Client.builder()
                .identifier("client")
                .serverHost("127.0.0.1")
                .serverPort(port(broker))
                .sslConfig(MqttClientSslConfig.builder()
                        .trustManagerFactory(server.trust())
                        .keyManagerFactory(shows == null ? null : shows.keys())
                        .hostnameVerifier((host, session) -> true)
                        .build());
        if (user != null) {
            builder = builder.simpleAuth().username(user).applySimpleAuth();
        }
        if (password != null) {
            byte[] bytes = password.getBytes(StandardCharsets.UTF_8);
            builder = user == null
                    ? builder.simpleAuth().password(bytes).applySimpleAuth()
                    : builder.simpleAuth().username(user).password(bytes).applySimpleAuth();
        }
        return builder.buildBlocking();
    }

    private void isLetIn(
            RunningBroker broker, @Nullable Identity shows, @Nullable String user, @Nullable String password)
            throws Exception {
        Mqtt5BlockingClient client = client(broker, shows, user, password);
        client.connect();
        client.disconnect();
    }

    private String isRefused(
            Mqtt5ConnAckReasonCode reason,
            RunningBroker broker,
            @Nullable Identity shows,
            @Nullable String user,
            @Nullable String password)
            throws Exception {
        Mqtt5BlockingClient client = client(broker, shows, user, password);
        Mqtt5ConnAckException refused = assertThrows(Mqtt5ConnAckException.class, client::connect);
        assertEquals(reason, refused.getMqttMessage().getReasonCode());
        return String.valueOf(refused.getMqttMessage().getReasonString().orElse(null));
    }

    @Test
    void certificate_isEnough() throws Exception {
        try (RunningBroker broker = start("auth.certificate.user=cn")) {
            isLetIn(broker, meter, null, null);
            isLetIn(broker, meter, "meter", null);
            assertTrue(isRefused(Mqtt5ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD, broker, meter, "ann", "x")
                    .contains("'meter'"));
            assertTrue(isRefused(Mqtt5ConnAckReasonCode.NOT_AUTHORIZED, broker, null, null, null)
                    .contains("show a certificate"));
            assertTrue(broker.awaitLog(" Ready ").contains("clients named by their certificate"));
        }
    }

    @Test
    void rule_isThatOfTheFile_fromItsChangeOn(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("dunlin.yaml"), "auth: {certificate: {user: cn}}\n");
        try (RunningBroker broker = start(file, "listeners[0].ca=" + named.cert(), "auth.password-file=" + users)) {
            Mqtt5BlockingClient there = client(broker, named, "ann", null);
            there.connect();
            change(broker, file, "auth: {certificate: {user: san-dns}}\n", "to=san-dns");
            assertTrue(isRefused(Mqtt5ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD, broker, named, "ann", null)
                    .contains("'meter-1.example.org'"));
            assertTrue(there.getState().isConnected());
            change(broker, file, "auth: {certificate: {user: cn, password: required}}\n", "to=required");
            isRefused(Mqtt5ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD, broker, named, "ann", "x");
            assertTrue(there.getState().isConnected());
            change(broker, file, "auth: {certificate: {user: off, password: ignored}}\n", "to=off");
            Await.until(
                    "who has no other account is sent away",
                    () -> !there.getState().isConnected());
            isLetIn(broker, named, "ann", "sesame-ann");
        }
    }

    private static void change(RunningBroker broker, Path file, String yaml, String logged) throws Exception {
        Path next = Files.writeString(file.resolveSibling("next"), yaml);
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        broker.awaitLog(logged);
    }

    /** The name that counts is the one of the key, whatever else the certificate says. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "cn       | ann",
                "san-dns  | meter-1.example.org",
                "san-email| m1@example.org",
                "san-uri  | urn:meter:1",
                "subject  | CN=ann,OU=north,O=Example"
            })
    void everyField_namesTheUser(String field, String user) throws Exception {
        try (RunningBroker broker =
                start("auth.certificate.user=" + field, "auth.acl-file=" + acl, "listeners[0].ca=" + named.cert())) {
            isLetIn(broker, named, user, null);
            for (String other : List.of("meter", "urn:meter:2", user + "x")) {
                assertTrue(isRefused(Mqtt5ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD, broker, named, other, null)
                        .contains("'" + user + "'"));
            }
            for (String version : List.of("mqttv311", "mqttv5")) {
                publishes(broker, version, user, true); // its rights are those of this name
                publishes(broker, version, "meter", false);
            }
        }
    }

    /** mosquitto_pub, which names no user: the certificate alone says who it is. */
    private void publishes(RunningBroker broker, String version, String topic, boolean allowed) {
        String[] arguments = {
            "-h",
            "127.0.0.1",
            "-p",
            "" + port(broker),
            "--cafile",
            "" + server.cert(),
            "--cert",
            "" + named.cert(),
            "--key",
            "" + named.key(),
            "-V",
            version,
            "-q",
            "1",
            "-d",
            "-t",
            "of/" + topic,
            "-m",
            "m"
        };
        List<String> said = RealClient.run("mosquitto_pub", arguments).awaitSuccess();
        boolean refused = said.stream().anyMatch(line -> line.contains("PUBACK") && line.contains("RC:135"));
        assertEquals(!allowed && version.equals("mqttv5"), refused, said::toString);
        String denied = "publish to 'of/" + topic + "'";
        if (!allowed) {
            Await.until(
                    "the denial is logged",
                    () -> broker.log().stream().anyMatch(line -> line.contains("Denied") && line.contains(denied)));
        } else {
            assertTrue(
                    broker.log().stream().noneMatch(line -> line.contains(denied)),
                    () -> broker.log().toString());
        }
    }

    private static int port(RunningBroker broker) {
        Matcher address = Pattern.compile("tls://127\\.0\\.0\\.1:(\\d+)").matcher(broker.awaitLog(" Ready "));
        assertTrue(address.find());
        return Integer.parseInt(address.group(1));
    }

    @Test
    void certificateAndPassword_areBothNeeded_andWithoutOneThePasswordIs() throws Exception {
        try (RunningBroker broker = start(
                "auth.certificate.user=cn", "auth.certificate.password=required", "auth.password-file=" + users)) {
            isLetIn(broker, meter, null, "sesame-meter");
            isLetIn(broker, meter, "meter", "sesame-meter");
            isLetIn(broker, null, "ann", "sesame-ann");
            Mqtt5ConnAckReasonCode wrong = Mqtt5ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD;
            isRefused(wrong, broker, meter, null, null);
            isRefused(wrong, broker, meter, "meter", "sesame-ann");
            isRefused(wrong, broker, meter, "ann", "sesame-ann");
        }
    }

    @Test
    void certificateWithoutTheName_isRefusedWithWhatIsMissing() throws Exception {
        try (RunningBroker broker = start("auth.certificate.user=san-uri")) {
            assertTrue(isRefused(Mqtt5ConnAckReasonCode.NOT_AUTHORIZED, broker, meter, null, null)
                    .contains("the certificate has no URI"));
        }
    }

    @Test
    void nobodyWhoAsksForCertificates_isAFault(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("d.yaml"), "auth:\n  certificate:\n    user: cn\n");
        Process check = new ProcessBuilder(
                        RunningBroker.java(),
                        "-jar",
                        RunningBroker.jar().toString(),
                        "config",
                        "check",
                        file.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(2, check.waitFor(), said);
        assertTrue(said.contains("needs a listener that asks for certificates"), said);
    }
}
