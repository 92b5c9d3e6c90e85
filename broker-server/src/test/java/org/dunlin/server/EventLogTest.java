package org.dunlin.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.dunlin.core.DropLedger;
import org.dunlin.core.DropLedger.Drop;
import org.dunlin.core.spi.DropReason;
import org.dunlin.mqtt.TopicName;
import org.junit.jupiter.api.Test;

class EventLogTest {
    @Test
    void losses_goToTheLedger_loggedOrNot() {
        DropLedger drops = new DropLedger(10, 10, () -> 42);
        EventLog events = new EventLog(drops);

        events.dropped("a", TopicName.of("t"), DropReason.TOO_LARGE);
        events.dropped("a", TopicName.of("t"), DropReason.TOO_LARGE);
        events.discarded("b", 7, DropReason.SESSION_ENDED);

        assertEquals(
                List.of(
                        new Drop(1, 42, "a", "t", DropReason.TOO_LARGE, 1),
                        new Drop(2, 42, "a", "t", DropReason.TOO_LARGE, 1),
                        new Drop(3, 42, "b", null, DropReason.SESSION_ENDED, 7)),
                drops.last(0, 10).drops());
        assertEquals(9, drops.total());
    }
}
