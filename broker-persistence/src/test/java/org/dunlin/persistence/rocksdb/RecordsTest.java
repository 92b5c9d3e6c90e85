package org.dunlin.persistence.rocksdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.dunlin.persistence.rocksdb.Records.Unreadable;
import org.junit.jupiter.api.Test;

class RecordsTest {
    @Test
    void publishers_areThemselvesAlsoIfTheyHaveOneHash() throws Unreadable {
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 1000; i++) {
                assertPublisher("publisher-" + i);
            }
            assertPublisher("Aa");
            assertPublisher("BB");
            assertPublisher("");
            assertPublisher("ä".repeat(32));
            assertPublisher("ä".repeat(33));
        }
    }

    private static void assertPublisher(String publisher) throws Unreadable {
        assertEquals(publisher, read(publisher).publisher());
    }

    @Test
    void messagesOfOnePublisher_shareItsName() throws Unreadable {
        assertSame(read("publisher").publisher(), read("publisher").publisher());
    }

    private static Message read(String publisher) throws Unreadable {
        return Records.message(Records.message(new Message(
                1,
                publisher,
                TopicName.of("topic"),
                new byte[] {1},
                Qos.AT_LEAST_ONCE,
                false,
                Message.NEVER,
                Message.NO_BYTES)));
    }
}
