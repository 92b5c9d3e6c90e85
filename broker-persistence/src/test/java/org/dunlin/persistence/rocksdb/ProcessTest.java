package org.dunlin.persistence.rocksdb;

import static org.dunlin.persistence.testing.Uses.commit;
import static org.dunlin.persistence.testing.Uses.message;
import static org.dunlin.persistence.testing.Uses.read;
import static org.dunlin.persistence.testing.Uses.readAll;
import static org.dunlin.persistence.testing.Uses.session;
import static org.dunlin.persistence.testing.Uses.writing;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreException.Kind;
import org.dunlin.core.spi.StoreSettings.Durability;
import org.dunlin.mqtt.Qos;
import org.dunlin.persistence.testing.Engine;
import org.dunlin.persistence.testing.Told;
import org.dunlin.persistence.testing.Uses;
import org.dunlin.persistence.testing.Uses.Place;
import org.dunlin.persistence.testing.Uses.Read;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.rocksdb.util.Environment;

/** The store beside other processes, killed ones among them, and on file systems that really fail. */
class ProcessTest {
    private static final SessionKey ANN = new SessionKey(1, 1);

    @TempDir
    Path directory;

    @ParameterizedTest
    @EnumSource
    void killedProcess_leavesAllThatItAcknowledged_andNoLock(Durability durability) throws Exception {
        long acknowledged = 0;
        for (int round = 0; round < 2; round++) {
            Process holder = Holder.start(directory, durability);
            try (BufferedReader out = holder.inputReader(StandardCharsets.UTF_8)) {
                assertEquals("open", out.readLine());
                if (round == 0) {
                    Store second = new RocksStore(Engine.settings(directory, durability));
                    StoreException refusal = assertThrows(StoreException.class, () -> second.open(new Told()));
                    assertEquals(Kind.LOCKED, refusal.kind());
                    assertTrue(refusal.getMessage().contains("pid " + holder.pid() + " on "), refusal.getMessage());
                }
                for (int i = 0; i < 300; i++) {
                    acknowledged = Long.parseLong(out.readLine());
                }
                holder.toHandle().destroyForcibly(); // the process would close what it has written, too
                for (String line = out.readLine(); line != null && !line.isEmpty(); line = out.readLine()) {
                    acknowledged = Math.max(acknowledged, Long.parseLong(line));
                }
            } finally {
                holder.destroyForcibly();
                holder.waitFor();
            }
            Store store = new RocksStore(Engine.settings(directory, durability));
            store.open(new Told());
            try {
                Read all = readAll(store, 1);
                assertNull(all.failure());
                List<Long> places = all.places();
                assertTrue(places.size() >= acknowledged, places.size() + " of " + acknowledged);
                for (int i = 0; i < places.size(); i++) {
                    assertEquals(i + 1, places.get(i));
                }
            } finally {
                store.close();
            }
        }
    }

    private static boolean run(String... command) throws Exception {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        return process.waitFor() == 0;
    }

    private Path mount(String size) throws Exception {
        Path mounted = Files.createDirectory(directory.resolve("mounted"));
        assumeTrue(
                "root".equals(System.getProperty("user.name"))
                        && run("mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", mounted.toString()),
                "only who may mount a file system can run this");
        return mounted;
    }

    @Test
    void diskThatIsReallyFull_losesNothingAcknowledged_andComesBack() throws Exception {
        Path mounted = mount("80m");
        try {
            Path ballast = mounted.resolve("ballast");
            Files.write(ballast, new byte[20 << 20]);
            Path data = mounted.resolve("data");
            Store store = new RocksStore(Engine.settings(data, Durability.FSYNC));
            store.open(new Told());
            commit(store, batch -> batch.putSession(ANN, session("ann")));
            int there = 0;
            String failure = null;
            while (failure == null) {
                int id = there + 1;
                failure = Uses.await(writing(
                        store,
                        batch -> batch.enqueue(
                                message(id, "a", 700_000), List.of(new Place(ANN, Qos.AT_LEAST_ONCE, false)))));
                there += failure == null ? 1 : 0;
                assertTrue(there < 1000);
            }
            assertTrue(failure.contains("the disk is full"), failure);
            assertTrue(store.status().fault().contains("the disk is full"));
            assertEquals(there, count(store));
            Files.delete(ballast);
            run("mount", "-o", "remount,size=400m", mounted.toString());
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (store.status().fault() != null) {
                assertTrue(System.nanoTime() < deadline, store.status().fault());
                LockSupport.parkNanos(1_000_000);
            }
            Uses.enqueue(store, message(9999, "a", 700_000), ANN);
            assertEquals(there + 1, count(store));
            store.close();
            store = new RocksStore(Engine.settings(data, Durability.FSYNC));
            store.open(new Told());
            assertEquals(there + 1, count(store));
            store.close();
        } finally {
            run("umount", "-l", mounted.toString());
        }
    }

    private static int count(Store store) {
        int count = 0;
        long after = 0;
        boolean more = true;
        while (more) {
            Read page = read(store, 1, after, Long.MAX_VALUE, 10, 1 << 30);
            assertNull(page.failure());
            count += page.messages().size();
            more = page.more();
            after = count == 0 ? 0 : page.places().get(page.places().size() - 1);
        }
        return count;
    }

    @Test
    void directoryThatCannotBeWritten_isRefused() throws Exception {
        Path mounted = mount("20m");
        try {
            assertTrue(run("mount", "-o", "remount,ro", mounted.toString()));
            for (Path data : List.of(mounted, mounted.resolve("data"))) {
                Store store = new RocksStore(Engine.settings(data, Durability.FSYNC));
                StoreException refusal = assertThrows(StoreException.class, () -> store.open(new Told()));
                assertEquals(Kind.IO, refusal.kind());
                assertTrue(refusal.getMessage().contains("storage.path " + data), refusal.getMessage());
                assertTrue(refusal.getMessage().contains("Read-only file system"), refusal.getMessage());
            }
        } finally {
            run("umount", "-l", mounted.toString());
        }
    }

    @Test
    void directoryWithoutRoom_isRefused() throws Exception {
        Path mounted = mount("300k");
        try {
            NativeLibrary.load(directory.resolve("library"));
            Files.write(mounted.resolve("ballast"), new byte[200_000]);
            Store store = new RocksStore(Engine.settings(mounted.resolve("data"), Durability.FSYNC));
            StoreException refusal = assertThrows(StoreException.class, () -> store.open(new Told()));
            assertEquals(Kind.NO_SPACE, refusal.kind(), refusal.getMessage());
        } finally {
            run("umount", "-l", mounted.toString());
        }
    }

    private String firstLine(String... options) throws Exception {
        Process holder = Holder.start(directory.resolve("data"), Durability.NONE, options);
        try (BufferedReader out = holder.inputReader(StandardCharsets.UTF_8)) {
            return out.readLine();
        } finally {
            holder.destroyForcibly().waitFor();
        }
    }

    @Test
    void nativeLibrary_isUnpackedOnceIntoTheDataDirectory() throws Exception {
        assertEquals("open", firstLine("-Djava.io.tmpdir=" + directory.resolve("nowhere")));
        List<Path> unpacked = libraries();
        assertEquals(1, unpacked.size());
        FileTime time = Files.getLastModifiedTime(unpacked.get(0));
        assertEquals("open", firstLine());
        assertEquals(unpacked, libraries());
        assertEquals(time, Files.getLastModifiedTime(unpacked.get(0)));
    }

    @Test
    void nativeLibrary_thatIsInstalled_isTaken() throws Exception {
        String name = Environment.getJniLibraryFileName("rocksdb");
        Path installed = Files.createDirectories(directory.resolve("installed"));
        try (InputStream in = Environment.class.getResourceAsStream("/" + name)) {
            assumeTrue(in != null, "the jar has no " + name);
            Files.copy(in, installed.resolve(name));
        }
        assertEquals("open", firstLine("-Djava.library.path=" + installed));
        assertEquals(List.of(), libraries());
    }

    @Test
    void nativeLibrary_thatDoesNotLoad_isSaidWithThePlatformAndTheOtherChoice() throws Exception {
        for (String platform : List.of("ppc64le", "unheard-of-64")) {
            String line = firstLine("-Dos.arch=" + platform);
            if ("open".equals(line)) {
                continue; // it is taken for the platform that it is
            }
            assertTrue(line.startsWith("UNSUPPORTED "), line);
            assertTrue(line.contains(System.getProperty("os.name") + " " + platform), line);
            assertTrue(line.contains("storage.engine: memory"), line);
        }
        assertTrue(firstLine("-Dos.arch=ppc64le").startsWith("UNSUPPORTED "));
    }

    private List<Path> libraries() throws Exception {
        Path folder = directory.resolve("data/native");
        if (!Files.exists(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }
}
