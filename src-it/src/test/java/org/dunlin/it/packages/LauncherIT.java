package org.dunlin.it.packages;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.dunlin.it.RealClient;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ProtocolVersion;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What the tar.gz brings: {@code bin/dunlin} and {@code bin/dunlin-archive}. */
@DisabledOnOs(OS.WINDOWS)
class LauncherIT {
    private static final String OTHER_USER = "12345";

    /** A folder with a blank in its name. */
    @TempDir
    static Path top;

    private static Path home;

    @BeforeAll
    static void unpack() throws Exception {
        open(top);
        Path folder = Files.createDirectory(top.resolve("a folder"));
        open(folder);
        Command unpacked = run(
                Map.of(),
                RealClient.program("tar").toString(),
                "-xzf",
                Command.only(RunningBroker.jar().getParent(), "dunlin-*.tar.gz").toString(),
                "-C",
                folder.toString());
        assertEquals(0, unpacked.exitCode(), unpacked.text());
        home = Command.only(folder, "dunlin-*");
    }

    @Test
    void installation_ofAnotherUser_byALink_fromAnotherFolder_serves() throws Exception {
        Path elsewhere = Files.createDirectory(top.resolve("elsewhere"));
        Files.setPosixFilePermissions(elsewhere, PosixFilePermissions.fromString("rwxrwxrwx"));
        Path link = Files.createSymbolicLink(
                elsewhere.resolve("relative"),
                Path.of("../a folder").resolve(home.getFileName()).resolve("bin/dunlin"));
        Path linkToLink = Files.createSymbolicLink(elsewhere.resolve("mqtt"), link);
        String user =
                Command.asRoot() ? RealClient.program("setpriv") + " --reuid " + OTHER_USER + " --clear-groups " : "";
        String command = "cd '" + elsewhere + "' && JAVA_HOME='" + javaHome() + "' exec " + user + "'" + linkToLink
                + "' start -p 0 --set admin.port=0 --set limits.max-connections=1000";
        try (RunningBroker broker = RunningBroker.run(List.of("sh", "-c", command))) {
            broker.socket().connect(ProtocolVersion.MQTT_5, "launched").close();
            assertEquals(0, broker.stop());
            assertTrue(broker.log().stream().noneMatch(line -> line.contains("WARN")), () -> "" + broker.log());
        }
        assertTrue(Files.isDirectory(elsewhere.resolve("data")), "the data are where the command was given");
    }

    /** What users of other brokers ask most about containers and their volumes. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void dataOfAnotherUser_isExitCode3_andTheCommandThatCuresIt() throws Exception {
        assumeTrue(Command.asRoot(), "only root can give a folder away");
        Path data = Files.createDirectory(top.resolve("theirs"));
        Command refused = run(
                Map.of("JAVA_HOME", javaHome()),
                RealClient.program("setpriv").toString(),
                "--reuid",
                OTHER_USER,
                "--clear-groups",
                home + "/bin/dunlin",
                "start",
                "-p",
                "0",
                "-d",
                data.toString(),
                "--set",
                "admin.port=0",
                "--set",
                "limits.max-connections=1000");
        assertEquals(3, refused.exitCode(), refused.text());
        assertEquals(1, refused.text().lines().count(), refused.text());
        assertTrue(refused.text().contains("belongs to user 0, group 0, with the rights rwx"), refused.text());
        assertTrue(refused.text().contains("the broker runs as user " + OTHER_USER), refused.text());
        assertTrue(refused.text().contains("chown -R " + OTHER_USER + " '" + data + "'"), refused.text());
    }

    @Test
    void javaOfTheEnvironment_thatIsMissingOrTooOld_isOneLineThatNamesTheCure() throws Exception {
        Command missing = run(Map.of("JAVA_HOME", "/nowhere"), home + "/bin/dunlin", "version");
        assertEquals(2, missing.exitCode());
        assertEquals(1, missing.text().lines().count(), missing.text());
        assertTrue(
                missing.text().startsWith("dunlin: JAVA_HOME is /nowhere, but there is no bin/java"), missing.text());

        for (String version : List.of("1.8.0_402", "11.0.2")) {
            Command old = run(Map.of("JAVA_HOME", stub(version).toString()), home + "/bin/dunlin", "version");
            assertEquals(2, old.exitCode());
            assertTrue(old.text().contains("needs 17 or newer: install Java 17 or newer"), old.text());
        }
    }

    @Test
    void optionsOfTheUser_win_andChooseCollectorAndHeap() throws Exception {
        String jar = "-jar " + home + "/lib/dunlin.jar";
        String plain = optionsWith("", "start");
        assertTrue(plain.contains("-XX:+ExitOnOutOfMemoryError"), plain);
        assertTrue(plain.contains(jar + " start"), plain);

        String chosen = optionsWith("-XX:+UseZGC -Xmx3g -Dx=*", "start");
        assertFalse(chosen.contains("UseG1GC") || chosen.contains("UseSerialGC"), chosen); // two are an error
        assertFalse(chosen.contains("MaxDirectMemorySize"), chosen);
        assertTrue(chosen.contains("-XX:+UseZGC -Xmx3g -Dx=* " + jar), chosen);

        String command = optionsWith("", "user");
        assertTrue(command.contains("-XX:+UseSerialGC") && !command.contains("-Xmx"), command);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void memoryOfTheMachine_givesAHeap_andBoundsBuffersAboveAnyBudget() throws Exception {
        String options = optionsWith("", "start");
        long heap = megabytes(options, "-Xmx");
        long buffers = megabytes(options, "-XX:MaxDirectMemorySize=");
        assertTrue(heap >= 64, options);
        assertTrue(buffers > heap * 8 / 10, options); // the largest budget that can be set
        assertTrue(options.contains("GC"), options);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void classArchive_isUsed_andADamagedOneIsAsIfItWereNotThere() throws Exception {
        Path archive = home.resolve("lib/dunlin.jsa");
        Command made = run(Map.of("JAVA_HOME", javaHome()), home + "/bin/dunlin-archive");
        assertEquals(0, made.exitCode(), made.text());
        assertEquals("", made.text());
        try {
            assertTrue(startsWithout("WARN", archive), "the archive is in memory");

            // of another build of Java: the identification in its header differs
            byte[] bytes = Files.readAllBytes(archive);
            for (int i = 8; i < 400; i++) {
                bytes[i] ^= 0x55;
            }
            Files.write(archive, bytes);
            assertFalse(startsWithout("warning", archive), "the archive fits and should not");
        } finally {
            Files.delete(archive);
        }
    }

    /** @return whether the archive is in its memory */
    private static boolean startsWithout(String word, Path archive) throws IOException {
        List<String> command = new ArrayList<>(
                List.of("env", "JAVA_HOME=" + javaHome(), home + "/bin/dunlin", "start", "-p", "0", "-d"));
        command.add(RunningBroker.newDataDirectory().toString());
        command.addAll(List.of("--set", "admin.port=0", "--set", "limits.max-connections=1000"));
        try (RunningBroker broker = RunningBroker.run(command)) {
            boolean mapped = Files.readString(Path.of("/proc", Long.toString(broker.pid()), "maps"))
                    .contains(archive.toString());
            assertEquals(0, broker.stop());
            assertTrue(broker.log().stream().noneMatch(line -> line.contains(word)), () -> "" + broker.log());
            return mapped;
        }
    }

    private static long megabytes(String options, String name) {
        int at = options.indexOf(name);
        assertTrue(at >= 0, options);
        String number = options.substring(at + name.length());
        return Long.parseLong(number.substring(0, number.indexOf('m')));
    }

    /** What bin/dunlin gives to Java. */
    private static String optionsWith(String javaOptions, String command) throws Exception {
        Command output = run(
                Map.of("JAVA_HOME", stub("17.0.1").toString(), "DUNLIN_JAVA_OPTS", javaOptions),
                home + "/bin/dunlin",
                command);
        assertEquals(0, output.exitCode(), output.text());
        return output.text();
    }

    /** A java that says of which version it is, and else what it was given. */
    private static Path stub(String version) throws IOException {
        Path folder = top.resolve("java-" + version);
        Path java = folder.resolve("bin/java");
        if (Files.notExists(java)) {
            Files.createDirectories(java.getParent());
            Files.writeString(
                    java,
                    "#!/bin/sh\nif [ \"$1\" = -version ]; then echo 'openjdk version \"" + version
                            + "\"' >&2; else echo \"$@\"; fi\n");
            Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        return folder;
    }

    private static String javaHome() {
        return Path.of(RunningBroker.java()).getParent().getParent().toString();
    }

    private static void open(Path folder) throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static Command run(Map<String, String> environment, String... command) {
        return Command.run(environment, List.of(command));
    }
}
