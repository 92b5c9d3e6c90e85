package org.dunlin.persistence.rocksdb;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The file that says what is surely on disk, how the broker's time stood to the wall clock, and whether the end was a clean
 * one. Two slots are written in turn, so that one is whole whatever happens. One thread at a time.
 */
public final class Mark implements AutoCloseable {
    private static final int SLOT_APART = 4096;
    private static final int SLOT_BYTES = 1 + 8 + 8 + 8 + 8 + 1 + 4;
    private static final byte VERSION = 1;

    private final FileChannel file;
    private final @Nullable State last;
    private long turn;
    private long forced = -1;

    private Mark(FileChannel file, @Nullable State last, long turn) {
        this.file = file;
        this.last = last;
        this.turn = turn;
    }

    /**
     * What the file says.
     *
     * @param sequence RocksDB's number of the last change that is surely on disk; 0 if that was not noted
     * @param brokerMillis the broker's time when it was written
     * @param wallMillis the wall clock's then
     * @param clean whether the store was closed then
     */
    public record State(long sequence, long brokerMillis, long wallMillis, boolean clean) {}

    public static Mark open(Path path) throws IOException {
        FileChannel file =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            Slot newest = newest(file);
            return new Mark(file, newest == null ? null : newest.state, newest == null ? 0 : newest.turn);
        } catch (IOException e) {
            file.close();
            throw e;
        }
    }

    /** What the file says, which is not made if it is not there; null if it says nothing. */
    public static @Nullable State read(Path path) throws IOException {
        if (!Files.exists(path)) {
            return null;
        }
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
            Slot newest = newest(file);
            return newest == null ? null : newest.state;
        }
    }

    private static @Nullable Slot newest(FileChannel file) throws IOException {
        Slot newest = null;
        for (int slot = 0; slot < 2; slot++) {
            ByteBuffer bytes = ByteBuffer.allocate(SLOT_BYTES);
            while (bytes.hasRemaining() && file.read(bytes, (long) slot * SLOT_APART + bytes.position()) > 0) {}
            if (bytes.hasRemaining() || bytes.getInt(SLOT_BYTES - 4) != checksum(bytes)) {
                continue;
            }
            bytes.flip();
            byte version = bytes.get();
            long turn = bytes.getLong();
            if (version == VERSION && turn > (newest == null ? 0 : newest.turn)) {
                newest = new Slot(turn, new State(bytes.getLong(), bytes.getLong(), bytes.getLong(), bytes.get() != 0));
            }
        }
        return newest;
    }

    private record Slot(long turn, State state) {}

    private static int checksum(ByteBuffer slot) {
        CRC32C sum = new CRC32C();
        sum.update(slot.array(), 0, SLOT_BYTES - 4);
        return (int) sum.getValue();
    }

    /** What it said when it was opened; null if it was new or both slots are damaged. */
    @Nullable
    public State last() {
        return last;
    }

    /** @param state its sequence must be on disk already */
    public void write(State state) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(SLOT_BYTES);
        bytes.put(VERSION).putLong(++turn);
        bytes.putLong(state.sequence).putLong(state.brokerMillis).putLong(state.wallMillis);
        bytes.put((byte) (state.clean ? 1 : 0));
        bytes.putInt(checksum(bytes)).flip();
        long at = (turn & 1) * SLOT_APART;
        while (bytes.hasRemaining()) {
            at += file.write(bytes, at);
        }
        if (state.sequence != forced || state.clean) { // an idle broker lets the disk sleep
            file.force(false);
            forced = state.sequence;
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
