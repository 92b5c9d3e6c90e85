package org.dunlin.server.ban;

import java.net.InetAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.dunlin.server.share.AddressBlock;
import org.jspecify.annotations.Nullable;

/** Bans, to be looked up. Immutable; any thread. */
final class Banned {
    static final Banned NOBODY = new Banned(List.of());

    private final List<Ban> bans;
    private final Map<AddressBlock, Ban> addresses = new HashMap<>();
    /** Lengths that blocks of IPv4 and of IPv6 have: as many look-ups. */
    private final int[] fourBits;

    private final int[] sixBits;
    private final Map<String, Ban> users = new HashMap<>();
    private final Map<String, Ban> clientIds = new HashMap<>();

    /** Of the same subject the one counts that ends last. */
    Banned(List<Ban> bans) {
        this.bans = List.copyOf(bans);
        TreeSet<Integer> four = new TreeSet<>();
        TreeSet<Integer> six = new TreeSet<>();
        for (Ban ban : bans) {
            switch (ban.kind()) {
                case ADDRESS -> {
                    AddressBlock block = AddressBlock.parse(ban.subject());
                    assert block != null : ban;
                    addresses.merge(block, ban, Banned::longer);
                    (block.six() ? six : four).add(block.bits());
                }
                case USER -> users.merge(ban.subject(), ban, Banned::longer);
                case CLIENT_ID -> clientIds.merge(ban.subject(), ban, Banned::longer);
            }
        }
        this.fourBits = four.stream().mapToInt(Integer::intValue).toArray();
        this.sixBits = six.stream().mapToInt(Integer::intValue).toArray();
    }

    private static Ban longer(Ban a, Ban b) {
        return a.until() == null || b.until() != null && a.until().isAfter(b.until()) ? a : b;
    }

    @Nullable
    Ban address(InetAddress address, Instant now) {
        if (addresses.isEmpty()) {
            return null;
        }
        AddressBlock one = AddressBlock.of(address);
        for (int bits : one.six() ? sixBits : fourBits) {
            Ban ban = addresses.get(one.within(bits));
            if (ban != null && ban.isInForce(now)) {
                return ban;
            }
        }
        return null;
    }

    @Nullable
    Ban user(String name, Instant now) {
        Ban ban = users.get(name);
        return ban != null && ban.isInForce(now) ? ban : null;
    }

    @Nullable
    Ban clientId(String id, Instant now) {
        Ban ban = clientIds.get(id);
        return ban != null && ban.isInForce(now) ? ban : null;
    }

    List<Ban> inForce(Instant now) {
        List<Ban> inForce = new ArrayList<>();
        for (Ban ban : bans) {
            if (ban.isInForce(now)) {
                inForce.add(ban);
            }
        }
        return inForce;
    }
}
