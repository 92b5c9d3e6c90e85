package org.dunlin.mqtt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

/** [MQTT-4.7.3-3] */
class TopicLengthTest {
    @Test
    void fault_atTheLongest_isCountedInBytes() {
        for (String text : new String[] {"x".repeat(65_535), "é".repeat(32_767) + "x", "€".repeat(21_845)}) {
            assertNull(TopicName.fault(text));
            assertNull(TopicFilter.fault(text));
            assertEquals(65_535, TopicName.of(text).utf8().length);
            assertNotNull(TopicName.fault(text + "x"));
            assertNotNull(TopicFilter.fault(text + "x"));
            assertThrows(IllegalArgumentException.class, () -> TopicName.of(text + "x"));
        }
    }
}
