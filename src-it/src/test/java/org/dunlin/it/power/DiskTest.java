package org.dunlin.it.power;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** What a power cut leaves of what was done, by the letter of fsync. */
class DiskTest {
    private final Node.Directory root = new Node.Directory();
    private final Node.File file = new Node.File(new byte[0]);
    private final Node.Loss loss = new Node.Loss();

    @Test
    void syncedBytes_underASyncedName_areLeft() {
        write(0, "kept");
        sync(file);
        root.add("a", file);
        sync(root);

        root.cut(null, loss);

        assertEquals("kept", text());
        assertEquals(Set.of("a"), root.now().keySet());
    }

    @Test
    void bytesBehindTheSync_areGone() {
        write(0, "kept");
        sync(file);
        write(4, " gone");
        root.add("a", file);
        sync(root);

        root.cut(null, loss);

        assertEquals("kept", text());
        assertEquals(1, loss.writes);
    }

    @Test
    void syncThatBeganBeforeTheWrite_doesNotCoverIt() {
        write(0, "kept");
        long begun = file.changes();
        write(4, " gone");
        file.synced(begun);
        root.add("a", file);
        sync(root);

        root.cut(null, loss);

        assertEquals("kept", text());
    }

    @Test
    void syncedFile_whoseNameWasNotSynced_isGone() {
        root.add("a", file);
        write(0, "gone");
        sync(file);

        root.cut(null, loss);

        assertEquals(Set.of(), root.now().keySet());
    }

    @Test
    void rename_thatWasNotSynced_leavesTheOldName() {
        root.add("a.part", file);
        sync(root);
        root.move(root, "a.part", "a");

        root.cut(null, loss);

        assertEquals(Set.of("a.part"), root.now().keySet());
    }

    @Test
    void byChance_namesGoFromTheLastOneOn() {
        Set<Set<String>> left = new HashSet<>();
        for (int seed = 0; seed < 200; seed++) {
            Node.Directory directory = new Node.Directory();
            directory.add("1", new Node.File(new byte[0]));
            directory.add("2", new Node.File(new byte[0]));
            directory.remove("1");
            directory.cut(new Random(seed), loss);
            left.add(new TreeSet<>(directory.now().keySet()));
        }
        assertEquals(Set.of(Set.of(), Set.of("1"), Set.of("1", "2"), Set.of("2")), left);
    }

    @Test
    void byChance_bytesThatWereSyncedAreNeverTouched() {
        Set<String> left = new HashSet<>();
        for (int seed = 0; seed < 500; seed++) {
            Node.File own = new Node.File(new byte[0]);
            own.write(0, "kept".getBytes(UTF_8));
            sync(own);
            own.write(4, "lost".getBytes(UTF_8));
            own.cut(new Random(seed), loss);
            String text = new String(own.now(), UTF_8);
            assertTrue(text.startsWith("kept"), text);
            left.add(text);
        }
        assertTrue(left.containsAll(Set.of("kept", "keptlo", "keptlost", "kept\0\0\0\0")), left::toString);
        assertTrue(left.size() > 6, left::toString); // garbage among them
    }

    private void write(int at, String bytes) {
        file.write(at, bytes.getBytes(UTF_8));
    }

    private static void sync(Node node) {
        node.synced(node.changes());
    }

    private String text() {
        return new String(file.now(), UTF_8);
    }
}
