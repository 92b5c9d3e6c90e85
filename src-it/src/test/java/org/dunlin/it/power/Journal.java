package org.dunlin.it.power;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/** What powercut.c has noted of a process, in the order in which it happened. One thread. */
final class Journal {
    private static final int HEAD = 24;

    private Journal() {}

    /**
     * @param kind as in powercut.c: Create, Open, Write, Truncate, Grow, Dup, Sync, synced (E), Make directory, Unlink, Rename,
     *     Link, not modelled (X)
     * @param fd an open file, where it is about one
     * @param number an offset, a size, the ticket of a sync, the other file of a Dup
     * @param first a path, or nothing
     * @param second another path, or the bytes of a Write
     * @param end where the note ends in the journal
     */
    record Note(char kind, int fd, long number, byte[] first, byte[] second, long end) {
        String path() {
            return new String(first, StandardCharsets.UTF_8);
        }

        String otherPath() {
            return new String(second, StandardCharsets.UTF_8);
        }
    }

    /** Reads the notes that end at or before a place; one that was being written when the process was killed is none. */
    static void read(Path journal, long until, Consumer<Note> reader) {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(journal), 1 << 16)) {
            long at = 0;
            while (true) {
                byte[] bytes = in.readNBytes(HEAD);
                if (bytes.length < HEAD) {
                    return;
                }
                ByteBuffer head = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
                char kind = (char) head.getInt();
                int fd = head.getInt();
                long number = head.getLong();
                int firstLength = head.getInt();
                int secondLength = head.getInt();
                at += HEAD + firstLength + secondLength;
                byte[] first = in.readNBytes(firstLength);
                byte[] second = in.readNBytes(secondLength);
                if (second.length < secondLength || at > until) {
                    return;
                }
                reader.accept(new Note(kind, fd, number, first, second, at));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
