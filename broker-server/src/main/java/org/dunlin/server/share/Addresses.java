package org.dunlin.server.share;

import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.dunlin.mqtt.ReasonCode;
import org.jspecify.annotations.Nullable;

/**
 * Who may have a connection, judged by the address it comes from alone, before anything is read from it: no TLS and no MQTT has
 * cost anything yet. Any thread. Its memory is bounded by the number of connections and by {@link #PLACES}.
 */
public final class Addresses {
    /** Addresses whose rate is known: 1 MB. */
    static final int PLACES = 65_536;

    private final Function<InetAddress, @Nullable String> banned;
    private final LongSupplier nanoTime;
    private volatile Terms terms;
    /** Connections from each address that has one, be it bound or not: bounds may be others when they are closed. */
    private final Map<AddressBlock, Integer> open = new ConcurrentHashMap<>();

    /**
     * @param connections from one address at a time
     * @param acceptsPerSecond of the whole broker; 0 for no bound
     * @param acceptsPerSecondEach from one address; 0 for no bound
     * @param exempt from what is bound for each address
     */
    public record Bounds(int connections, int acceptsPerSecond, int acceptsPerSecondEach, List<AddressBlock> exempt) {
        public static final Bounds NONE = new Bounds(Integer.MAX_VALUE, 0, 0, List.of());

        public Bounds {
            exempt = List.copyOf(exempt);
        }
    }

    /** Bounds with what has come lately, which stays known as long as its rate is the same. */
    private record Terms(
            Bounds bounds, @Nullable Rates all, @Nullable Rates each) {
        static Terms of(Bounds bounds, @Nullable Terms former) {
            int perSecond = bounds.acceptsPerSecond();
            int perSecondEach = bounds.acceptsPerSecondEach();
            return new Terms(
                    bounds,
                    former != null && former.bounds.acceptsPerSecond() == perSecond ? former.all : rates(perSecond, 8),
                    former != null && former.bounds.acceptsPerSecondEach() == perSecondEach
                            ? former.each
                            : rates(perSecondEach, PLACES));
        }

        private static @Nullable Rates rates(int perSecond, int places) {
            return perSecond == 0 ? null : new Rates(perSecond, perSecond, places);
        }

        boolean exempts(InetAddress address) {
            for (AddressBlock block : bounds.exempt()) {
                if (block.contains(address)) {
                    return true;
                }
            }
            return false;
        }
    }

    /** Why there is to be no connection. */
    public record Refusal(ReasonCode reason, String detail) {}

    /** @param banned says why an address may not connect at all, null if it may; must be quick */
    public Addresses(Bounds bounds, Function<InetAddress, @Nullable String> banned) {
        this(bounds, banned, System::nanoTime);
    }

    Addresses(Bounds bounds, Function<InetAddress, @Nullable String> banned, LongSupplier nanoTime) {
        this.terms = Terms.of(bounds, null);
        this.banned = banned;
        this.nanoTime = nanoTime;
    }

    /** Other bounds count for connections that come from now on; those that are there stay, and count. */
    public void bounds(Bounds next) {
        terms = Terms.of(next, terms);
    }

    /** Nobody is refused. */
    public static Addresses unlimited() {
        return new Addresses(Bounds.NONE, address -> null);
    }

    /**
     * A connection has come that is not from whom it is for: it counts for the whole broker alone, until {@link #enter} is asked.
     *
     * @return null if it may be there
     */
    public @Nullable Refusal accept() {
        Terms now = terms;
        Rates rate = now.all;
        return rate == null || rate.take("", nanoTime.getAsLong())
                ? null
                : new Refusal(
                        ReasonCode.CONNECTION_RATE_EXCEEDED,
                        "more than " + now.bounds.acceptsPerSecond()
                                + " new connections a second; see limits.accept-rate");
    }

    /**
     * A connection has come. It counts for its address until {@link #leave}.
     *
     * @return null if it may be there; else why not, and it does not count
     */
    public @Nullable Refusal acceptFrom(InetAddress address) {
        Refusal refusal = refusesToCome(address);
        if (refusal == null) {
            refusal = accept(); // last: one address that comes too often takes nothing from the others
        }
        return refusal != null ? refusal : count(address);
    }

    /**
     * A connection that was accepted is known to be for this address. It counts for it until {@link #leave}.
     *
     * @return null if it may be there; else why not, and it does not count
     */
    public @Nullable Refusal enter(InetAddress address) {
        Refusal refusal = refusesToCome(address);
        return refusal != null ? refusal : count(address);
    }

    private @Nullable Refusal refusesToCome(InetAddress address) {
        String ban = banned.apply(address);
        if (ban != null) {
            return new Refusal(ReasonCode.BANNED, ban);
        }
        Terms now = terms;
        Rates rate = now.each;
        if (rate == null || now.exempts(address)) {
            return null;
        }
        AddressBlock source = AddressBlock.source(address);
        return rate.take(source, nanoTime.getAsLong())
                ? null
                : new Refusal(
                        ReasonCode.CONNECTION_RATE_EXCEEDED,
                        "more than " + now.bounds.acceptsPerSecondEach() + " new connections a second from " + source
                                + "; see limits.accept-rate-per-address");
    }

    private @Nullable Refusal count(InetAddress address) {
        Terms now = terms;
        AddressBlock source = AddressBlock.source(address);
        if (open.merge(source, 1, Integer::sum) <= now.bounds.connections() || now.exempts(address)) {
            return null;
        }
        forget(source);
        return new Refusal(
                ReasonCode.QUOTA_EXCEEDED,
                "more than " + now.bounds.connections() + " connections from " + source
                        + "; see limits.max-connections-per-address");
    }

    /** A connection that has entered is closed. */
    public void leave(InetAddress address) {
        forget(AddressBlock.source(address));
    }

    private void forget(AddressBlock source) {
        open.computeIfPresent(source, (key, count) -> count == 1 ? null : count - 1);
    }

    /** Connections that count for the address. */
    int connections(InetAddress address) {
        return open.getOrDefault(AddressBlock.source(address), 0);
    }
}
