package org.dunlin.server.config;

import static org.dunlin.server.config.ValueType.addressBlocks;
import static org.dunlin.server.config.ValueType.choice;
import static org.dunlin.server.config.ValueType.integer;
import static org.dunlin.server.config.ValueType.size;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.dunlin.core.limits.Fairness;
import org.dunlin.core.limits.Limits;
import org.dunlin.server.share.AddressBlock;

/** What can be set of how much of the broker one address or one client may take. Any thread. */
final class ShareKeys {
    static final List<Key<?>> ALL = new ArrayList<>();
    private static final Fairness CORE = Limits.DEFAULTS.fairness();
    private static final int MANY = 100_000_000;
    private static final List<AddressBlock> LOOPBACK = ValueType.blocks("127.0.0.0/8", "::1");

    static final Key<Integer> MAX_CONNECTIONS_PER_ADDRESS = live(Key.of(
            "limits.max-connections-per-address",
            integer(0, MANY),
            0,
            "Connections from one IPv4 address or one /64 of IPv6; 0 takes half of limits.max-connections."));
    static final Key<Integer> ACCEPT_RATE = live(Key.of(
            "limits.accept-rate",
            integer(0, 1_000_000),
            50_000,
            "New connections per second, before TLS or CONNECT, by the whole broker; 0 sets no bound."));
    static final Key<Integer> ACCEPT_RATE_PER_ADDRESS = live(Key.of(
            "limits.accept-rate-per-address",
            integer(0, 1_000_000),
            1000,
            "New connections per second from one IPv4 address or one /64 of IPv6; 0 sets no bound."));
    static final Key<List<AddressBlock>> EXEMPT_ADDRESSES = live(Key.of(
            "limits.exempt-addresses",
            addressBlocks(),
            LOOPBACK,
            "Addresses that are not bound by what is set per address, like those of gateways and load balancers."));

    static final Key<Long> PUBLISH_BYTE_RATE = add(Key.of(
                    "limits.publish-byte-rate",
                    size(0, 1L << 40),
                    CORE.publishBytesPerSecond(),
                    "Bytes of messages per second of one client before it is slowed down; 0 sets no bound.")
            .whileRunning());
    static final Key<Long> MAX_WILL_SIZE = add(Key.of(
                    "limits.max-will-size",
                    size(0, 64 * 1024),
                    (long) CORE.maxWillBytes(),
                    "Largest payload of a will; a packet before CONNACK never has more than 64KB.")
            .whileRunning());
    static final Key<Config.Takeovers> TAKEOVER_POLICY = add(Key.of(
                    "limits.takeover-policy",
                    choice(Config.Takeovers.class, Set.of()),
                    Config.Takeovers.NEWEST,
                    "Clients that share one identifier: newest sends the other away at once, back-off after a while.")
            .whileRunning());

    static final Key<Integer> MAX_SESSIONS_PER_USER = live(Key.of(
            "limits.max-sessions-per-user",
            integer(0, MANY),
            CORE.maxSessionsPerUser(),
            "Sessions of one user name, connected or not; 0 sets no bound: devices may share a name."));

    private ShareKeys() {}

    private static <T> Key<T> live(Key<T> key) {
        return add(key.whileRunning());
    }

    private static <T> Key<T> add(Key<T> key) {
        ALL.add(key);
        return key;
    }
}
