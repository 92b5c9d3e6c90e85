package org.dunlin.persistence.rocksdb.files;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.SessionRecord;
import org.dunlin.core.spi.Store.Stored;
import org.dunlin.core.spi.StoreBatch.SubscriptionRecord;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreException.Kind;
import org.dunlin.mqtt.Message;
import org.dunlin.persistence.Contents;
import org.dunlin.persistence.FileTree;
import org.dunlin.persistence.StoreFiles.Filling;
import org.dunlin.persistence.rocksdb.DataDirectory;
import org.dunlin.persistence.rocksdb.Disk;
import org.dunlin.persistence.rocksdb.Layout;
import org.dunlin.persistence.rocksdb.Layout.Family;
import org.dunlin.persistence.rocksdb.Mark;
import org.dunlin.persistence.rocksdb.NativeLibrary;
import org.dunlin.persistence.rocksdb.Records;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * A database that is filled with what is told. Until it is finished it has another name, so that no broker takes a part for
 * the whole. One thread.
 */
final class RocksFilling implements Filling {
    private final DataDirectory directory;
    private final Path part;
    private final boolean isNew;
    private @Nullable RowWriter rows;
    private long brokerMillis;
    private long wallMillis;
    private boolean finished;
    /** How many rows each family ought to have. */
    private final long[] told = new long[Family.values().length];

    /** @param root must be empty, not be there, or hold what another left that was cut short */
    RocksFilling(Path root) throws StoreException {
        isNew = !Files.exists(root);
        boolean begun = DataDirectory.isHalfFilled(root);
        try {
            if (!isNew && !begun && (!Files.isDirectory(root) || !FileTree.isEmpty(root))) {
                throw new StoreException(
                        Kind.IO, "storage.path " + root + " is not empty; name a directory that is new, with -d");
            }
        } catch (IOException e) {
            throw DataDirectory.failure("cannot be read", root, e);
        }
        directory = DataDirectory.hold(root);
        part = DataDirectory.partIn(root);
        try {
            FileTree.delete(part);
            NativeLibrary.load(root);
            rows = new RowWriter(part);
        } catch (IOException e) {
            close();
            throw DataDirectory.failure("cannot be written to", root, e);
        } catch (RocksDBException e) {
            close();
            throw failed(e);
        } catch (StoreException e) {
            close();
            throw e;
        }
    }

    private StoreException failed(RocksDBException e) {
        return new StoreException(
                Disk.isFull(e) ? Kind.NO_SPACE : Kind.IO,
                "storage.path " + directory.root() + " cannot be written to: " + e.getMessage()
                        + "; nothing is left there",
                e);
    }

    private void put(Family family, byte[] key, byte[] value) throws StoreException {
        RowWriter writer = rows;
        if (writer == null) {
            throw new IllegalStateException("it is finished");
        }
        try {
            told[family.ordinal()]++;
            writer.put(family, key, value);
        } catch (RocksDBException e) {
            throw failed(e);
        }
    }

    @Override
    public void begin(long brokerTime, long wallTime, long nextId) throws StoreException {
        brokerMillis = brokerTime;
        wallMillis = wallTime;
        put(Family.META, Layout.IDS, Records.number(nextId));
    }

    @Override
    public void session(SessionKey key, SessionRecord state) throws StoreException {
        put(Family.SESSION, Layout.key(key.sid()), Records.session(key.generation(), state));
    }

    @Override
    public void group(SessionKey key, String filter) throws StoreException {
        put(Family.SESSION, Layout.key(key.sid()), Records.group(filter));
    }

    @Override
    public void subscription(long owner, SubscriptionRecord subscription) throws StoreException {
        byte[] filter = subscription.filter().getBytes(StandardCharsets.UTF_8);
        put(Family.SUBSCRIPTION, Layout.key(owner, filter), Records.subscription(subscription));
    }

    @Override
    public void body(long number, Message message) throws StoreException {
        put(Family.BODY, Layout.key(number), Records.message(message));
    }

    @Override
    public void queued(long owner, Stored stored) throws StoreException {
        byte[] value = Records.queued(stored.message(), stored.qos(), stored.retain(), stored.subscriptionIds(), false);
        put(Family.QUEUE, Layout.key(owner, stored.seq()), value);
    }

    @Override
    public void reference(long owner, Contents.Reference reference) throws StoreException {
        put(Family.QUEUE, Layout.key(owner, reference.seq()), Records.reference(reference));
    }

    @Override
    public void released(long owner, long seq, int packetId) throws StoreException {
        put(Family.FLOW, Layout.flow(owner, Layout.RELEASED, packetId), Records.number(seq));
    }

    @Override
    public void numbered(long owner, long seq, int packetId) throws StoreException {
        put(Family.FLOW, Layout.numbered(owner, seq), Records.number(packetId));
    }

    @Override
    public void inboundId(long owner, int packetId) throws StoreException {
        put(Family.FLOW, Layout.flow(owner, Layout.INBOUND, packetId), Records.number(0));
    }

    @Override
    public void retained(Message message, long stamp) throws StoreException {
        put(Family.RETAINED, message.topic().utf8(), Records.retained(stamp, message));
    }

    @Override
    public void delayed(long id, long dueAtMillis, Message message) throws StoreException {
        put(Family.TIMER, Layout.key(dueAtMillis, id), Records.message(message));
    }

    @Override
    public void finish() throws StoreException {
        RowWriter writer = rows;
        if (writer == null) {
            throw new IllegalStateException("it is finished");
        }
        long sequence;
        try (writer) {
            sequence = writer.finish();
            for (Family family : Family.values()) {
                long rows = writer.count(family);
                if (rows < told[family.ordinal()]) {
                    throw new StoreException(
                            Kind.IO,
                            (told[family.ordinal()] - rows) + " of what was told for the table "
                                    + new String(family.label, StandardCharsets.US_ASCII)
                                    + " was there twice, such as two"
                                    + " messages at one place; nothing is left in " + directory.root());
                }
            }
        } catch (RocksDBException e) {
            throw failed(e);
        }
        rows = null;
        try (Mark mark = Mark.open(directory.mark())) {
            mark.write(new Mark.State(sequence, brokerMillis, wallMillis, true));
            directory.renewFormat();
            Files.move(part, directory.database(), StandardCopyOption.ATOMIC_MOVE); // last: until then it is a part
            DataDirectory.syncDirectory(directory.root());
        } catch (IOException e) {
            throw DataDirectory.failure("cannot be written to", directory.root(), e);
        }
        finished = true;
    }

    @Override
    public void close() {
        RowWriter writer = rows;
        rows = null;
        if (writer != null) {
            writer.close();
        }
        if (!finished) {
            try {
                Path root = directory.root();
                for (Path made : new Path[] {
                    directory.database(),
                    directory.mark(),
                    root.resolve("FORMAT"),
                    root.resolve("native"),
                    root.resolve("LOCK.broker"),
                    part // last, so that what is left can be told for what it is
                }) {
                    FileTree.delete(made);
                }
                if (isNew) {
                    FileTree.delete(root);
                }
            } catch (IOException e) {
                directory.close();
                return; // what stays is in the way of the next attempt, which will say so
            }
        }
        directory.close();
    }
}
