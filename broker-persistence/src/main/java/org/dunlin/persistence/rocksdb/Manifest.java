package org.dunlin.persistence.rocksdb;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Checks RocksDB's list of its own files. RocksDB takes a record of it that seems to reach beyond the end of the file for one
 * that was being written when the process ended, and silently forgets all tables behind it, which one flipped bit can bring
 * about. Records have a masked CRC-32C, a length and a type in front, little-endian, and do not cross blocks of 32 KB.
 */
public final class Manifest {
    private static final int BLOCK = 32_768;
    private static final int HEADER = 7;
    private static final int LAST_TYPE = 4;

    private final byte[] bytes;

    private Manifest(byte[] bytes) {
        this.bytes = bytes;
    }

    /** What is damaged before the end of the list, or null. A damaged end is for RocksDB to judge. */
    public static @Nullable String fault(Path database) throws IOException {
        String name = Files.readString(database.resolve("CURRENT"), StandardCharsets.ISO_8859_1)
                .trim();
        Path file = database.resolve(name.isEmpty() || name.indexOf('/') >= 0 || name.indexOf(0) >= 0 ? "-" : name);
        if (!name.startsWith("MANIFEST-") || !Files.isRegularFile(file)) {
            return "db/CURRENT names no MANIFEST that is there";
        }
        Manifest manifest = new Manifest(Files.readAllBytes(file));
        int bad = manifest.firstBad();
        if (bad >= 0 && manifest.hasRecordBehind(bad)) {
            return "db/" + name + " is altered at byte " + bad + " of " + manifest.bytes.length;
        }
        return null;
    }

    private int firstBad() {
        int at = 0;
        while (at < bytes.length) {
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

    private boolean hasRecordBehind(int bad) {
        for (int at = bad + 1; at < bytes.length - HEADER; at++) {
            if (record(at) > 0) {
                return true;
            }
        }
        return false;
    }

    /** The length of the record that is there, -1 if there is none that is whole. */
    private int record(int at) {
        int left = Math.min(BLOCK - at % BLOCK, bytes.length - at);
        if (left < HEADER) {
            return -1;
        }
        ByteBuffer header = ByteBuffer.wrap(bytes, at, HEADER).order(ByteOrder.LITTLE_ENDIAN);
        int masked = header.getInt();
        int length = header.getShort() & 0xFFFF;
        int type = header.get();
        if (type < 1 || type > LAST_TYPE || length > left - HEADER) {
            return -1;
        }
        CRC32C sum = new CRC32C();
        sum.update(bytes, at + HEADER - 1, 1 + length);
        int expected = Integer.rotateRight((int) sum.getValue(), 15) + 0xA282EAD8;
        return masked == expected ? length : -1;
    }
}
