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
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dunlin.it.RunningBroker;
import org.dunlin.it.doors.Identity;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients whose certificate says who they are, with and without a password beside it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class CertificateUserIT {
    private Identity server;
    private Identity meter;
    private Path users;
    private List<String> listener;

    @BeforeAll
    void make(@TempDir Path folder) throws Exception {
        server = Identity.make(folder, "server");
        meter = Identity.make(folder, "meter");
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
        List<String> settings = new ArrayList<>(listener);
        settings.addAll(List.of(more));
        List<String> command = new ArrayList<>(RunningBroker.command(List.of("-Xmx512m"), settings));
        int port = command.indexOf("-p");
        command.subList(port, port + 2).clear();
        return RunningBroker.run(command);
    }

    private Mqtt5BlockingClient client(
            RunningBroker broker, @Nullable Identity shows, @Nullable String user, @Nullable String password)
            throws Exception {
        Matcher address = Pattern.compile("tls://127\\.0\\.0\\.1:(\\d+)").matcher(broker.awaitLog(" Ready "));
        assertTrue(address.find());
        Mqtt5ClientBuilder builder = Mqtt5Client.builder()
                .identifier("client")
                .serverHost("127.0.0.1")
                .serverPort(Integer.parseInt(address.group(1)))
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
