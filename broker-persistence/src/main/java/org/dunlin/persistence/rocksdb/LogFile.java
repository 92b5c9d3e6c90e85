package org.dunlin.persistence.rocksdb;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Looks at files that RocksDB writes as logs, where RocksDB itself would go wrong on damage. Of its list of files it takes a
 * record that seems to reach beyond the end for one that was being written when the process ended, and silently forgets all
 * tables behind it, which one flipped bit can bring about. Of the log of changes it reads for ever if some record at the end
 * is of a kind for files that are used again, which it never writes here. Records have a masked CRC-32C, a length and a type
 * in front, little-endian, and do not cross blocks of 32 KB.
 */
public final class LogFile {
    private static final int BLOCK = 32_768;
    private static final int HEADER = 7;
    /** What a write begins with: the number of its first change and how many there are. */
    private static final int WRITE_HEAD = 12;

    private static final int FULL_TYPE = 1;
    private static final int FIRST_TYPE = 2;
    private static final int LAST_TYPE = 4;
    /** Kinds of records in files that are used again: those of the four parts, and two that say something of the file. */
    private static final Set<Integer> FOREIGN_TYPES = Set.of(5, 6, 7, 8, 11, 131);
    /** How far behind something foreign a record of ours is looked for. */
    private static final int NEAR = 2 * BLOCK;

    private final ByteBuffer bytes;
    private final int size;

    private LogFile(ByteBuffer bytes) {
        this.bytes = bytes.order(ByteOrder.LITTLE_ENDIAN);
        this.size = bytes.limit();
    }

    /** What is damaged before the end of the list of files, or null. A damaged end is for RocksDB to judge. */
    public static @Nullable String faultOfList(Path database) throws IOException {
        String name = Files.readString(database.resolve("CURRENT"), StandardCharsets.ISO_8859_1)
                .trim();
        Path file = database.resolve(name.isEmpty() || name.indexOf('/') >= 0 || name.indexOf(0) >= 0 ? "-" : name);
        if (!name.startsWith("MANIFEST-") || !Files.isRegularFile(file)) {
            return "db/CURRENT names no MANIFEST that is there";
        }
        LogFile list = new LogFile(ByteBuffer.wrap(Files.readAllBytes(file)));
        int bad = list.firstBad();
        if (bad >= 0 && list.hasRecordBehind(bad, list.size)) {
            return "db/" + name + " is altered at byte " + bad + " of " + list.size;
        }
        return null;
    }

    /**
     * Where in a log of changes something begins that RocksDB must not be let read; -1 if there is no such thing.
     *
     * @throws IOException also if there are changes behind it
     */
    static long foreignEnd(Path log) throws IOException {
        try (FileChannel channel = FileChannel.open(log, StandardOpenOption.READ)) {
            long length = Math.min(channel.size(), Integer.MAX_VALUE);
            LogFile file = new LogFile(channel.map(FileChannel.MapMode.READ_ONLY, 0, length));
            int foreign = file.foreignFrom(0);
            if (foreign >= 0 && file.hasRecordBehind(foreign, Math.min(foreign + NEAR, file.size))) {
                throw new IOException(
                        log.getFileName() + " is altered at byte " + foreign + ", and there are changes behind that");
            }
            return foreign;
        }
    }

    /** Makes of each record that RocksDB must not be let read one that it passes over for its checksum. */
    public static void disarm(Path log) throws IOException {
        try (FileChannel channel = FileChannel.open(log, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            long length = Math.min(channel.size(), Integer.MAX_VALUE);
            LogFile file = new LogFile(channel.map(FileChannel.MapMode.READ_WRITE, 0, length));
            for (int at = file.foreignFrom(0); at >= 0; at = file.foreignFrom(at)) {
                file.bytes.put(at + 6, (byte) FULL_TYPE);
            }
        }
    }

    /** Goes from header to header, without a look at what lies between; behind a bad one from the next block. */
    private int foreignFrom(int start) {
        int at = start;
        while (at <= size - HEADER) {
            int left = BLOCK - at % BLOCK;
            if (left < HEADER) {
                at += left;
                continue;
            }
            int length = bytes.getShort(at + 4) & 0xFFFF;
            int type = bytes.get(at + 6) & 0xFF;
            if (FOREIGN_TYPES.contains(type)) {
                return at;
            }
            at += type == 0 || length > left - HEADER ? left : HEADER + length;
        }
        return -1;
    }

    /** RocksDB's number of the last change in the logs if each of their records is whole; -1 if not, or there is none. */
    static long lastChange(Path database) throws IOException {
        long last = -1;
        try (DirectoryStream<Path> logs = Files.newDirectoryStream(database, "*.log")) {
            for (Path log : logs) {
                try (FileChannel channel = FileChannel.open(log, StandardOpenOption.READ)) {
                    if (channel.size() > Integer.MAX_VALUE) {
                        return -1;
                    }
                    LogFile file = new LogFile(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()));
                    long here = file.lastOfWhole();
                    if (here < 0) {
                        return -1;
                    }
                    last = Math.max(last, here);
                }
            }
        }
        return last;
    }

    /** The number of the last change if all records are whole, 0 if there are none; else -1. */
    private long lastOfWhole() {
        ByteBuffer head = ByteBuffer.allocate(WRITE_HEAD).order(ByteOrder.LITTLE_ENDIAN);
        long last = 0;
        boolean began = false;
        int at = 0;
        while (at < size) {
            int left = BLOCK - at % BLOCK;
            if (left < HEADER) {
                at += left;
                continue;
            }
            int length = record(at);
            int type = length < 0 ? 0 : bytes.get(at + 6);
            boolean begins = type == FULL_TYPE || type == FIRST_TYPE;
            if (length < 0 || begins == began) {
                return -1;
            }
            for (int i = 0; i < length && head.hasRemaining(); i++) {
                head.put(bytes.get(at + HEADER + i));
            }
            began = type == FIRST_TYPE || type != FULL_TYPE && type != LAST_TYPE;
            if (!began) {
                if (head.hasRemaining()) {
                    return -1;
                }
                last = Math.max(last, head.getLong(0) + head.getInt(Long.BYTES) - 1);
                head.clear();
            }
            at += HEADER + length;
        }
        return began ? -1 : last;
    }

    /**
     * Cuts off the logs all that was written behind a change.
     *
     * @param sequence RocksDB's number of the last change that stays
     * @return how many bytes that were
     */
    static long cutBehind(Path database, long sequence) throws IOException {
        long cut = 0;
        try (DirectoryStream<Path> logs = Files.newDirectoryStream(database, "*.log")) {
            for (Path log : logs) {
                try (FileChannel channel = FileChannel.open(log, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                    long length = Math.min(channel.size(), Integer.MAX_VALUE);
                    int end = new LogFile(channel.map(FileChannel.MapMode.READ_ONLY, 0, length)).firstBehind(sequence);
                    if (end >= 0) {
                        cut += channel.size() - end;
                        channel.truncate(end);
                        channel.force(true);
                    }
                }
            }
        }
        return cut;
    }

    /** Where the first write begins whose changes have higher numbers; -1 if there is none. */
    private int firstBehind(long sequence) {
        int at = 0;
        int start = -1;
        int read = 0;
        long number = 0;
        while (at <= size - HEADER) {
            int left = BLOCK - at % BLOCK;
            if (left < HEADER) {
                at += left;
                continue;
            }
            int length = bytes.getShort(at + 4) & 0xFFFF;
            int type = bytes.get(at + 6) & 0xFF;
            if (type == 0 || length > left - HEADER) {
                return -1;
            }
            if (type == FULL_TYPE || type == FIRST_TYPE) {
                start = at;
                read = 0;
                number = 0;
            }
            // a write begins with the number of its first change, which may itself be divided
            for (int i = at + HEADER;
                    start >= 0 && type <= LAST_TYPE && i < Math.min(at + HEADER + length, size);
                    i++) {
                number |= (bytes.get(i) & 0xFFL) << 8 * read;
                if (++read == Long.BYTES) {
                    if (number > sequence) {
                        return start;
                    }
                    start = -1;
                }
            }
            at += HEADER + length;
        }
        return -1;
    }

    private int firstBad() {
        int at = 0;
        while (at < size) {
            int left = BLOCK - at % BLOCK;
            if (left < HEADER) {
                at += left;
                continue;
            }
            int length = record(at);
            if (length < 0) {
                return at;
            }
            at += HEADER + length;
        }
        return -1;
    }

    private boolean hasRecordBehind(int bad, int end) {
        for (int at = bad + 1; at < end - HEADER; at++) {
            if (record(at) > 0) {
                return true;
            }
        }
        return false;
    }

    /** The length of the record that is there, -1 if there is none that is whole. */
    private int record(int at) {
        int left = Math.min(BLOCK - at % BLOCK, size - at);
        if (left < HEADER) {
            return -1;
        }
        int masked = bytes.getInt(at);
        int length = bytes.getShort(at + 4) & 0xFFFF;
        int type = bytes.get(at + 6);
        if (type < 1 || type > LAST_TYPE || length > left - HEADER) {
            return -1;
        }
        CRC32C sum = new CRC32C();
        sum.update(bytes.slice(at + HEADER - 1, 1 + length));
        int expected = Integer.rotateRight((int) sum.getValue(), 15) + 0xA282EAD8;
        return masked == expected ? length : -1;
    }
}
