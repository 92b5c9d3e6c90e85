package org.dunlin.it.packages;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.Await;
import org.dunlin.it.RealClient;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ProtocolVersion;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Dunlin under systemd: what it says to it, and what {@code conf/dunlin.service} asks of it. */
@EnabledOnOs(OS.LINUX)
class ServiceIT {
    /** Of 100, where 100 is a service without any protection. */
    private static final int EXPOSURE = 20;

    private static final Path ROOT = Path.of(System.getProperty("dunlin.root", ".."));

    @TempDir
    Path folder;

    /** notify.c is systemd's end of it; the number is that of the process, which has to be the one that was started. */
    @ParameterizedTest
    @ValueSource(strings = {"/", "@"})
    void start_reload_andStop_areToldToTheSupervisor(String kind) throws Exception {
        String address = kind + folder.resolve("notify").toString().substring(1);
        try (RealClient systemd = RealClient.run(notify(folder).toString(), address)) {
            systemd.awaitLine("listening");
            List<String> command = new ArrayList<>(List.of("env", "--default-signal=HUP", "NOTIFY_SOCKET=" + address));
            Path data = folder.resolve("data");
            command.addAll(RunningBroker.command(
                    List.of("-Xmx256m"), List.of("limits.max-connections=1000", "storage.path=" + data)));
            try (RunningBroker broker = RunningBroker.run(command)) {
                systemd.awaitLine(broker.pid() + " STATUS=Bringing back");
                systemd.awaitLine(broker.pid() + " READY=1 STATUS=Serving");
                broker.socket().connect(ProtocolVersion.MQTT_5, "ready").close(); // it said it, so it serves
                Command.run(List.of("kill", "-HUP", Long.toString(broker.pid())))
                        .expectSuccess("kill");
                systemd.awaitLine(broker.pid() + " RELOADING=1 MONOTONIC_USEC=");
                systemd.awaitLine(broker.pid() + " READY=1 STATUS=Serving, told to reload");
                reload(broker, data);
                Await.until(
                        "the supervisor is told of what was asked for by the admin port, too",
                        () -> systemd.lines().stream()
                                        .filter(line -> line.contains("STATUS=Serving, told to reload"))
                                        .count()
                                == 2);
                assertEquals(0, broker.stop());
                systemd.awaitLine(broker.pid() + " STOPPING=1");
            }
        }
    }

    private static void reload(RunningBroker broker, Path data) {
        String url = broker.awaitLog("Ready").replaceFirst(".*admin (http://[0-9.:]+);.*", "$1");
        Command.run(List.of(
                        RunningBroker.java(),
                        "-jar",
                        RunningBroker.jar().toString(),
                        "reload",
                        "--url",
                        url,
                        "--token-file",
                        data.resolve("admin.token").toString()))
                .expectSuccess("reload");
    }

    @Test
    void supervisor_thatIsNotThere_isALineInTheLog_andTheBrokerServes() {
        List<String> command = new ArrayList<>(List.of("env", "NOTIFY_SOCKET=" + folder.resolve("nobody")));
        command.addAll(RunningBroker.command(List.of("-Xmx256m"), List.of("limits.max-connections=1000")));
        try (RunningBroker broker = RunningBroker.run(command)) {
            broker.socket().connect(ProtocolVersion.MQTT_5, "unsupervised").close();
            broker.awaitLog("NOTIFY_SOCKET cannot be told READY=1");
            assertEquals(0, broker.stop());
        }
    }

    @Test
    void unit_isRight_andExposesLittle() throws Exception {
        String unit = Files.readString(ROOT.resolve("conf/dunlin.service"));
        assertTrue(unit.contains("ExecStart=/usr/bin/dunlin "), unit);
        Path copy = folder.resolve("dunlin.service"); // the program is not installed here
        Files.writeString(copy, unit.replace("ExecStart=/usr/bin/dunlin ", "ExecStart=/bin/true "));
        String analyze = RealClient.program("systemd-analyze").toString();

        Command verified = Command.run(List.of(analyze, "verify", copy.toString()));
        assertEquals("", verified.expectSuccess("systemd-analyze verify"));
        List<String> command =
                List.of(analyze, "security", "--offline=true", "--threshold=" + EXPOSURE, copy.toString());
        Command.run(command).expectSuccess(command);
    }

    private static Path notify(Path folder) throws IOException {
        Path made = folder.resolve("notify-program");
        List<String> command = List.of(
                RealClient.program("cc").toString(),
                "-std=gnu11",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-o",
                made.toString(),
                ROOT.resolve("src-it/src/test/c/notify.c").toString());
        Command.run(command).expectSuccess(command);
        return made;
    }
}
