package org.dunlin.it.compare;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.dunlin.it.figures.Figures;
import org.dunlin.it.figures.Report;

/**
 * From the start of a broker's process to the first CONNACK, and its memory when nothing has happened since. Dunlin as it is
 * installed: the archive with its class-data archive, files in a new directory, all else default. Main thread.
 */
final class Starts {
    private static final long IDLE_SECONDS = 3;
    private static final String INSTALLED = "installed";

    private final LoadGenerator load;
    private final Path work;
    private final Figures figures = new Figures();

    Starts(LoadGenerator load, Path work) {
        this.load = load;
        this.work = work;
    }

    void measure(List<Rival> rivals, int rounds, Report report) throws IOException {
        Folders.fresh(work.resolve(INSTALLED));
        report.head("start", "", "ms to CONNACK", "processor time until then, ms", "idle memory, MB");
        for (int round = 0; round <= rounds; round++) { // the first brings files into the system's memory
            for (Rival rival : rivals) {
                Rival started = rival.name().equals("dunlin") ? installed() : rival;
                double[] values = once(started);
                if (round > 0) {
                    figures.add(started.name(), values);
                }
            }
        }
        for (Rival rival : rivals) {
            report.row(List.of(
                    rival.name(),
                    Figures.show(figures.median(rival.name(), 0)),
                    Figures.show(figures.median(rival.name(), 1)),
                    Figures.show(figures.median(rival.name(), 2))));
        }
    }

    private double[] once(Rival rival) throws IOException {
        Path folder = Folders.fresh(work.resolve("start-" + rival.name()));
        int port = RivalBroker.freePort();
        Path said = folder.resolve("wait.json");
        Process waiting = load.begin(List.of("wait", "-p", Integer.toString(port), "-d", "90"), said);
        try (RivalBroker broker = RivalBroker.begin(rival, port, folder)) {
            waiting.waitFor(100, TimeUnit.SECONDS);
            JsonNode answer = LoadGenerator.answer(said, List.of("wait"));
            double cpu = broker.cpuMillis();
            TimeUnit.SECONDS.sleep(IDLE_SECONDS);
            return new double[] {answer.path("ms").asDouble(), cpu, broker.memory() / 1024.0};
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        } finally {
            waiting.destroyForcibly();
        }
    }

    /** Unpacked, with its class-data archive. */
    private Rival installed() throws IOException {
        Path home = work.resolve(INSTALLED);
        if (!Files.exists(home.resolve("bin"))) {
            Path archive;
            try (Stream<Path> built = Files.list(Path.of("..", "broker-server", "target"))) {
                archive = built.filter(path -> path.toString().endsWith(".tar.gz"))
                        .findFirst()
                        .orElseThrow(() -> new IllegalStateException("no archive: mvn -DskipTests package makes it"));
            }
            Path log = work.resolve("install.log");
            Processes.complete(
                    List.of("tar", "-xzf", archive.toString(), "-C", home.toString(), "--strip-components=1"), log);
            Processes.complete(List.of(home.resolve("bin/dunlin-archive").toString()), log);
        }
        return new Rival(
                "dunlin",
                true,
                "bin/dunlin",
                (port, folder) -> List.of(
                        home.resolve("bin/dunlin").toString(),
                        "start",
                        "-p",
                        Integer.toString(port),
                        "-d",
                        folder.resolve("data").toString(),
                        "--set",
                        "admin.port=0"));
    }
}
