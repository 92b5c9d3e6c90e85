package org.dunlin.server.backup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreException.Kind;
import org.dunlin.server.backup.Backups.Backup;
import org.dunlin.server.backup.Backups.Refused;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BackupsTest {
    @TempDir
    Path folder;

    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch held = new CountDownLatch(1);
    private Backups backups;

    @AfterEach
    void close() {
        held.countDown();
        backups.close();
    }

    private Path directory() {
        return folder.resolve("deep/backups");
    }

    private Backups with(Backups.Source source) {
        backups = new Backups(directory(), source);
        return backups;
    }

    /** As much of a store as there has to be. */
    private static void fill(Path copy) {
        try {
            Files.writeString(Files.createDirectory(copy.resolve("db")).resolve("1.sst"), "12345");
            Files.writeString(copy.resolve("FORMAT"), "layout=1");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Backup done(CompletionStage<Backup> stage) {
        return stage.toCompletableFuture().join();
    }

    private static StoreException failure(CompletionStage<Backup> stage) {
        return assertInstanceOf(
                StoreException.class,
                assertThrows(CompletionException.class, () -> done(stage)).getCause());
    }

    private List<String> names() throws IOException {
        return backups.list().stream().map(Backup::name).sorted().toList();
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(directory())) {
            return files.map(each -> each.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void copies_areListed_andRemoved() throws Exception {
        with(BackupsTest::fill);
        assertEquals(List.of(), backups.list());
        Backup made = done(backups.make("before-upgrade").done());
        assertEquals("before-upgrade", made.name());
        assertEquals(13, made.bytes());
        Backups.Started stamped = backups.make(null);
        assertTrue(stamped.name().matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d-\\d\\d-\\d\\dZ"), stamped.name());
        done(stamped.done());
        assertEquals(List.of(stamped.name(), "before-upgrade"), names());
        assertEquals(
                Refused.Why.EXISTS,
                assertThrows(Refused.class, () -> backups.make("before-upgrade"))
                        .why());
        done(backups.remove("before-upgrade"));
        assertEquals(List.of(stamped.name()), names());
        assertEquals(List.of(stamped.name(), "LOCK.backups"), files());
        assertEquals(
                Refused.Why.ABSENT,
                assertThrows(Refused.class, () -> backups.remove("before-upgrade"))
                        .why());
        assertNull(backups.busy());
    }

    @Test
    void twoWithinASecond_haveNamesOfTheirOwn() throws Exception {
        with(BackupsTest::fill);
        for (int i = 0; i < 5; i++) {
            done(backups.make(null).done());
        }
        assertEquals(5, names().size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "../x", "a/b", "a\\b", ".hidden", "-x", "ä", "a b", "a\n", "LOCK*"})
    void name_thatIsNone_isRefused(String name) throws Exception {
        with(BackupsTest::fill);
        assertEquals(
                Refused.Why.NAME,
                assertThrows(Refused.class, () -> backups.make(name)).why());
        assertEquals(
                Refused.Why.NAME,
                assertThrows(Refused.class, () -> backups.remove(name)).why());
        assertFalse(Files.exists(directory()));
    }

    @Test
    void second_whileOneIsMade_isRefused_andRemovingToo() throws Exception {
        with(copy -> {
            begun.countDown();
            try {
                held.await();
            } catch (InterruptedException e) {
                throw new StoreException(Kind.IO, "interrupted", e);
            }
            fill(copy);
        });
        Backups.Started first = backups.make("first");
        begun.await();
        Refused busy = assertThrows(Refused.class, () -> backups.make("second"));
        assertEquals(Refused.Why.BUSY, busy.why());
        assertTrue(String.valueOf(busy.getMessage()).contains("first is being made"), busy.getMessage());
        assertEquals("first", backups.busy().name());
        assertEquals(List.of(), names(), "half a copy is none");
        held.countDown();
        done(first.done());
        assertEquals(List.of("first"), names());
        done(backups.make("second").done());
    }

    @Test
    void failure_leavesNothing_andIsTold_untilOneSucceeds() throws Exception {
        boolean[] fails = {true};
        with(copy -> {
            fill(copy);
            if (fails[0]) {
                throw new StoreException(Kind.NO_SPACE, "no room");
            }
        });
        assertEquals(Kind.NO_SPACE, failure(backups.make("a").done()).kind());
        assertEquals(List.of("LOCK.backups"), files());
        assertEquals("no room", backups.failure().why());
        fails[0] = false;
        done(backups.make("a").done());
        assertNull(backups.failure());
    }

    @Test
    void bug_inTheStore_leavesNothingAndDoesNotBlockTheNext() throws Exception {
        boolean[] fails = {true};
        with(copy -> {
            fill(copy);
            if (fails[0]) {
                throw new IllegalStateException("bug");
            }
        });
        Backups.Started started = backups.make("a");
        assertThrows(CompletionException.class, () -> done(started.done()));
        assertEquals(List.of("LOCK.backups"), files());
        fails[0] = false;
        done(backups.make("a").done());
    }

    @Test
    void halfACopyOfAProcessThatEnded_isRemovedByTheNext() throws Exception {
        Files.createDirectories(directory().resolve(".part-old/db"));
        Files.writeString(directory().resolve(".part-old/db/1.sst"), "x");
        with(BackupsTest::fill);
        assertEquals(List.of(), names());
        done(backups.make("new").done());
        assertEquals(List.of("LOCK.backups", "new"), files());
    }

    /** Else admin.backup-path beside storage.path would let a request remove what a broker works on. */
    @Test
    void directoryThatABrokerHasUsed_isNeitherListedNorRemoved() throws Exception {
        Path data = directory().resolve("data");
        Files.createDirectories(data);
        fill(data);
        Files.writeString(data.resolve("LOCK.broker"), "");
        Files.createDirectories(directory().resolve("other"));
        with(BackupsTest::fill);
        assertEquals(List.of(), names());
        assertEquals(
                Refused.Why.ABSENT,
                assertThrows(Refused.class, () -> backups.remove("data")).why());
        assertEquals(
                Refused.Why.ABSENT,
                assertThrows(Refused.class, () -> backups.remove("other")).why());
        assertTrue(Files.exists(data.resolve("FORMAT")));
    }

    @Test
    void linkToADirectory_isNoBackup() throws Exception {
        Path elsewhere = Files.createDirectories(folder.resolve("elsewhere"));
        fill(elsewhere);
        Files.createDirectories(directory());
        Files.createSymbolicLink(directory().resolve("link"), elsewhere);
        with(BackupsTest::fill);
        assertEquals(List.of(), names());
        assertEquals(
                Refused.Why.ABSENT,
                assertThrows(Refused.class, () -> backups.remove("link")).why());
        assertTrue(Files.exists(elsewhere.resolve("FORMAT")));
    }

    @Test
    void directoryThatIsAFile_isToldInWords() throws Exception {
        Files.createDirectories(directory().getParent());
        Files.writeString(directory(), "x");
        with(BackupsTest::fill);
        StoreException refusal = failure(backups.make("a").done());
        assertEquals(Kind.IO, refusal.kind());
        assertTrue(String.valueOf(refusal.getMessage()).contains("admin.backup-path"), refusal.getMessage());
    }

    @Test
    void nothingToCopy_isUnsupported() {
        backups = new Backups(directory(), null);
        assertEquals(
                Refused.Why.UNSUPPORTED,
                assertThrows(Refused.class, () -> backups.make("a")).why());
    }

    @Test
    void afterItsEnd_nothingIsMade() throws Exception {
        with(BackupsTest::fill);
        backups.close();
        assertThrows(Refused.class, () -> backups.make("a"));
        assertNull(backups.busy());
    }
}
