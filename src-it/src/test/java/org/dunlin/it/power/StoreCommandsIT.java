package org.dunlin.it.power;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** The power fails when a command of {@code dunlin store} has just said that it is done. */
@Timeout(value = 20, unit = TimeUnit.MINUTES)
class StoreCommandsIT {
    private static final int CUTS = Integer.getInteger("dunlin.it.cuts", 3);
    private static final long SEED = Long.getLong("dunlin.seed", new Random().nextLong());

    private final Random random = new Random(SEED);

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    private Path work;

    private Path folder;
    private Path journal;
    private Path data;

    @BeforeEach
    void prepare() throws IOException {
        System.out.println("StoreCommandsIT: -Ddunlin.seed=" + SEED);
        folder = Files.createDirectory(work.toRealPath().resolve("disk"));
        journal = work.toRealPath().resolve("journal");
        data = work.resolve("data");
        try (RunningBroker broker = RunningBroker.run(
                        RunningBroker.command(List.of("-XX:TieredStopAtLevel=1"), List.of("storage.path=" + data)));
                MqttSocket client = broker.socket()) {
            client.connect(Connect.builder(ProtocolVersion.MQTT_5, "client")
                    .sessionExpirySeconds(3600)
                    .build());
            client.publish(MqttSocket.message("retained", "value", Qos.AT_LEAST_ONCE, true));
        }
    }

    @Test
    void backup_outlivesAPowerCut() {
        Path target = folder.resolve("backups").resolve("today");
        run(Shim.watching(folder, journal, ""), "backup", target.toString(), "-d", data.toString());
        assertEndures("backups/today");
    }

    /** Its tables are links, its log is a copy; the power fails when the command has ended. */
    @Test
    void backupOfARunningBroker_outlivesAPowerCut() {
        Path running = folder.resolve("running");
        List<String> command = new ArrayList<>(Shim.watching(folder, journal, ""));
        command.addAll(RunningBroker.command(List.of("-XX:TieredStopAtLevel=1"), List.of("storage.path=" + running)));
        try (RunningBroker broker = RunningBroker.run(command);
                MqttSocket client = broker.socket()) {
            client.connect(Connect.builder(ProtocolVersion.MQTT_5, "client").build());
            for (int i = 0; i < 20; i++) {
                client.publish(MqttSocket.message("retained/" + i, "value", Qos.AT_LEAST_ONCE, true));
            }
            String url = broker.awaitLog("Ready").replaceFirst(".*admin (http://[0-9.:]+);.*", "$1");
            String token = running.resolve("admin.token").toString();
            dunlin(List.of(), "backup", "today", "--url", url, "--token-file", token);
            broker.kill();
        }
        for (int cut = 0; cut < CUTS; cut++) {
            Disk disk = Disk.empty(folder);
            disk.replay(journal);
            disk.cut(random);
            Path left = work.resolve("left" + cut);
            disk.restore(left);
            Path today = left.resolve("running/backups/today");
            run(List.of(), "verify", "-d", today.toString());
            Path export = work.resolve("export" + cut);
            run(List.of(), "export", export.toString(), "-d", today.toString());
            assertEquals(20, retained(export));
        }
    }

    private static long retained(Path export) {
        try (Stream<String> lines = Files.lines(export)) {
            return lines.filter(line -> line.startsWith("{\"retained\":")).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void importedStore_outlivesAPowerCut() {
        String export = work.resolve("export").toString();
        run(List.of(), "export", export, "-d", data.toString());
        Path target = folder.resolve("imported").resolve("data");
        run(Shim.watching(folder, journal, ""), "import", export, "-d", target.toString());
        assertEndures("imported/data");
    }

    private void assertEndures(String target) {
        for (int cut = 0; cut < CUTS; cut++) {
            Disk disk = Disk.empty(folder);
            disk.replay(journal);
            assertEquals(List.of(), disk.differences());
            disk.cut(random);
            Path left = work.resolve("left" + cut);
            disk.restore(left);
            run(List.of(), "verify", "-d", left.resolve(target).toString());
        }
    }

    private static void run(List<String> prefix, String... arguments) {
        List<String> all = new ArrayList<>(List.of("store"));
        all.addAll(List.of(arguments));
        dunlin(prefix, all.toArray(String[]::new));
    }

    private static void dunlin(List<String> prefix, String... arguments) {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of(RunningBroker.java(), "-XX:TieredStopAtLevel=1", "-jar", "" + RunningBroker.jar()));
        command.addAll(List.of(arguments));
        try {
            Process process = new ProcessBuilder(command).inheritIO().start();
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("it does not end: " + command);
            }
            assertEquals(0, process.exitValue(), () -> String.join(" ", command));
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
