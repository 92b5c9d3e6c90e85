package org.dunlin.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.server.admin.Operations;
import org.dunlin.server.config.Config;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.ConfigLoader.Loaded;
import org.dunlin.server.config.Fault;
import org.dunlin.server.config.Settings;
import org.dunlin.server.files.FileWatch;
import org.dunlin.server.files.NamedFile;
import org.dunlin.server.net.Supervisor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the configuration again while the broker runs: all of it or, if it has a fault, nothing. Any thread but a loop; two at once
 * are done one after the other, each with what the former has left.
 */
final class Reload implements Operations.Configuration, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("dunlin.config");
    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(2);
    private static final int FILE_BYTES_MAX = 16 << 20;
    private static final int FAULTS_LOGGED = 20;

    private final Loaded first;
    private final Checks checks;
    private final Target target;
    private final Supervisor supervisor;
    private final @Nullable FileWatch watch;
    private Settings inForce;

    /** Looks at the files that a configuration names. */
    interface Checks {
        /** @throws ConfigException with every fault of theirs */
        void check(Loaded loaded) throws ConfigException;
    }

    /** What a configuration is in force for. */
    interface Target {
        /**
         * Looks at what {@link Checks} do not look at, as they are for those, too, that do not run.
         *
         * @throws ConfigException with every fault of it
         */
        void check(Config next) throws ConfigException;

        /**
         * Reads and makes all that is needed, and changes nothing.
         *
         * @param next with what a reload changes; the rest is as it was
         * @return puts it into force; never fails
         * @throws ConfigException with every fault of it
         */
        Runnable prepare(Config next) throws ConfigException;
    }

    Reload(Loaded first, Checks checks, Target target, Supervisor supervisor) {
        this.first = first;
        this.checks = checks;
        this.target = target;
        this.supervisor = supervisor;
        this.inForce = first.settings();
        this.watch = watch(first.sources().file());
    }

    private @Nullable FileWatch watch(@Nullable Path file) {
        if (file == null) {
            return null;
        }
        NamedFile named =
                new NamedFile(file, "configuration file", "-c", "put it back, or restart without it", FILE_BYTES_MAX);
        byte[] known;
        try {
            known = Files.readAllBytes(file);
        } catch (IOException gone) {
            known = new byte[0];
        }
        return new FileWatch(named, known, BETWEEN_LOOKS, new FileWatch.Reader() {
            @Override
            public void changed(byte[] content) {
                reload("the file has changed");
            }

            @Override
            public void unreadable(Fault fault) {
                LOG.warn("The configuration stays as it is; {}", fault);
            }
        });
    }

    /** Begins to follow the file, if there is one. */
    void follow() {
        if (watch != null) {
            watch.start();
        }
    }

    @Override
    public synchronized List<Settings.Item> items() {
        return inForce.items();
    }

    @Override
    public synchronized Outcome check() {
        try {
            Loaded next = read();
            target.check(merged(next).config());
            return new Outcome(List.of(), inForce.changes(next.settings()));
        } catch (ConfigException faulty) {
            return new Outcome(faulty.faults(), List.of());
        }
    }

    private Loaded read() throws ConfigException {
        Loaded next = first.sources().load();
        checks.check(next);
        return next;
    }

    /** What would be in force. It has faults of its own if what changes does not fit what would need a restart. */
    private Settings merged(Loaded next) throws ConfigException {
        Settings merged = inForce.reloaded(next.settings());
        List<Fault> faults = new ArrayList<>();
        for (Fault fault : merged.faults()) {
            faults.add(new Fault(
                    fault.where(),
                    fault.key(),
                    fault.what() + ", as long as what needs a restart is as it was",
                    "restart, or " + fault.cure()));
        }
        if (!faults.isEmpty()) {
            throw new ConfigException(faults);
        }
        return merged;
    }

    @Override
    public synchronized Outcome reload(String why) {
        supervisor.reloading();
        try {
            return readAndApply(why);
        } finally {
            supervisor.reloaded();
        }
    }

    private Outcome readAndApply(String why) {
        Loaded next;
        Settings merged;
        Runnable prepared;
        try {
            next = read();
            merged = merged(next);
            prepared = target.prepare(merged.config());
        } catch (ConfigException faulty) {
            LOG.warn(
                    "The configuration was not reloaded ({}): it has {} fault(s), and stays as it is",
                    why,
                    faulty.faults().size());
            faulty.faults().stream().limit(FAULTS_LOGGED).forEach(fault -> LOG.warn("{}", fault));
            return new Outcome(faulty.faults(), List.of());
        }
        List<Settings.Change> changes = inForce.changes(next.settings());
        inForce = merged;
        prepared.run();
        LOG.info("The configuration was reloaded ({}): {} change(s)", why, changes.size());
        for (Settings.Change change : changes) {
            LOG.atInfo()
                    .addKeyValue("key", change.path())
                    .addKeyValue("from", change.from())
                    .addKeyValue("to", change.to())
                    .log(change.live() ? "Changed" : "Needs a restart");
        }
        next.warnings().forEach(LOG::warn);
        return new Outcome(List.of(), changes);
    }

    @Override
    public void close() {
        if (watch != null) {
            watch.close();
        }
    }
}
