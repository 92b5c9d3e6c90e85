package org.dunlin.it.packages;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RealClient;
import org.dunlin.it.RunningBroker;
import org.dunlin.it.crash.Ports;
import org.dunlin.it.packages.Containers.Container;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** The image of {@code docker/Dockerfile}, built and run. */
@EnabledOnOs(OS.LINUX)
class ContainerIT {
    private static final String IMAGE = "localhost/dunlin:test";
    private static final String ANY_USER = "--user=12345";
    private static final String OPEN = "--env=DUNLIN_AUTH_ALLOW_ANONYMOUS=true";
    private static final String FEW = "--env=DUNLIN_LIMITS_MAX_CONNECTIONS=1000";

    private static Containers containers;

    @BeforeAll
    @Timeout(value = 15, unit = TimeUnit.MINUTES)
    static void build() {
        containers = new Containers();
        containers.build(IMAGE);
    }

    @AfterAll
    static void remove() {
        if (containers != null) {
            containers.close();
        }
    }

    @Test
    void neitherCredentialsNorTheKey_isExitCode2_andTheSentenceThatNamesIt() {
        Command refused = containers.run(List.of("--network=none", ANY_USER, IMAGE));
        assertEquals(2, refused.exitCode(), refused.text());
        assertEquals(1, refused.text().lines().count(), refused.text());
        assertTrue(refused.text().contains("set auth.allow-anonymous: true"), refused.text());
    }

    /** In a network of its own, by nothing but defaults. */
    @Test
    void readOnly_asAnyUser_isHealthy_andServes() {
        Container broker =
                containers.start("defaults", List.of("--network=none", ANY_USER, OPEN, FEW, "--volume=/data", IMAGE));
        try {
            broker.awaitReady();
            assertTrue(broker.log().contains("event loop(s) on epoll"), broker.log());

            String process = broker.exec("cat", "/proc/1/status");
            assertTrue(process.contains("Uid:\t12345\t") && process.contains("Gid:\t0\t"), process);
            assertTrue(process.contains("CapEff:\t0000000000000000"), process);
            String options = broker.exec("cat", "/proc/1/cmdline");
            assertTrue(
                    options.contains("-Xmx100m"), options); // of 400 MB: a quarter, since the rest is needed beside it
            String memory = broker.exec("cat", "/proc/1/maps");
            assertTrue(memory.contains("/opt/dunlin/lib/dunlin.jsa"), "the archive of classes is not used");
            assertTrue(memory.contains("/opt/dunlin/lib/native/librocksdbjni"), "the library was unpacked elsewhere");

            String natives = broker.exec("dunlin", "version");
            assertTrue(natives.contains("epoll") && natives.contains("TLS BoringSSL"), natives);

            Command health = containers.podman(List.of("healthcheck", "run", "defaults"));
            assertEquals(0, health.exitCode(), health.text());

            mosquitto(broker, "mosquitto_pub", "-q", "1", "-r", "-t", "in/a/box", "-m", "carried");
            assertEquals("carried", mosquitto(broker, "mosquitto_sub", "-t", "in/a/box", "-C", "1", "-W", "10"));
            assertEquals(0, broker.stop(), broker.log());
        } finally {
            broker.remove();
        }
    }

    /** A program of this machine in the network of a container. */
    private static String mosquitto(Container container, String program, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                RealClient.program("nsenter").toString(),
                "--target=" + container.pid(),
                "--net",
                RealClient.program(program).toString()));
        command.addAll(List.of(arguments));
        return Command.run(command).expectSuccess(command).strip();
    }

    @Test
    void kill9_andSigterm_keepInTheVolumeWhatWasAcknowledged() throws Exception {
        int port = Ports.free();
        List<String> options = List.of(
                "--network=host",
                "--env=DUNLIN_LISTENERS_0_BIND=127.0.0.1",
                "--env=DUNLIN_LISTENERS_0_PORT=" + port,
                "--env=DUNLIN_ADMIN_PORT=0",
                ANY_USER,
                FEW,
                "--volume=kept:/data",
                IMAGE);
        Set<String> acknowledged = new TreeSet<>();

        Container first = containers.start("first", options);
        first.awaitReady();
        try (MqttSocket away = subscriber(port)) {
            away.subscribe("kept/#", Qos.AT_LEAST_ONCE);
        }
        publishUntil(port, "killed", acknowledged, first::kill);
        first.remove();

        Container second = containers.start("second", options);
        second.awaitReady();
        publishUntil(port, "stopped", acknowledged, () -> {
            long began = System.nanoTime();
            assertEquals(0, second.stop(), second.log()); // 137 if it had taken longer than ten seconds
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
            System.out.println("ContainerIT: podman, runc, overlay; stopped within " + millis + " ms");
        });
        assertTrue(second.log().contains("Stopped"), second.log());
        second.remove();

        Container third = containers.start("third", options);
        third.awaitReady();
        try (MqttSocket back = subscriber(port)) {
            while (!acknowledged.isEmpty()) {
                Publish publish = back.receivePublish();
                acknowledged.remove(MqttSocket.text(publish));
            }
        }
        third.remove();
    }

    private static MqttSocket subscriber(int port) {
        MqttSocket socket = MqttSocket.open(port);
        socket.connect(Connect.builder(ProtocolVersion.MQTT_5, "away")
                .cleanStart(false)
                .sessionExpirySeconds(3600)
                .build());
        return socket;
    }

    /** Publishes on and on, and ends the broker meanwhile. */
    private static void publishUntil(int port, String name, Set<String> acknowledged, Runnable end) throws Exception {
        AtomicInteger count = new AtomicInteger();
        Thread publisher = new Thread(() -> {
            try (MqttSocket socket = MqttSocket.open(port).connect(ProtocolVersion.MQTT_5, "publisher")) {
                for (int i = 0; i < 100_000; i++) {
                    socket.publish("kept/" + name, name + i, Qos.AT_LEAST_ONCE);
                    acknowledged.add(name + i);
                    count.incrementAndGet();
                }
            } catch (AssertionError | UncheckedIOException ended) {
                // that is what it is about
            }
        });
        publisher.start();
        try {
            Await.until("some acknowledgements", () -> count.get() >= 20);
            end.run();
        } finally {
            publisher.join();
        }
        System.out.println("ContainerIT: " + count + " acknowledged before it was " + name);
    }

    /** On the image's system, which has a Java; the image's own Dunlin is another one, in another place. */
    @Test
    void debianPackage_installs_serves_andLeavesWhatIsStored() throws Exception {
        Path target = RunningBroker.jar().getParent();
        try (DirectoryStream<Path> packages = Files.newDirectoryStream(target, "*.deb")) {
            if (!packages.iterator().hasNext()) {
                RealClient.missing("there is no Debian package: mvn -Pdeb -DskipTests package makes it");
            }
        }
        String script = Files.readString(Path.of("src/test/sh/debian-package"));
        Command done = containers.podman(List.of(
                "run",
                "--rm",
                "--network=none",
                "--user=0",
                "--ulimit=nofile=10000:10000",
                "--ulimit=nproc=4000:4000",
                "--volume=" + Command.only(target, "*.deb") + ":/dunlin.deb:ro",
                "--entrypoint=sh",
                IMAGE,
                "-c",
                script));
        assertEquals(0, done.exitCode(), done.text());
    }
}
