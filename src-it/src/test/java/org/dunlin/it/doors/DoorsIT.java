package org.dunlin.it.doors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.hivemq.client.mqtt.MqttClientSslConfig;
import com.hivemq.client.mqtt.MqttWebSocketConfig;
import com.hivemq.client.mqtt.datatypes.MqttQos;
import com.hivemq.client.mqtt.mqtt5.Mqtt5BlockingClient;
import com.hivemq.client.mqtt.mqtt5.Mqtt5Client;
import com.hivemq.client.mqtt.mqtt5.Mqtt5ClientBuilder;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLSocket;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RealClient;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that people use come in through each kind of listener of the packed broker. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class DoorsIT {
    private Path folder;
    private Identity server;
    private Identity known;
    private Identity stranger;
    private Path cert;
    private Path key;
    private RunningBroker broker;

    @BeforeAll
    void start(@TempDir Path made) throws Exception {
        folder = made;
        server = Identity.make(folder, "server");
        known = Identity.make(folder, "known");
        stranger = Identity.make(folder, "stranger");
        cert = folder.resolve("changing.crt");
        key = folder.resolve("changing.key");
        server.write(cert, key);
        List<String> pair = List.of("cert=" + server.cert(), "key=" + server.key());
        List<String> settings = new ArrayList<>(List.of("limits.connect-timeout=3s", "sys-topics.interval=1s"));
        add(settings, 0, List.of("name=tcp"));
        add(settings, 1, List.of("name=tls", "type=tls"), pair);
        add(settings, 2, List.of("name=ws", "type=ws"));
        add(settings, 3, List.of("name=wss", "type=wss", "path=/secure"), pair);
        List<String> ca = List.of("type=tls", "ca=" + known.cert());
        add(settings, 4, List.of("name=required", "client-auth=required"), ca, pair);
        add(settings, 5, List.of("name=optional", "client-auth=optional"), ca, pair);
        add(settings, 6, List.of("name=changing", "type=tls", "cert=" + cert, "key=" + key));
        broker = RunningBroker.run(command(settings));
    }

    @SafeVarargs
    private static void add(List<String> settings, int index, List<String>... keys) {
        settings.add("listeners[" + index + "].port=0");
        for (List<String> some : keys) {
            some.forEach(one -> settings.add("listeners[" + index + "]." + one));
        }
    }

    /** As of any other broker, but its listeners are configured. */
    private static List<String> command(List<String> settings) {
        List<String> command = new ArrayList<>(RunningBroker.command(List.of("-Xmx512m"), settings));
        int port = command.indexOf("-p");
        command.subList(port, port + 2).clear();
        return command;
    }

    @AfterAll
    void stop() {
        broker.close();
    }

    /** The port of the listener that is the nth in the configuration. */
    private int port(int index) {
        Matcher address =
                Pattern.compile("(tcp|tls|wss?)://127\\.0\\.0\\.1:(\\d+)").matcher(broker.awaitLog(" Ready "));
        for (int i = 0; address.find(); i++) {
            if (i == index) {
                return Integer.parseInt(address.group(2));
            }
        }
        throw new AssertionError("no listener " + index);
    }

    private String[] mosquitto(int listener, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "-p",
                Integer.toString(port(listener)),
                "--cafile",
                server.cert().toString()));
        arguments.addAll(List.of(more));
        return arguments.toArray(new String[0]);
    }

    private static String[] with(String[] first, String... more) {
        List<String> all = new ArrayList<>(List.of(first));
        all.addAll(List.of(more));
        return all.toArray(new String[0]);
    }

    @Test
    void banner_namesEachListener() {
        String ready = broker.awaitLog(" Ready ");
        assertTrue(
                ready.matches(".*tcp://127.0.0.1:\\d+ \\(anonymous clients allowed\\), tls://127.0.0.1:\\d+ \\(.*"
                        + "ws://127.0.0.1:\\d+/mqtt \\(.*wss://127.0.0.1:\\d+/secure \\(.*"
                        + "tls://127.0.0.1:\\d+ \\(anonymous clients allowed, each with a certificate\\).*"),
                ready);
    }

    @ParameterizedTest
    @CsvSource({"tlsv1.2, mqttv311", "tlsv1.3, mqttv5"})
    void mosquitto_overTls(String tls, String version) {
        String topic = "doors/" + tls;
        String[] common = mosquitto(1, "--tls-version", tls, "-V", version, "-q", "2", "-t", topic);
        try (RealClient subscriber = RealClient.mosquittoSub(broker, with(common, "-C", "1", "-d", "-v"))) {
            subscriber.awaitLine("Subscribed");
            RealClient.mosquittoPub(broker, with(common, "-m", "carried")).awaitSuccess();
            assertTrue(subscriber.awaitSuccess().contains(topic + " carried"), subscriber::toString);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "4, known, true",
        "4, stranger, false",
        "4, nobody, false",
        "5, known, true",
        "5, stranger, false",
        "5, nobody, true"
    })
    void mosquitto_withAndWithoutCertificate(int listener, String who, boolean welcome) {
        for (String tls : List.of("tlsv1.2", "tlsv1.3")) {
            List<String> shown = new ArrayList<>(List.of("--tls-version", tls, "-q", "1", "-t", "doors/c", "-m", "x"));
            if (!who.equals("nobody")) {
                Identity identity = who.equals("known") ? known : stranger;
                shown.addAll(List.of(
                        "--cert",
                        identity.cert().toString(),
                        "--key",
                        identity.key().toString()));
            }
            int code = RealClient.mosquittoPub(broker, mosquitto(listener, shown.toArray(new String[0])))
                    .awaitExit();
            assertEquals(welcome, code == 0, tls + " exit code " + code);
        }
    }

    @Test
    void mosquitto_withoutTls_isTurnedAway_andNothingItSentIsLogged() {
        int code = RealClient.mosquittoPub(
                        broker, "-p", "" + port(1), "-t", "t", "-m", "m", "-u", "user", "-P", "opensesame")
                .awaitExit();
        assertNotEquals(0, code);
        broker.awaitLog("TLS failed: what the client sent is not TLS");
        String secret =
                java.util.HexFormat.of().formatHex("opensesame".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        assertTrue(broker.log().stream().noneMatch(line -> line.contains("opensesame") || line.contains(secret)));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void hiveMqClient(int listener) throws Exception {
        Mqtt5ClientBuilder builder = Mqtt5Client.builder()
                .identifier("hivemq-" + listener)
                .serverHost("127.0.0.1")
                .serverPort(port(listener));
        if (listener != 2) {
            var tls = MqttClientSslConfig.builder()
                    .trustManagerFactory(server.trust())
                    .hostnameVerifier((host, session) -> true);
            if (listener == 4) {
                tls = tls.keyManagerFactory(known.keys());
            }
            builder = builder.sslConfig(tls.build());
        }
        if (listener == 2 || listener == 3) {
            builder = builder.webSocketConfig(MqttWebSocketConfig.builder()
                    .serverPath(listener == 2 ? "mqtt" : "secure")
                    .build());
        }
        Mqtt5BlockingClient client = builder.buildBlocking();
        String topic = "doors/hivemq/" + listener;
        try (Mqtt5BlockingClient.Mqtt5Publishes publishes =
                client.publishes(com.hivemq.client.mqtt.MqttGlobalPublishFilter.ALL)) {
            client.connect();
            client.subscribeWith().topicFilter(topic).qos(MqttQos.EXACTLY_ONCE).send();
            for (int size : new int[] {0, 10, 70_000, 1_000_000}) {
                client.publishWith()
                        .topic(topic)
                        .qos(MqttQos.EXACTLY_ONCE)
                        .payload(new byte[size])
                        .send();
                var back = publishes.receive(20, TimeUnit.SECONDS);
                assertEquals(size, back.orElseThrow().getPayloadAsBytes().length);
            }
            client.disconnect();
        }
    }

    @ParameterizedTest
    @CsvSource({"mqtts, 1, ''", "ws, 2, /mqtt", "wss, 3, /secure"})
    void mqttJs(String scheme, int listener, String path) {
        String url = scheme + "://127.0.0.1:" + port(listener) + path;
        try (RealClient client = RealClient.node(
                "secure.mjs",
                broker,
                url,
                scheme.equals("ws") ? "" : server.cert().toString())) {
            assertEquals(List.of("10 0", "1000 1", "300000 2"), client.awaitSuccess());
        }
    }

    @Test
    void newCertificate_underTraffic_isServedToNewClientsAndDisturbsNone() throws Exception {
        int port = port(6);
        Identity next = Identity.make(folder, "next");
        Mqtt5BlockingClient client = Mqtt5Client.builder()
                .identifier("reload")
                .serverHost("127.0.0.1")
                .serverPort(port)
                .sslConfig(MqttClientSslConfig.builder()
                        .trustManagerFactory(server.trust())
                        .hostnameVerifier((host, session) -> true)
                        .build())
                .buildBlocking();
        client.connect();
        AtomicBoolean done = new AtomicBoolean();
        AtomicInteger sent = new AtomicInteger();
        List<Throwable> failures = new java.util.concurrent.CopyOnWriteArrayList<>();
        Thread traffic = new Thread(() -> {
            while (!done.get()) {
                try {
                    client.publishWith()
                            .topic("doors/reload")
                            .qos(MqttQos.AT_LEAST_ONCE)
                            .payload(new byte[500])
                            .send();
                    sent.incrementAndGet();
                } catch (RuntimeException e) {
                    failures.add(e);
                    return;
                }
            }
        });
        traffic.start();
        Files.writeString(key, "no key");
        broker.awaitLog("Listener changing goes on with the certificate it has: ");
        assertEquals(server.certificate(), shownAt(port, server));
        assertEquals("1", sys("changing", "files-refused"));
        assertTrue(Integer.parseInt(sys("changing", "days-left")) >= 0);
        next.write(cert, key);
        broker.awaitLog("Listener changing: new handshakes get the new certificate CN=next");
        assertEquals(next.certificate(), shownAt(port, next));
        int before = sent.get();
        org.dunlin.it.Await.until("traffic goes on", () -> sent.get() > before + 10 || !failures.isEmpty());
        done.set(true);
        traffic.join();
        client.disconnect();
        assertEquals(List.of(), failures);
    }

    /** What $SYS says of the certificates of a listener, once there is something to say. */
    private String sys(String listener, String what) {
        String topic = "$SYS/broker/listeners/" + listener + "/certificate/" + what;
        try (MqttSocket socket = MqttSocket.open(port(0))) {
            socket.connect(ProtocolVersion.MQTT_5, "sys-" + what).subscribe(topic, Qos.AT_MOST_ONCE);
            String said = MqttSocket.text(socket.receivePublish());
            return said.equals("0") ? MqttSocket.text(socket.receivePublish()) : said;
        }
    }

    private static java.security.cert.Certificate shownAt(int port, Identity trusted) throws Exception {
        try (SSLSocket socket = (SSLSocket) trusted.context().getSocketFactory().createSocket("127.0.0.1", port)) {
            socket.startHandshake();
            return socket.getSession().getPeerCertificates()[0];
        }
    }

    /** A crowd that never gets through the handshake: others are served meanwhile, and the crowd is gone in time. */
    @Test
    void stalledHandshakes_areCutAndDisturbNobody() throws Exception {
        List<Socket> crowd = new ArrayList<>();
        try {
            for (int i = 0; i < 200; i++) {
                Socket socket = new Socket("127.0.0.1", port(i % 2 == 0 ? 1 : 3));
                socket.setSoTimeout(30_000);
                if (i % 4 < 2) {
                    socket.getOutputStream().write(new byte[] {22, 3, 1, 2, 0, 1, 0, 1, (byte) 0xfc, 3, 3});
                }
                crowd.add(socket);
            }
            RealClient.mosquittoPub(broker, mosquitto(1, "-t", "doors/x", "-m", "x", "-q", "1"))
                    .awaitSuccess();
            for (Socket socket : crowd) {
                int last = 0;
                while (last >= 0) { // an alert or close_notify may come before
                    last = readOrEnd(socket);
                }
            }
            broker.awaitLog("timeout: no CONNECT within 3000 ms");
        } finally {
            for (Socket socket : crowd) {
                socket.close();
            }
        }
    }

    private static int readOrEnd(Socket socket) throws IOException {
        try {
            return socket.getInputStream().read();
        } catch (java.net.SocketException reset) {
            return -1;
        }
    }

    @Test
    void start_withFilesThatDoNotFit_saysWhatAndEnds() {
        RunningBroker other = RunningBroker.launch(command(List.of(
                "listeners[0].type=tls",
                "listeners[0].port=0",
                "listeners[0].cert=" + server.cert(),
                "listeners[0].key=" + known.key())));
        assertEquals(2, other.awaitExit());
        List<String> log = other.log();
        assertTrue(log.get(log.size() - 1).contains("listeners[0]: the private key in " + known.key()), log::toString);
        assertFalse(log.stream().anyMatch(line -> line.contains("\tat ")), log::toString);
    }
}
