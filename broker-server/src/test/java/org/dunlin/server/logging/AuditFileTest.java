package org.dunlin.server.logging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

class AuditFileTest {
    @TempDir
    Path folder;

    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final Logger logger = (Logger) LoggerFactory.getLogger(AuditFile.class);

    @BeforeEach
    void listen() {
        log.start();
        logger.addAppender(log);
        logger.setLevel(ch.qos.logback.classic.Level.INFO);
    }

    @AfterEach
    void listenNoMore() {
        logger.detachAppender(log);
        logger.setLevel(null);
    }

    private List<String> told() {
        return log.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    private static void write(AuditFile file, String line) throws IOException {
        byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
        file.write(bytes, 0, bytes.length);
    }

    @Test
    void lines_areAdded_forTheOwnerAlone() throws Exception {
        Path path = folder.resolve("audit.log");
        try (AuditFile file = new AuditFile(path, 1000)) {
            write(file, "one");
        }
        try (AuditFile file = new AuditFile(path, 1000)) {
            write(file, "two");
        }
        assertEquals(List.of("one", "two"), Files.readAllLines(path));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
        assertEquals(List.of(), told());
    }

    @Test
    void largeFile_isPutAside_andTheOldestGoes() throws Exception {
        Path path = folder.resolve("audit.log");
        try (AuditFile file = new AuditFile(path, 10)) {
            for (int i = 10; i < 10 + 2 * (AuditFile.KEPT + 3); i++) {
                write(file, "m" + i); // two of them fit
            }
        }
        assertEquals(List.of("m32", "m33"), Files.readAllLines(path));
        assertEquals(List.of("m30", "m31"), Files.readAllLines(folder.resolve("audit.log.1")));
        assertEquals(List.of("m14", "m15"), Files.readAllLines(folder.resolve("audit.log." + AuditFile.KEPT)));
        assertFalse(Files.exists(folder.resolve("audit.log." + (AuditFile.KEPT + 1))));
    }

    @Test
    void linkToAFile_staysALink() throws Exception {
        Path path = folder.resolve("audit.log");
        Path target = folder.resolve("target.log");
        Files.createSymbolicLink(path, target);
        try (AuditFile file = new AuditFile(path, 10)) {
            for (int i = 10; i < 13; i++) {
                write(file, "line-" + i);
            }
        }
        assertTrue(Files.isSymbolicLink(path));
        assertEquals(List.of("line-12"), Files.readAllLines(target));
        assertEquals(List.of("line-11"), Files.readAllLines(folder.resolve("target.log.1")));
    }

    @Test
    void fileThatIsMovedAway_isMadeAnew() throws Exception {
        Path path = folder.resolve("audit.log");
        try (AuditFile file = new AuditFile(path, 1000)) {
            write(file, "one");
            Files.move(path, folder.resolve("rotated"));
            write(file, "two");
            Files.delete(path);
            write(file, "three");
        }
        assertEquals(List.of("one"), Files.readAllLines(folder.resolve("rotated")));
        assertEquals(List.of("three"), Files.readAllLines(path));
    }

    @Test
    void whatCannotBeWritten_isToldOnce_andThatItCanAgain() throws Exception {
        Path path = folder.resolve("later/audit.log");
        try (AuditFile file = new AuditFile(path, 1000)) {
            file.prepare();
            assertThrows(IOException.class, () -> write(file, "one"));
            assertThrows(IOException.class, () -> write(file, "two"));
            assertEquals(1, told().size());
            assertTrue(told().get(0).contains("log.audit-file " + path + " cannot be written to"), told().get(0));
            Files.createDirectory(path.getParent());
            write(file, "three");
            write(file, "four");
            assertEquals(2, told().size());
            assertTrue(told().get(1).contains("can be written to again"), told().get(1));
        }
        assertEquals(List.of("three", "four"), Files.readAllLines(path));
    }

    @Test
    void whatIsNoFile_isNotWrittenTo() throws Exception {
        Path path = Files.createDirectory(folder.resolve("directory"));
        try (AuditFile file = new AuditFile(path, 1000)) {
            file.prepare();
            assertTrue(told().get(0).contains("it is no file"), told().toString());
        }
    }
}
