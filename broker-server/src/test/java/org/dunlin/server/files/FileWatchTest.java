package org.dunlin.server.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.dunlin.server.config.Fault;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileWatchTest {
    @TempDir
    Path folder;

    private Path file;
    private final List<String> told = new ArrayList<>();
    private CountDownLatch tellings = new CountDownLatch(0);

    private final FileWatch.Reader reader = new FileWatch.Reader() {
        @Override
        public void changed(byte[] content) {
            told.add(new String(content, StandardCharsets.UTF_8));
            tellings.countDown();
        }

        @Override
        public void unreadable(Fault fault) {
            told.add("unreadable");
            tellings.countDown();
        }
    };

    @BeforeEach
    void write() throws Exception {
        file = Files.writeString(folder.resolve("f"), "one");
    }

    private FileWatch watch(Duration interval) {
        return new FileWatch(
                new NamedFile(file, "list", "a.list", "make it", 100),
                "one".getBytes(StandardCharsets.UTF_8),
                interval,
                reader);
    }

    @Test
    void everyChange_isToldOnce() throws Exception {
        FileWatch watch = watch(Duration.ofDays(1));
        watch.look();
        Files.writeString(file, "two");
        watch.look();
        watch.look();
        Files.writeString(file, "one");
        watch.look();

        assertEquals(List.of("two", "one"), told);
    }

    @Test
    void lossOfTheFile_isToldOnce_andItsReturnAsAChange() throws Exception {
        FileWatch watch = watch(Duration.ofDays(1));
        Files.delete(file);
        watch.look();
        watch.look();
        Files.writeString(file, "one");
        watch.look();
        watch.look();
        Files.delete(file);
        watch.look();

        assertEquals(List.of("unreadable", "one", "unreadable"), told);
    }

    @Test
    void thread_looksByItself() throws Exception {
        tellings = new CountDownLatch(1);
        try (FileWatch watch = watch(Duration.ofMillis(1))) {
            watch.start();
            Files.move(Files.writeString(folder.resolve("g"), "two"), file, StandardCopyOption.ATOMIC_MOVE);

            assertTrue(tellings.await(20, TimeUnit.SECONDS));
        }
        assertEquals("two", told.get(0));
    }
}
