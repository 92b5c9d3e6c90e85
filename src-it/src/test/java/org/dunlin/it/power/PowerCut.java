package org.dunlin.it.power;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.dunlin.it.crash.DunlinVictim;
import org.dunlin.it.crash.Victim;

/**
 * The packed broker on a machine whose power fails: what ends it by force also takes from its files what they had not brought to
 * disk. One thread.
 */
final class PowerCut implements Victim {
    private final Path journal;
    private final Path folder;
    private final Disk disk;
    private final Random random;
    private final DunlinVictim broker;
    private final boolean alwaysWorst;
    private int cuts;

    /**
     * @param work an empty folder
     * @param alwaysWorst nothing is ever left that was not synced; else that is so of every third cut
     * @param lies the end of the names of files whose syncs the disk only confirms; empty for a disk that keeps its word
     */
    PowerCut(Path work, List<String> settings, boolean alwaysWorst, String lies, long seed) {
        this.alwaysWorst = alwaysWorst;
        try {
            Path real = work.toRealPath();
            folder = Files.createDirectory(real.resolve("disk"));
            journal = real.resolve("journal");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        disk = Disk.of(folder);
        random = new Random(seed);
        // Not the folder itself: the broker makes its directory and the one that this is in, and their names can be
        // lost, too.
        broker = new DunlinVictim(
                Shim.watching(folder, journal, lies), folder.resolve("dunlin").resolve("data"), settings);
    }

    @Override
    public void launch(boolean newPort) {
        try {
            Files.write(journal, new byte[0]);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        broker.launch(newPort);
    }

    @Override
    public int awaitReady() {
        return broker.awaitReady();
    }

    @Override
    public void kill() {
        broker.kill();
        disk.replay(journal);
        disk.cut(random.nextInt(3) == 0 || alwaysWorst ? null : random);
        disk.restore(folder);
        cuts++;
    }

    /** An orderly end, after which the machine goes on. */
    @Override
    public void stop() {
        broker.stop();
        disk.replay(journal);
        List<String> differences = disk.differences();
        if (!differences.isEmpty()) {
            throw new AssertionError("powercut.c has not seen all: " + differences);
        }
    }

    /** What the cuts have cost that had not been synced. */
    String toll() {
        Node.Loss loss = disk.loss();
        return cuts + " power cuts undid " + loss.writes + " writes (" + loss.torn
                + " with zeros or garbage in their place) and " + loss.names + " changes of names";
    }

    @Override
    public Promises promises() {
        return broker.promises();
    }

    @Override
    public String logTail() {
        return broker.logTail();
    }

    @Override
    public void close() {
        broker.close();
    }
}
