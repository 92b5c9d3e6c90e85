package org.dunlin.it.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.dunlin.it.RunningBroker;

/**
 * A broker that is compared, state in memory: Dunlin, or one of those that a registry has. Main thread.
 *
 * @param name as in the arguments of a run
 * @param settings in words, for whoever reads the figures
 */
record Rival(String name, boolean java, String settings, Command command) {
    /** What starts it on a port of 127.0.0.1. */
    interface Command {
        List<String> of(int port, Path folder) throws IOException;
    }

    private static final String HEAP = "-Xmx2g";

    /** Builds what is not there. @throws IllegalArgumentException if nobody knows it */
    static Rival prepare(String name, Path work) throws IOException {
        return switch (name) {
            case "dunlin" -> dunlin();
            case "mosquitto" -> mosquitto();
            case "hivemq-ce" -> embedded(name, "2025.5", "HiveMqCe", work);
            case "moquette" -> embedded(name, "0.17", "Moquette", work);
            default ->
                throw new IllegalArgumentException(
                        "no broker " + name + "; known: dunlin, mosquitto, hivemq-ce, moquette");
        };
    }

    /**
     * The same, confined to some processors.
     *
     * @param processors as {@code taskset} takes them, like 0 or 0,1
     */
    Rival on(String processors) {
        return new Rival(name, java, settings + ", on processor(s) " + processors, (port, folder) -> {
            List<String> confined = new ArrayList<>(List.of("taskset", "-c", processors));
            confined.addAll(command.of(port, folder));
            return confined;
        });
    }

    private static Rival dunlin() {
        return new Rival(
                "dunlin",
                true,
                HEAP + ", storage.engine memory; all else default",
                (port, folder) -> List.of(
                        RunningBroker.java(),
                        HEAP,
                        "-jar",
                        RunningBroker.jar().toString(),
                        "start",
                        "-p",
                        Integer.toString(port),
                        "-d",
                        folder.resolve("data").toString(),
                        "--set",
                        "storage.engine=memory",
                        "--set",
                        "admin.port=0"));
    }

    private static Rival mosquitto() {
        List<String> settings = List.of(
                "allow_anonymous true",
                "max_queued_messages 0",
                "max_queued_bytes 0",
                "max_inflight_messages 100",
                "set_tcp_nodelay true",
                "user root",
                "log_type error",
                "log_type warning");
        return new Rival("mosquitto", false, String.join(", ", settings), (port, folder) -> {
            List<String> lines = new ArrayList<>(List.of("listener " + port + " 127.0.0.1"));
            lines.addAll(settings);
            Path file = Files.write(folder.resolve("mosquitto.conf"), lines);
            Path debian = Path.of("/usr/sbin/mosquitto");
            return List.of(Files.exists(debian) ? debian.toString() : "mosquitto", "-c", file.toString());
        });
    }

    /** A broker from Maven Central with a main class of ours, which is built outside the reactor. */
    private static Rival embedded(String name, String version, String main, Path work) throws IOException {
        Path source = Path.of("rivals", name).toAbsolutePath();
        Path built = work.resolve(name + "-" + version);
        Path libraries = built.resolve("lib");
        if (!Files.isDirectory(libraries)) {
            Path pom = source.resolve("pom.xml");
            Processes.complete(
                    List.of("mvn", "-q", "-B", "-f", pom.toString(), "-Dbuild.folder=" + built, "package"),
                    work.resolve(name + "-build.log"));
        }
        String path = built.resolve("classes") + ":" + libraries + "/*:" + source;
        return new Rival(name, true, HEAP + ", everybody let in; see src-it/rivals/" + name, (port, folder) -> {
            List<String> command = new ArrayList<>(List.of(RunningBroker.java(), HEAP));
            Stream.of("java.lang", "java.nio", "sun.nio.ch")
                    .forEach(opened -> command.add("--add-opens=java.base/" + opened + "=ALL-UNNAMED"));
            command.add("--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED");
            command.addAll(List.of("-Dio.netty.tryReflectionSetAccessible=true", "-cp", path, main));
            command.addAll(List.of(Integer.toString(port), folder.toString()));
            return command;
        });
    }
}
