package org.dunlin.persistence.rocksdb;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dunlin.core.spi.StoreException;
import org.rocksdb.Checkpoint;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings files of an older layout to the present one, a step for each layout between. Before each step a copy is made, by hard
 * links, from which the older version can be started. A step that was cut short is done again. One thread, once.
 */
final class Migration {
    private static final Logger LOG = LoggerFactory.getLogger(Migration.class);

    /** The step at 0 makes layout 2 of layout 1, and so on; there is one less than {@link Layout#NUMBER}. */
    static final List<Step> STEPS = List.of();

    private final DataDirectory directory;
    private final List<Step> steps;

    Migration(DataDirectory directory, List<Step> steps) {
        this.directory = directory;
        this.steps = steps;
    }

    /** From one layout to the next; must come to the same when done twice. */
    interface Step {
        void apply(Database database) throws RocksDBException, Records.Unreadable;
    }

    void run(Database database) throws StoreException, RocksDBException, Records.Unreadable {
        for (int layout = directory.readLayout(); layout <= steps.size(); layout++) {
            int next = layout + 1;
            Path copy = directory.root().resolve("before-layout-" + next);
            LOG.warn("The files are brought from layout {} to {}; {} keeps them as they were", layout, next, copy);
            if (!Files.exists(copy)) {
                try (Checkpoint checkpoint = Checkpoint.create(database.rocks)) {
                    checkpoint.createCheckpoint(copy.toString());
                }
            }
            steps.get(layout - 1).apply(database);
            database.rocks.syncWal();
            directory.raiseLayout(next);
        }
    }
}
