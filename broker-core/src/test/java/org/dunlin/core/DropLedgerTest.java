package org.dunlin.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.dunlin.core.DropLedger.Drop;
import org.dunlin.core.DropLedger.Losses;
import org.dunlin.core.DropLedger.Page;
import org.dunlin.core.spi.DropReason;
import org.dunlin.mqtt.TopicName;
import org.junit.jupiter.api.Test;

class DropLedgerTest {
    private static final TopicName TOPIC = TopicName.of("t");

    private long now = 1000;
    private final DropLedger ledger = new DropLedger(3, 4, () -> now);

    private void lose(String client) {
        ledger.record(client, TOPIC, DropReason.QUEUE_FULL, 1);
    }

    private List<String> names() {
        return ledger.clients("", 100).stream().map(Losses::client).toList();
    }

    private static List<Long> numbers(Page page) {
        return page.drops().stream().map(Drop::number).toList();
    }

    @Test
    void record_countsByReasonAndByClient() {
        ledger.record("a", TOPIC, DropReason.EXPIRED, 1);
        ledger.record("a", null, DropReason.SESSION_ENDED, 7);
        ledger.record("b", TOPIC, DropReason.EXPIRED, 1);

        assertEquals(2, ledger.total(DropReason.EXPIRED));
        assertEquals(7, ledger.total(DropReason.SESSION_ENDED));
        assertEquals(0, ledger.total(DropReason.TOO_LARGE));
        assertEquals(9, ledger.total());
        assertEquals(1, ledger.client("a").count(DropReason.EXPIRED));
        assertEquals(8, ledger.client("a").total());
        assertEquals(1, ledger.client("b").total());
        assertEquals(0, ledger.client("c").total());
        assertEquals(0, ledger.others().total());
    }

    @Test
    void last_tellsTimeClientTopicReasonAndCount() {
        ledger.record("a", TOPIC, DropReason.EXPIRED, 1);
        now = 2000;
        ledger.record("b", null, DropReason.SESSION_ENDED, 7);

        Page page = ledger.last(0, 10);

        assertEquals(
                List.of(
                        new Drop(1, 1000, "a", "t", DropReason.EXPIRED, 1),
                        new Drop(2, 2000, "b", null, DropReason.SESSION_ENDED, 7)),
                page.drops());
        assertEquals(0, page.missed());
        assertNull(page.drops().get(1).topic());
    }

    @Test
    void last_goesOnPageByPage() {
        for (int i = 0; i < 3; i++) {
            lose("a");
        }
        Page first = ledger.last(0, 2);
        assertEquals(List.of(1L, 2L), numbers(first));
        Page second = ledger.last(first.next(), 2);
        assertEquals(List.of(3L), numbers(second));
        Page empty = ledger.last(second.next(), 2);
        assertEquals(List.of(), numbers(empty));
        lose("a");
        assertEquals(List.of(4L), numbers(ledger.last(empty.next(), 2)));
    }

    @Test
    void last_beyondTheBound_losesTheOldestAndSaysSo() {
        for (int i = 0; i < 10; i++) {
            lose("a");
        }
        Page page = ledger.last(2, 100);
        assertEquals(List.of(7L, 8L, 9L, 10L), numbers(page));
        assertEquals(4, page.missed());
        assertEquals(List.of(9L, 10L), numbers(ledger.last(ledger.newest() - 2, 2)));
        assertEquals(10, ledger.total());
    }

    @Test
    void oneClientTooMany_joinsTheOneThatHasLostNothingForLongestToTheOthers() {
        lose("a");
        lose("b");
        lose("c");
        lose("a");

        lose("d");
        assertEquals(List.of("a", "c", "d"), names());
        assertEquals(1, ledger.others().total());

        lose("b"); // begins anew
        assertEquals(List.of("a", "b", "d"), names());
        assertEquals(1, ledger.client("b").total());
        assertEquals(2, ledger.others().count(DropReason.QUEUE_FULL));
        assertEquals(6, ledger.total());
    }

    @Test
    void clients_comePageByPageInTheOrderOfTheirNames() {
        lose("c");
        lose("a");
        lose("b");
        List<Losses> page = ledger.clients("", 2);
        assertEquals(List.of("a", "b"), page.stream().map(Losses::client).toList());
        assertEquals(
                List.of("c"),
                ledger.clients("b", 2).stream().map(Losses::client).toList());
        assertEquals(List.of(), ledger.clients("c", 2));
    }

    @Test
    void longTexts_areCut() {
        String begin = "x".repeat(60_000);
        ledger.record(begin + "1", TopicName.of("/".repeat(65_535)), DropReason.EXPIRED, 1);
        ledger.record(begin + "2", TOPIC, DropReason.EXPIRED, 1);

        assertEquals(1, ledger.client(begin + "1").total());
        assertEquals(1, ledger.client(begin + "2").total());
        Drop first = ledger.last(0, 1).drops().get(0);
        assertEquals(DropLedger.TEXT_MOST, first.client().length());
        String topic = first.topic();
        assertEquals("/".repeat(DropLedger.TEXT_MOST - 1) + "…", topic);
        assertNotEquals(names().get(0), names().get(1));
        assertEquals(1, ledger.client(first.client()).total());
    }

    @Test
    void longTexts_areNotCutWithinACharacter() {
        for (String start : List.of("", "x")) {
            ledger.record("a", TopicName.of(start + "😀".repeat(500)), DropReason.EXPIRED, 1);
        }
        for (Drop drop : ledger.last(0, 2).drops()) {
            String topic = drop.topic();
            assertTrue(topic != null && topic.endsWith("😀…"), topic);
        }
    }

    @Test
    void bounds_ofNothing_areRefused() {
        assertThrows(IllegalArgumentException.class, () -> new DropLedger(0, 1, () -> 0));
        assertThrows(IllegalArgumentException.class, () -> new DropLedger(1, 0, () -> 0));
    }

    @Test
    void manyWritersAndAReader_nothingIsCountedTwiceOrForgotten() throws Exception {
        long seed = Long.getLong("dunlin.seed", System.nanoTime());
        String hint = "-Ddunlin.seed=" + seed;
        int clients = 50;
        int perWriter = 50_000;
        DropLedger shared = new DropLedger(clients, 64, () -> 0);
        ExecutorService threads = Executors.newFixedThreadPool(5);
        try {
            List<Future<long[]>> writers = new ArrayList<>();
            for (int w = 0; w < 4; w++) {
                Random random = new Random(seed + w);
                writers.add(threads.submit(() -> {
                    long[] sums = new long[DropReason.values().length];
                    for (int i = 0; i < perWriter; i++) {
                        DropReason reason = DropReason.values()[random.nextInt(sums.length)];
                        int count = 1 + random.nextInt(3);
                        // four times as many clients as fit, some of them often
                        String client = "c" + (int) (clients * 4 * Math.pow(random.nextDouble(), 3));
                        shared.record(client, TOPIC, reason, count);
                        sums[reason.ordinal()] += count;
                    }
                    return sums;
                }));
            }
            Future<Long> reader = threads.submit(() -> {
                long next = 0;
                long seen = 0;
                while (next < 4L * perWriter) {
                    Page page = shared.last(next, 16);
                    long former = next;
                    for (Drop drop : page.drops()) {
                        assertTrue(drop.number() > former, hint);
                        former = drop.number();
                    }
                    next = page.next();
                    seen += page.drops().size() + page.missed();
                    assertEquals(next, seen, hint);
                    assertTrue(shared.clients("", 1000).size() <= clients, hint);
                }
                return seen;
            });
            long[] sums = new long[DropReason.values().length];
            for (Future<long[]> writer : writers) {
                long[] theirs = writer.get(1, TimeUnit.MINUTES);
                for (int i = 0; i < sums.length; i++) {
                    sums[i] += theirs[i];
                }
            }
            assertEquals(4L * perWriter, reader.get(1, TimeUnit.MINUTES), hint);
            List<Losses> kept = shared.clients("", 1000);
            assertTrue(kept.size() > clients / 2 && shared.others().total() > 0, hint);
            for (DropReason reason : DropReason.values()) {
                long byClient = shared.others().count(reason);
                for (Losses losses : kept) {
                    byClient += losses.count(reason);
                }
                assertEquals(sums[reason.ordinal()], shared.total(reason), hint);
                assertEquals(sums[reason.ordinal()], byClient, hint);
            }
        } finally {
            threads.shutdownNow();
        }
    }
}
