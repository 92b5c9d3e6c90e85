package org.dunlin.server.share;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.util.List;
import java.util.Objects;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.server.share.Addresses.Bounds;
import org.dunlin.server.share.Addresses.Refusal;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class AddressesTest {
    private long now = -5;
    private @Nullable InetAddress banned;

    private Addresses addresses(Bounds bounds) {
        return new Addresses(bounds, address -> address.equals(banned) ? "it is banned" : null, () -> now);
    }

    private static InetAddress address(String text) {
        return Objects.requireNonNull(AddressBlock.literal(text));
    }

    private static void assertRefused(ReasonCode reason, String key, @Nullable Refusal refusal) {
        assertNotNull(refusal);
        assertEquals(reason, refusal.reason());
        assertTrue(refusal.detail().contains(key), refusal.detail());
    }

    @Test
    void connections_ofOneAddress_areBounded_untilOneIsClosed() {
        Addresses addresses = addresses(new Bounds(2, 0, 0, List.of()));
        InetAddress one = address("10.0.0.1");
        assertNull(addresses.acceptFrom(one));
        assertNull(addresses.enter(one));

        assertRefused(
                ReasonCode.QUOTA_EXCEEDED, "10.0.0.1; see limits.max-connections-per-address", addresses.enter(one));
        assertNull(addresses.acceptFrom(address("10.0.0.2")));

        addresses.leave(one);
        assertNull(addresses.acceptFrom(one));
        addresses.leave(one);
        addresses.leave(one);
        assertEquals(0, addresses.connections(one));
    }

    @Test
    void ipv6_isCountedByItsFirst64Bits() {
        Addresses addresses = addresses(new Bounds(1, 0, 0, List.of()));
        assertNull(addresses.enter(address("2001:db8::1")));

        assertNotNull(addresses.enter(address("2001:db8::2")));
        assertNull(addresses.enter(address("2001:db8:0:1::1")));
    }

    @Test
    void rateOfOneAddress_isBounded_andTakesNothingFromTheOthers() {
        Addresses addresses = addresses(new Bounds(100, 4, 3, List.of()));
        for (int i = 0; i < 3; i++) {
            assertNull(addresses.acceptFrom(address("10.0.0.1")));
        }
        for (int i = 0; i < 50; i++) {
            assertRefused(
                    ReasonCode.CONNECTION_RATE_EXCEEDED,
                    "limits.accept-rate-per-address",
                    addresses.acceptFrom(address("10.0.0.1")));
        }

        assertNull(addresses.acceptFrom(address("10.0.0.2")));
        assertRefused(
                ReasonCode.CONNECTION_RATE_EXCEEDED,
                "see limits.accept-rate",
                addresses.acceptFrom(address("10.0.0.3")));
        assertEquals(0, addresses.connections(address("10.0.0.3")));

        now += 1_000_000_000;
        assertNull(addresses.accept());
        assertNull(addresses.acceptFrom(address("10.0.0.1")));
    }

    @Test
    void exemptAddress_isNotBound_butMayBeBanned() {
        Addresses addresses =
                addresses(new Bounds(1, 0, 1, List.of(Objects.requireNonNull(AddressBlock.parse("10.0.0.0/8")))));
        for (int i = 0; i < 100; i++) {
            assertNull(addresses.acceptFrom(address("10.0.0.1")));
        }
        for (int i = 0; i < 100; i++) {
            addresses.leave(address("10.0.0.1"));
        }
        banned = address("10.0.0.1");
        assertRefused(ReasonCode.BANNED, "it is banned", addresses.acceptFrom(address("10.0.0.1")));
    }

    @Test
    void otherBounds_countForWhoComes_andThoseThatAreThereCount() {
        List<AddressBlock> ten = List.of(Objects.requireNonNull(AddressBlock.parse("10.0.0.0/8")));
        Addresses addresses = addresses(new Bounds(1, 0, 2, ten));
        InetAddress one = address("10.0.0.1");
        for (int i = 0; i < 3; i++) {
            assertNull(addresses.acceptFrom(one));
        }
        addresses.bounds(new Bounds(3, 0, 2, List.of()));
        assertRefused(ReasonCode.QUOTA_EXCEEDED, "limits.max-connections-per-address", addresses.acceptFrom(one));
        addresses.leave(one);
        assertNull(addresses.acceptFrom(one));
        addresses.leave(one);

        addresses.bounds(new Bounds(9, 0, 2, List.of()));
        assertRefused(ReasonCode.CONNECTION_RATE_EXCEEDED, "limits.accept-rate-per-address", addresses.acceptFrom(one));
        addresses.bounds(new Bounds(9, 1, 0, List.of()));
        assertNull(addresses.acceptFrom(one));
        assertRefused(ReasonCode.CONNECTION_RATE_EXCEEDED, "see limits.accept-rate", addresses.acceptFrom(one));
        addresses.bounds(Bounds.NONE);
        for (int i = 0; i < 7; i++) {
            assertNull(addresses.acceptFrom(one));
        }
        for (int i = 0; i < 10; i++) {
            addresses.leave(one);
        }
        assertEquals(0, addresses.connections(one));
    }
}
