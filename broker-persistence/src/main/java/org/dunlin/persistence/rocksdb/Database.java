package org.dunlin.persistence.rocksdb;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Properties;
import org.dunlin.persistence.rocksdb.Layout.Family;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.RocksObject;
import org.rocksdb.TablePropertiesCollectorFactory;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteBufferManager;

/** RocksDB, opened, with its column families and the options that it must outlive. Any thread, until it is closed. */
public final class Database implements AutoCloseable {
    private static final long MB = 1 << 20;
    /** How much memory may hold what was written last, of all families together. */
    private static final long LEAST_WRITTEN = 16 * MB;

    private static final long MOST_WRITTEN = 128 * MB;

    public final RocksDB rocks;
    private final ColumnFamilyHandle[] handles;
    private final List<RocksObject> options;
    private volatile boolean merging;

    private Database(RocksDB rocks, ColumnFamilyHandle[] handles, List<RocksObject> options) {
        this.rocks = rocks;
        this.handles = handles;
        this.options = options;
    }

    /** How it is opened: to be used, or just to see what it is worth. */
    public enum Mode {
        /** A torn end of the log is cut off; any other damage is an error, which the default mode passes over. */
        USE(WALRecoveryMode.TolerateCorruptedTailRecords, false),
        /** As it is to be used, but without writing a byte. */
        INSPECT(WALRecoveryMode.TolerateCorruptedTailRecords, true),
        /** What can be read before the first damage of the log. */
        INSPECT_BEFORE_DAMAGE(WALRecoveryMode.PointInTimeRecovery, true),
        /** What can be read before and after damages of the log. */
        INSPECT_AROUND_DAMAGE(WALRecoveryMode.SkipAnyCorruptedRecords, true),
        /** What can be read at all, though tables are missing. */
        INSPECT_LENIENTLY(WALRecoveryMode.SkipAnyCorruptedRecords, true, false),
        /** Everything behind the first damage of the log is given up. */
        SALVAGE(WALRecoveryMode.PointInTimeRecovery, false),
        /** Everything that cannot be read is given up, logs and tables that are missing, too; of a copy only. */
        RESCUE(WALRecoveryMode.SkipAnyCorruptedRecords, false, false);

        private final WALRecoveryMode recovery;
        private final boolean readOnly;
        private final boolean strict;

        Mode(WALRecoveryMode recovery, boolean readOnly) {
            this(recovery, readOnly, true);
        }

        Mode(WALRecoveryMode recovery, boolean readOnly, boolean strict) {
            this.recovery = recovery;
            this.readOnly = readOnly;
            this.strict = strict;
        }
    }

    /**
     * @param cacheBytes for blocks, indexes and filters that were read; what was written last takes about twice as much, from
     *     16 to 128 MB, above which it is brought to tables
     */
    public static Database open(Path directory, long cacheBytes, Mode mode) throws RocksDBException {
        return open(directory, directory, cacheBytes, mode);
    }

    /** @param logs where the logs are, if they are not to be read as they are in the directory */
    public static Database open(Path directory, Path logs, long cacheBytes, Mode mode) throws RocksDBException {
        List<RocksObject> options = new ArrayList<>();
        try {
            long written = Math.max(LEAST_WRITTEN, Math.min(2 * cacheBytes, MOST_WRITTEN));
            Cache cache = keep(options, new LRUCache(cacheBytes + written));
            DBOptions general = keep(options, general(mode));
            general.setWriteBufferManager(keep(options, new WriteBufferManager(written, cache)));
            if (!logs.equals(directory)) {
                general.setWalDir(logs.toString());
            }
            List<ColumnFamilyDescriptor> families = new ArrayList<>();
            for (Family family : Family.values()) {
                families.add(new ColumnFamilyDescriptor(
                        family.label,
                        keep(options, family(family, cache, options)).setDisableAutoCompactions(true)));
            }
            List<ColumnFamilyHandle> handles = new ArrayList<>();
            RocksDB rocks = mode.readOnly
                    ? RocksDB.openReadOnly(general, directory.toString(), families, handles)
                    : RocksDB.open(general, directory.toString(), families, handles);
            return new Database(rocks, handles.toArray(new ColumnFamilyHandle[0]), options);
        } catch (RocksDBException | RuntimeException | Error e) {
            closeAll(options);
            throw e;
        }
    }

    private static DBOptions general(Mode mode) {
        // Has no setter in Java. Finds logs that are missing or too short; without it RocksDB 11 ends the process when
        // it
        // opens read-only what was written with it.
        Properties unnamed = new Properties();
        unnamed.setProperty("track_and_verify_wals_in_manifest", String.valueOf(mode != Mode.RESCUE));
        DBOptions general = DBOptions.getDBOptionsFromProps(unnamed);
        if (general == null) {
            throw new IllegalStateException("RocksDB does not know track_and_verify_wals_in_manifest");
        }
        return general.setCreateIfMissing(!mode.readOnly)
                .setCreateMissingColumnFamilies(!mode.readOnly)
                .setWalRecoveryMode(mode.recovery)
                .setParanoidChecks(mode.strict)
                .setMaxTotalWalSize(256 * MB)
                .setRecycleLogFileNum(0)
                .setMaxBackgroundJobs(2)
                .setStatsDumpPeriodSec(0)
                .setStatsPersistPeriodSec(0)
                .setMaxLogFileSize(MB)
                .setKeepLogFileNum(2)
                .setMaxManifestFileSize(16 * MB)
                .setMaxBgErrorResumeCount(0)
                .setMaxOpenFiles(1024);
    }

    private static boolean isShortLived(Family family) {
        return family == Family.QUEUE || family == Family.FLOW || family == Family.BODY;
    }

    private static ColumnFamilyOptions family(Family family, Cache cache, List<RocksObject> kept) {
        BlockBasedTableConfig table = new BlockBasedTableConfig()
                .setBlockCache(cache)
                .setCacheIndexAndFilterBlocks(true)
                .setPinL0FilterAndIndexBlocksInCache(true);
        if (family == Family.BODY) {
            table.setFilterPolicy(keep(kept, new BloomFilter(10)));
        }
        ColumnFamilyOptions options = family == Family.QUEUE ? nearTheLast() : new ColumnFamilyOptions();
        if (isShortLived(family)) {
            // Only Options can take a collector from Java; what lies behind deletions is compacted away soon.
            try (ColumnFamilyOptions plain = options;
                    DBOptions none = new DBOptions();
                    Options carrier = new Options(none, plain)) {
                carrier.setTablePropertiesCollectorFactory(List.of(keep(
                        kept, TablePropertiesCollectorFactory.NewCompactOnDeletionCollectorFactory(4096, 2048, 0.5))));
                options = new ColumnFamilyOptions(carrier);
            }
        }
        options.setTableFormatConfig(table)
                .setWriteBufferSize(family == Family.QUEUE ? 64 * MB : 16 * MB)
                .setLevelCompactionDynamicLevelBytes(true)
                .setCompressionType(CompressionType.LZ4_COMPRESSION)
                .setBottommostCompressionType(
                        isShortLived(family) ? CompressionType.LZ4_COMPRESSION : CompressionType.ZSTD_COMPRESSION);
        if (family == Family.BODY || family == Family.RETAINED) {
            options.setEnableBlobFiles(true).setMinBlobSize(4096).setEnableBlobGarbageCollection(true);
        }
        return options;
    }

    /**
     * Has a row looked for its place in memory beside the one before it of the same queue: that is where it belongs, and to
     * find it from the start is most of what writing costs. Has no setter in Java.
     */
    private static ColumnFamilyOptions nearTheLast() {
        Properties unnamed = new Properties();
        unnamed.setProperty("memtable_insert_with_hint_prefix_extractor", "rocksdb.FixedPrefix." + Long.BYTES);
        ColumnFamilyOptions options = ColumnFamilyOptions.getColumnFamilyOptionsFromProps(unnamed);
        return options == null ? new ColumnFamilyOptions() : options;
    }

    public ColumnFamilyHandle family(Family family) {
        return handles[family.ordinal()];
    }

    public List<ColumnFamilyHandle> families() {
        return List.of(handles);
    }

    /**
     * Lets RocksDB merge tables in the background from now on. It is opened without, since after a crash there is much to
     * merge, just when the start needs the processor and the disk for itself. May be asked for again and again.
     */
    public void mergeTables() throws RocksDBException {
        if (!merging) {
            rocks.enableAutoCompaction(families());
            merging = true;
        }
    }

    /** Every row of a family, by its key. */
    public void scan(Family family, Row row) throws RocksDBException, Records.Unreadable {
        try (ReadOptions options = new ReadOptions().setFillCache(false).setReadaheadSize(2 * MB);
                RocksIterator rows = rocks.newIterator(family(family), options)) {
            for (rows.seekToFirst(); rows.isValid(); rows.next()) {
                row.row(rows.key(), rows.value());
            }
            rows.status();
        }
    }

    /** What is done with a row. */
    public interface Row {
        void row(byte[] key, byte[] value) throws Records.Unreadable;
    }

    @Override
    public void close() {
        for (ColumnFamilyHandle handle : handles) {
            handle.close();
        }
        rocks.close();
        closeAll(options);
    }

    private static <T extends RocksObject> T keep(List<RocksObject> options, T option) {
        options.add(option);
        return option;
    }

    private static void closeAll(List<RocksObject> options) {
        Collections.reverse(options);
        for (RocksObject option : options) {
            option.close();
        }
    }
}
