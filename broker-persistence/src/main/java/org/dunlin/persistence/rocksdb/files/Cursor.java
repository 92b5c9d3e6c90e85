package org.dunlin.persistence.rocksdb.files;

import java.math.BigInteger;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.rocksdb.AbstractRocksIterator;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.SstFileReaderIterator;

/** Goes over the rows of a family or a table, and past places where they cannot be read. One thread. */
final class Cursor implements AutoCloseable {
    /** How much of a key is looked at to find the next place that can be read. */
    private static final int PREFIX = 64;
    /** How much finer than the keys themselves that is, since keys differ in length. */
    private static final int FINER = 4;

    private final AbstractRocksIterator<?> rows;
    private long gaps;
    private @Nullable String firstGap;
    /** The last of all keys, once it was needed; null if it cannot be read. */
    private byte @Nullable [] end;

    Cursor(RocksIterator rows) {
        this.rows = rows;
    }

    Cursor(SstFileReaderIterator rows) {
        this.rows = rows;
    }

    /** What is done with a row. */
    interface Row {
        void row(byte[] key, byte[] value) throws RocksDBException;
    }

    /** How many places could not be read. */
    long gaps() {
        return gaps;
    }

    /** What RocksDB said of the first; null if there is none. */
    @Nullable
    String firstGap() {
        return firstGap;
    }

    /** Every row that can be read, in the order of the keys. */
    void each(Row row) throws RocksDBException {
        byte[] last = new byte[0];
        rows.seekToFirst();
        boolean more = true;
        while (more) {
            while (rows.isValid()) {
                last = key();
                row.row(last, value());
                rows.next();
            }
            String failure = failure();
            if (failure == null) {
                return;
            }
            gaps++;
            if (firstGap == null) {
                firstGap = failure;
                rows.seekToLast();
                end = failure() == null && rows.isValid() ? key() : null;
            }
            more = seekBehindGap(last);
        }
    }

    private byte[] key() {
        return rows instanceof RocksIterator all ? all.key() : ((SstFileReaderIterator) rows).key();
    }

    private byte[] value() {
        return rows instanceof RocksIterator all ? all.value() : ((SstFileReaderIterator) rows).value();
    }

    private @Nullable String failure() {
        try {
            rows.status();
            return null;
        } catch (RocksDBException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /**
     * Goes from a key in ever larger steps until something can be read, then back to where that begins. Rows between two gaps
     * that are near to each other may be passed over.
     *
     * @return false if nothing can be read to the end
     */
    private boolean seekBehindGap(byte[] last) {
        byte[] prefix = Arrays.copyOf(last, Math.min(last.length, PREFIX));
        int width = prefix.length + FINER;
        BigInteger base = new BigInteger(1, Arrays.copyOf(prefix, width));
        BigInteger bad = base;
        for (int bit = 0; bit <= 8 * width; bit++) {
            BigInteger good = base.add(BigInteger.ONE.shiftLeft(bit));
            if (good.bitLength() > 8 * width) {
                return false;
            }
            if (canSeek(good, width)) {
                while (good.subtract(bad).compareTo(BigInteger.ONE) > 0) {
                    BigInteger middle = good.add(bad).shiftRight(1);
                    if (canSeek(middle, width)) {
                        good = middle;
                    } else {
                        bad = middle;
                    }
                }
                return canSeek(good, width) || canSeekBehind(good, width);
            }
            bad = good;
        }
        return false;
    }

    /** At the very border of a damaged block it depends on where RocksDB comes from, whether it can be read. */
    private boolean canSeekBehind(BigInteger border, int width) {
        for (int bit = 0; bit <= 8 * width; bit++) {
            BigInteger place = border.add(BigInteger.ONE.shiftLeft(bit));
            if (place.bitLength() > 8 * width) {
                return false;
            }
            if (canSeek(place, width)) {
                return true;
            }
        }
        return false;
    }

    private boolean canSeek(BigInteger place, int width) {
        byte[] number = place.toByteArray();
        byte[] key = new byte[width];
        int length = Math.min(number.length, width); // it may have a sign in front
        System.arraycopy(number, number.length - length, key, width - length, length);
        rows.seek(key);
        if (failure() != null) {
            return false;
        }
        byte[] last = end;
        return rows.isValid()
                ? Arrays.compareUnsigned(key(), key) >= 0
                : last == null || Arrays.compareUnsigned(key, last) > 0; // a gap may look like the end
    }

    @Override
    public void close() {
        rows.close();
    }
}
