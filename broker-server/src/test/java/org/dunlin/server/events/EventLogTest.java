package org.dunlin.server.events;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.dunlin.core.DropLedger;
import org.dunlin.core.DropLedger.Drop;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.core.spi.DropReason;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class EventLogTest {
    @Test
    void losses_goToTheLedger_loggedOrNot() {
        DropLedger drops = new DropLedger(10, 10, () -> 42);
        EventLog events = new EventLog(drops, new RecentEvents(), () -> 0);

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

    private static List<ILoggingEvent> logged(Consumer<EventLog> events, LongSupplier nanoTime) {
        Logger logger = (Logger) LoggerFactory.getLogger("dunlin.clients");
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.start();
        Level before = logger.getLevel();
        boolean additive = logger.isAdditive();
        logger.setLevel(Level.INFO);
        logger.setAdditive(false);
        logger.addAppender(lines);
        try {
            events.accept(new EventLog(new DropLedger(10, 10, () -> 42), new RecentEvents(), nanoTime));
        } finally {
            logger.detachAppender(lines);
            logger.setAdditive(additive);
            logger.setLevel(before);
        }
        return lines.list;
    }

    private static BrokerEvents.Peer peer(String clientId, String address) {
        return new BrokerEvents.Peer(clientId, "ann", address, "tcp", ProtocolVersion.MQTT_5);
    }

    @Test
    void refusalsOfOneAddress_areLoggedForAWhile_thenOnceASecond_withTheNumberLeftOut() {
        long[] now = {0};
        List<ILoggingEvent> lines = logged(
                events -> {
                    for (int i = 0; i < 10_000; i++) {
                        events.refused(peer("id-" + i, "10.0.0.1:" + i), ReasonCode.BAD_USER_NAME_OR_PASSWORD, "wrong");
                    }
                    events.refused(peer("other", "10.0.0.2:1"), ReasonCode.BAD_USER_NAME_OR_PASSWORD, "wrong");
                    assertEquals(10_001, events.refusals(ReasonCode.BAD_USER_NAME_OR_PASSWORD));
                    now[0] += 1_000_000_000;
                    events.refused(peer("late", "10.0.0.1:1"), ReasonCode.BAD_USER_NAME_OR_PASSWORD, "wrong");
                    events.refused(peer("later", "10.0.0.1:1"), ReasonCode.BAD_USER_NAME_OR_PASSWORD, "wrong");
                },
                () -> now[0]);

        assertEquals(22, lines.size());
        assertEquals("9980", field(lines.get(20), "others-not-logged"));
        assertEquals("10.0.0.2:1", field(lines.get(20), "address"));
        assertEquals("late", field(lines.get(21), "client"));
    }

    @Test
    void refusedPublish_isOneLine_andARightThatWasLostAnother() {
        TopicName topic = TopicName.of("t");
        List<ILoggingEvent> lines = logged(
                events -> {
                    events.dropped("a", topic, DropReason.NOT_AUTHORIZED);
                    events.denied(peer("a", "10.0.0.1:1"), "PUBLISH t", ReasonCode.NOT_AUTHORIZED, "rules:3");
                    events.dropped("b", topic, DropReason.RIGHT_LOST);
                },
                () -> 0);

        assertEquals(
                List.of("Denied", "Dropped"),
                lines.stream().map(ILoggingEvent::getMessage).toList());
    }

    @Test
    void noNumberOfAddresses_fillsTheLog() {
        List<ILoggingEvent> lines = logged(
                events -> {
                    for (int i = 0; i < 1_000_000; i++) {
                        String address = "10." + (i >> 16) + "." + (i >> 8 & 255) + "." + (i & 255) + ":1";
                        events.refused(peer("id-" + i, address), ReasonCode.QUOTA_EXCEEDED, "full");
                    }
                },
                () -> 0);

        assertEquals(500, lines.size());
    }

    @Test
    void contestedIdentifier_isToldOnce_withBothClients() {
        List<ILoggingEvent> lines = logged(
                events -> {
                    for (int i = 0; i < 100; i++) {
                        events.contested(peer("meter", "10.0.0.1:1"), peer("meter", "10.0.0.2:2"));
                    }
                    assertEquals(100, events.contested());
                },
                () -> 0);

        assertEquals(1, lines.size());
        assertEquals("meter", field(lines.get(0), "client"));
        assertEquals("10.0.0.1:1", field(lines.get(0), "former-address"));
        assertEquals("10.0.0.2:2", field(lines.get(0), "address"));
    }

    private static String field(ILoggingEvent line, String key) {
        return line.getKeyValuePairs().stream()
                .filter(pair -> pair.key.equals(key))
                .map(pair -> String.valueOf(pair.value))
                .findFirst()
                .orElse("");
    }
}
