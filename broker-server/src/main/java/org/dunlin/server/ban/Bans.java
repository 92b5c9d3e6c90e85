package org.dunlin.server.ban;

import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.Fault;
import org.dunlin.server.files.FileWatch;
import org.dunlin.server.share.AddressBlock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who may not connect at the moment: by the ban file, which it follows, and addresses that are kept out for a while. Any thread; asking
 * takes no lock. A ban by the file ends connections that are there; being kept out for a while does not, since others may come from
 * the same address.
 */
public final class Bans implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("dunlin.auth");
    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(2);
    /** Addresses that are kept out at a time: 10 MB or so. */
    static final int TEMPORARY_MOST = 100_000;

    private volatile @Nullable FileWatch watch;
    private final LongSupplier wallMillis;
    private final Penalties<AddressBlock> temporary;
    private volatile Banned filed = Banned.NOBODY;
    /** As they were read at first: a watch of others has nothing to say any more. */
    private @Nullable Filed read;

    private @Nullable Runnable changed;

    /** A ban file that has been read, and is not in force yet. */
    public static final class Filed {
        private final @Nullable Path path;
        private final byte[] content;
        private final Banned bans;

        /**
         * Reads it.
         *
         * @param path null if there is none
         * @throws ConfigException with the faults of the file
         */
        public Filed(@Nullable Path path) throws ConfigException {
            this.path = path;
            this.content = path == null ? new byte[0] : BanFile.named(path).read();
            this.bans = path == null
                    ? Banned.NOBODY
                    : new Banned(BanFile.parse(path.toString(), content).bans());
        }
    }

    /**
     * @param path null if there is no file
     * @param first how long an address is kept out for the first time
     * @param most how long at most
     * @throws ConfigException with the faults of the file
     */
    public Bans(@Nullable Path path, Duration first, Duration most) throws ConfigException {
        this(path, first, most, System::currentTimeMillis);
    }

    Bans(@Nullable Path path, Duration first, Duration most, LongSupplier wallMillis) throws ConfigException {
        this.wallMillis = wallMillis;
        this.temporary = new Penalties<>(TEMPORARY_MOST, first.toMillis(), most.toMillis());
        use(new Filed(path));
    }

    /** Others are banned by a file from now on, and it is followed if this is. Whoever is kept out for a while stays so. */
    public synchronized void use(Filed next) {
        close();
        read = next;
        filed = next.bans;
        watch = null;
        Path path = next.path;
        if (path != null) {
            FileWatch own = new FileWatch(BanFile.named(path), next.content, BETWEEN_LOOKS, new Reload(next, path));
            watch = own;
            if (changed != null) {
                own.start();
            }
        }
    }

    /** Begins to follow the file. @param whenChanged runs when others are banned than before */
    public synchronized void follow(Runnable whenChanged) {
        changed = whenChanged;
        FileWatch own = watch;
        if (own != null) {
            own.start();
        }
    }

    /** @return what to run then; null if others count by now than those that were read from the same file before */
    private synchronized @Nullable Runnable changed(Filed before, Banned now) {
        if (read != before) {
            return null;
        }
        filed = now;
        return changed == null ? () -> {} : changed;
    }

    // ---- who is banned

    /** Why an address may not connect, for the log and its client; null if it may. */
    public @Nullable String refusal(InetAddress address) {
        Ban ban = filed.address(address, now());
        if (ban != null) {
            return ban.text() + "; see auth.ban-file";
        }
        AddressBlock source = AddressBlock.source(address);
        long until = temporary.until(source, wallMillis.getAsLong());
        return until == 0
                ? null
                : Ban.address(source, Instant.ofEpochMilli(until), "").text()
                        + " after too many failed logins; see auth.ban.address-after";
    }

    /** Why the file bans a client, for the log and its client; null if it does not. */
    @Nullable
    String filed(@Nullable String userName, @Nullable String clientId, String peer) {
        Banned now = filed;
        if (now == Banned.NOBODY) {
            return null;
        }
        Instant at = now();
        Ban ban = userName == null ? null : now.user(userName, at);
        if (ban == null && clientId != null) {
            ban = now.clientId(clientId, at);
        }
        InetAddress address = ban == null ? AddressBlock.ofPeer(peer) : null;
        if (address != null) {
            ban = now.address(address, at);
        }
        return ban == null ? null : ban.text() + "; see auth.ban-file";
    }

    @Nullable
    String filed(BrokerEvents.Peer peer) {
        return filed(peer.userName(), peer.clientId(), peer.address());
    }

    private Instant now() {
        return Instant.ofEpochMilli(wallMillis.getAsLong());
    }

    // ---- for a while

    /** Other times count for who is kept out from now on. */
    void times(Duration first, Duration most) {
        temporary.times(first.toMillis(), most.toMillis());
    }

    /** An address has failed to log in too often. @return until when it is kept out; null if there is no room for one more */
    @Nullable
    Instant punish(AddressBlock source) {
        long until = temporary.add(source, wallMillis.getAsLong());
        return until == 0 ? null : Instant.ofEpochMilli(until);
    }

    /** Until when an address is kept out for failed logins; 0 if it is not. */
    long outUntil(AddressBlock source) {
        return temporary.until(source, wallMillis.getAsLong());
    }

    /** Keeps an address out until then. @return false if there is no room for one more */
    public boolean keepOut(InetAddress address, Instant until) {
        return temporary.put(AddressBlock.source(address), until.toEpochMilli(), wallMillis.getAsLong());
    }

    /** Lets an address in that was kept out for a while. @return false if it was not */
    public boolean letIn(InetAddress address) {
        return temporary.remove(AddressBlock.source(address), wallMillis.getAsLong());
    }

    /** Those of the file that have not ended, then the addresses that are kept out for a while. */
    public List<Ban> inForce() {
        List<Ban> all = new ArrayList<>(filed.inForce(now()));
        temporary.forEach(
                wallMillis.getAsLong(),
                (source, until) -> all.add(Ban.address(source, Instant.ofEpochMilli(until), "failed logins")));
        return all;
    }

    /** Has the file looked at now; completes when what it says is in force. */
    public CompletionStage<Void> hurry() {
        FileWatch own = watch;
        return own == null ? CompletableFuture.completedFuture(null) : own.hurry();
    }

    /** Looks at the file now, which otherwise happens by itself every two seconds. */
    void look() {
        FileWatch own = watch;
        if (own != null) {
            own.look();
        }
    }

    private final class Reload implements FileWatch.Reader {
        private final Filed of;
        private final Path path;

        Reload(Filed of, Path path) {
            this.of = of;
            this.path = path;
        }

        @Override
        public void changed(byte[] content) {
            List<Ban> bans;
            try {
                bans = BanFile.parse(path.toString(), content).bans();
            } catch (ConfigException e) {
                LOG.warn(
                        "auth.ban-file has {} fault(s) and is not used, the bans read before stay; the first is {}",
                        e.faults().size(),
                        e.faults().get(0));
                return;
            }
            Banned now = new Banned(bans);
            Runnable review = Bans.this.changed(of, now);
            if (review == null) {
                return;
            }
            LOG.info(
                    "auth.ban-file {} has changed, {} ban(s) are in force now",
                    path,
                    now.inForce(now()).size());
            review.run();
        }

        @Override
        public void unreadable(Fault fault) {
            LOG.warn("auth.ban-file cannot be read, the bans read before stay; {}", fault);
        }
    }

    @Override
    public void close() {
        FileWatch own = watch;
        if (own != null) {
            own.close();
        }
    }
}
