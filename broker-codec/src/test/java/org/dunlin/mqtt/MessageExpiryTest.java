package org.dunlin.mqtt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** [MQTT-3.3.2-5] [MQTT-3.3.2-6] */
class MessageExpiryTest {
    private static Message until(long millis) {
        return new Message(
                1, "", TopicName.of("t"), Message.NO_BYTES, Qos.AT_MOST_ONCE, false, millis, Message.NO_BYTES);
    }

    @Test
    void remainingExpirySeconds_isRoundedUpAndNeverNegative() {
        long[][] rows = {{10_000, 0, 10}, {10_000, 1, 10}, {10_000, 1000, 9}, {10_000, 9999, 1}, {10_000, 10_000, 0}};
        for (long[] row : rows) {
            assertEquals(row[2], until(row[0]).remainingExpirySeconds(row[1]));
            assertEquals(row[2] == 0, until(row[0]).isExpired(row[1]));
        }
        assertEquals(0, until(0).remainingExpirySeconds(10_000));
        long longest = 0xFFFF_FFFFL;
        assertEquals(longest, until(longest * 1000).remainingExpirySeconds(0));
    }

    @Test
    void withoutInterval_neverExpires() {
        Message message = until(Message.NEVER);
        assertFalse(message.hasExpiry());
        assertFalse(message.isExpired(Long.MAX_VALUE - 1));
        assertTrue(message.remainingExpirySeconds(0) > 0xFFFF_FFFFL);
    }
}
