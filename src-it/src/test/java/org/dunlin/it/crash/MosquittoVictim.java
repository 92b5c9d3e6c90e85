package org.dunlin.it.crash;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.jspecify.annotations.Nullable;

/** Mosquitto with persistence, which is written now and then and at an orderly end. One thread. */
final class MosquittoVictim implements Victim {
    private final Path program;
    private final Path folder;
    private final int port;
    private @Nullable Process process;

    /** @param folder an empty one, for its configuration and its data */
    MosquittoVictim(Path program, Path folder) {
        this.program = program;
        this.folder = folder;
        port = Ports.free();
        try {
            Files.writeString(
                    folder.resolve("mosquitto.conf"),
                    String.join(
                            "\n",
                            "listener " + port + " 127.0.0.1",
                            "allow_anonymous true",
                            "persistence true",
                            "persistence_location " + folder + "/",
                            "user " + System.getProperty("user.name"),
                            "max_queued_messages 0",
                            "max_inflight_messages 60000",
                            ""));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void launch(boolean newPort) {
        try {
            process = new ProcessBuilder(
                            program.toString(),
                            "-c",
                            folder.resolve("mosquitto.conf").toString())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(
                            folder.resolve("log").toFile()))
                    .start();
            Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public int awaitReady() {
        Await.until("mosquitto listens", () -> {
            try {
                MqttSocket.open(port).close();
                return true;
            } catch (UncheckedIOException e) {
                return false;
            }
        });
        return port;
    }

    private Process running() {
        Process now = process;
        if (now == null) {
            throw new IllegalStateException("not launched");
        }
        return now;
    }

    @Override
    public void kill() {
        running().destroyForcibly().onExit().join();
    }

    @Override
    public void stop() {
        running().destroy();
        running().onExit().orTimeout(20, TimeUnit.SECONDS).join();
    }

    @Override
    public Promises promises() {
        return Promises.LEAST;
    }

    @Override
    public String logTail() {
        try {
            List<String> lines = Files.readAllLines(folder.resolve("log"));
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Override
    public void close() {
        if (process != null) {
            kill();
        }
    }
}
