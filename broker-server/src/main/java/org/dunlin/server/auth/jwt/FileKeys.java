package org.dunlin.server.auth.jwt;

import java.time.Duration;
import java.util.List;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.Fault;
import org.dunlin.server.config.Quote;
import org.dunlin.server.files.FileWatch;
import org.dunlin.server.files.NamedFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keys from a file that is followed as it changes; a faulty one is told and not used. Any thread. */
final class FileKeys implements KeySource {
    private static final Logger LOG = LoggerFactory.getLogger("dunlin.auth");
    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(2);

    private final NamedFile file;
    private final KeyFile.Form form;
    private final List<String> algorithms;
    private final FileWatch watch;
    private volatile VerificationKeys keys;

    /** @throws ConfigException if the file has no keys that can be used */
    FileKeys(NamedFile file, KeyFile.Form form, List<String> algorithms) throws ConfigException {
        this.file = file;
        this.form = form;
        this.algorithms = algorithms;
        byte[] content = file.read();
        try {
            this.keys = form.read(content, algorithms);
        } catch (KeyFile.Unfit unfit) {
            throw new ConfigException(List.of(new Fault(
                    Quote.path(file.path().toString()),
                    "",
                    "the " + file.what() + " " + unfit.getMessage(),
                    "correct it or " + file.key())));
        }
        this.watch = new FileWatch(file, content, BETWEEN_LOOKS, new Reload());
    }

    @Override
    public VerificationKeys keys() {
        return keys;
    }

    @Override
    public void watch() {
        watch.start();
    }

    /** Looks at the file now, which otherwise happens by itself every two seconds. */
    void look() {
        watch.look();
    }

    @Override
    public boolean missed() {
        return false;
    }

    @Override
    public void close() {
        watch.close();
    }

    private final class Reload implements FileWatch.Reader {
        @Override
        public void changed(byte[] content) {
            try {
                VerificationKeys read = form.read(content, algorithms);
                keys = read;
                LOG.info("{} {} has changed, it has {} key(s) now", file.key(), file.path(), read.count());
            } catch (KeyFile.Unfit unfit) {
                LOG.warn("{} {} {}; the keys read before stay", file.key(), file.path(), unfit.getMessage());
            }
        }

        @Override
        public void unreadable(Fault fault) {
            LOG.warn("{} cannot be read, the keys read before stay; {}", file.key(), fault);
        }
    }
}
