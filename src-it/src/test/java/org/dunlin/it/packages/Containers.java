package org.dunlin.it.packages;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.dunlin.it.Await;
import org.dunlin.it.RealClient;

/**
 * Containers as people run them, by podman and runc as root, with images, volumes and all in a folder of their own. A test
 * whose machine cannot do that is skipped with a message, or fails under {@code -Ddunlin.it.requireTools=true}. One thread at a
 * time.
 */
final class Containers implements AutoCloseable {
    /** As the Dockerfile's; no registry is asked, so that it is made here, by the means that Debian makes it by. */
    private static final String BASE = "docker.io/library/debian:trixie-slim";

    private static final String RELEASE = "trixie";

    private final Path folder;
    private final List<String> podman;

    Containers() {
        if (!Command.asRoot()) {
            RealClient.missing("containers with namespaces and control groups of their own need root here");
        }
        RealClient.program("runc");
        try {
            folder = Files.createTempDirectory("dunlin-containers");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        podman = List.of(
                RealClient.program("podman").toString(),
                "--root=" + folder.resolve("root"),
                "--runroot=" + folder.resolve("run"),
                "--storage-driver=overlay",
                "--log-level=error", // a warning would be part of the answer
                "--runtime=runc");
    }

    /** What podman answers; healthchecks are run when a test says so, not by systemd. */
    Command podman(List<String> arguments) {
        List<String> command = new ArrayList<>(podman);
        command.addAll(arguments);
        return Command.run(Map.of("DISABLE_HC_SYSTEMD", "true"), command);
    }

    String podman(String... arguments) {
        return podman(List.of(arguments))
                .expectSuccess("podman " + String.join(" ", arguments))
                .strip();
    }

    /** Builds the image of the Dockerfile, as anybody does. */
    void build(String tag) {
        podman("import", "--quiet", base().toString(), BASE);
        Path root = Path.of(System.getProperty("dunlin.root", ".."))
                .toAbsolutePath()
                .normalize();
        podman(
                "build",
                "--quiet",
                "--format=docker",
                "--isolation=chroot",
                "--pull=never",
                "--file=" + root.resolve("docker/Dockerfile"),
                "--tag=" + tag,
                root.toString());
    }

    /** The files of the base image. Kept below the build's own folder for the next run. */
    private Path base() {
        try {
            Path kept = Files.createDirectories(Path.of("target", "containers"))
                    .resolve(RELEASE + ".tar")
                    .toAbsolutePath();
            if (Files.exists(kept)) {
                return kept;
            }
            Path files = folder.resolve("base");
            Command.run(List.of(
                            RealClient.program("debootstrap").toString(),
                            "--variant=minbase",
                            RELEASE,
                            files.toString()))
                    .expectSuccess("debootstrap");
            Path part = Path.of(kept + ".part");
            Command.run(List.of(
                            RealClient.program("tar").toString(),
                            "--create",
                            "--file=" + part,
                            "--directory=" + files,
                            "--exclude=./var/cache/apt/archives/*.deb",
                            "--exclude=./var/lib/apt/lists/*",
                            "--exclude=./proc/*",
                            "--exclude=./sys/*",
                            "--exclude=./dev/*",
                            "."))
                    .expectSuccess("tar");
            Command.run(List.of("rm", "-rf", "--one-file-system", files.toString()))
                    .expectSuccess("rm");
            return Files.move(part, kept);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Starts a container as the strictest platforms do: nothing to write to but its volumes, no capability, no way to more
     * rights, less memory than any machine has.
     */
    Container start(String name, List<String> options, String... command) {
        List<String> arguments = new ArrayList<>(List.of("run", "--detach", "--name=" + name));
        arguments.addAll(STRICT);
        arguments.addAll(options);
        arguments.addAll(List.of(command));
        podman(arguments).expectSuccess(arguments);
        return new Container(name);
    }

    /** As {@link #start}, for what ends by itself. */
    Command run(List<String> options, String... command) {
        List<String> arguments = new ArrayList<>(List.of("run", "--rm"));
        arguments.addAll(STRICT);
        arguments.addAll(options);
        arguments.addAll(List.of(command));
        return podman(arguments);
    }

    private static final List<String> STRICT = List.of(
            "--read-only",
            "--read-only-tmpfs=false",
            "--cap-drop=all",
            "--security-opt=no-new-privileges",
            "--memory=400m",
            "--ulimit=nofile=10000:10000", // podman would ask for more than root has where it is itself confined
            "--ulimit=nproc=4000:4000");

    final class Container {
        private final String name;

        private Container(String name) {
            this.name = name;
        }

        String log() {
            return podman("logs", name);
        }

        void awaitReady() {
            Await.until("Ready in\n" + log(), () -> {
                String log = log();
                if (!log.contains(" Ready on ") && !state("Running").equals("true")) {
                    throw new AssertionError("the broker ended before it was ready:\n" + log);
                }
                return log.contains(" Ready on ");
            });
        }

        String state(String what) {
            return podman("inspect", "--format={{.State." + what + "}}", name);
        }

        /** Its process, as the machine outside numbers it. */
        String pid() {
            return state("Pid");
        }

        /** What a command says that runs in it. */
        String exec(String... command) {
            List<String> arguments = new ArrayList<>(List.of("exec", name));
            arguments.addAll(List.of(command));
            return podman(arguments).expectSuccess(arguments);
        }

        /** SIGTERM, and SIGKILL ten seconds later if need be. @return the exit code */
        int stop() {
            podman("stop", "--time=10", name);
            return Integer.parseInt(state("ExitCode"));
        }

        void kill() {
            podman("kill", "--signal=KILL", name);
            podman("wait", name);
        }

        void remove() {
            podman("rm", "--force", "--time=0", name);
        }
    }

    @Override
    public void close() {
        podman("rm", "--all", "--force", "--time=0");
        podman("volume", "rm", "--all", "--force");
        podman("rmi", "--all", "--force");
        Command.run(List.of("rm", "-rf", "--one-file-system", folder.toString()));
    }
}
