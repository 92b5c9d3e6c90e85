package org.dunlin.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.dunlin.core.DropLedger.Drop;
import org.dunlin.core.DropLedger.Losses;
import org.dunlin.core.DropLedger.Page;
import org.dunlin.core.spi.DropReason;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class DropLedgerTest {
    private static final TopicName TOPIC = TopicName.of("t");

    private long now = 1000;
    private final DropLedger ledger = new DropLedger(3, 4, () -> now);

    private void lose(String client) {
        record(client, TOPIC, DropReason.QUEUE_FULL, 1);
    }

    private void record(String client, @Nullable TopicName topic, DropReason reason, long messages) {
        ledger.record(client, topic, reason, messages, TimeUnit.MILLISECONDS.toNanos(now));
    }

    private List<String> names() {
        return ledger.clients("", 100).stream().map(Losses::client).toList();
    }

    private static List<Long> numbers(Page page) {
        return page.drops().stream().map(Drop::number).toList();
    }

    @Test
    void record_countsByReasonAndByClient() {
        record("a", TOPIC, DropReason.EXPIRED, 1);
        record("a", null, DropReason.SESSION_ENDED, 7);
        record("b", TOPIC, DropReason.EXPIRED, 1);

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
        record("a", TOPIC, DropReason.EXPIRED, 1);
        now = 2000;
        record("b", null, DropReason.SESSION_ENDED, 7);

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
        record(begin + "1", TopicName.of("/".repeat(65_535)), DropReason.EXPIRED, 1);
        record(begin + "2", TOPIC, DropReason.EXPIRED, 1);

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
            record("a", TopicName.of(start + "😀".repeat(500)), DropReason.EXPIRED, 1);
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
                        shared.record(client, TOPIC, reason, count, i);
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

    @Test
    void manyWritersOfTheSameClients_eachCountIsExact() throws Exception {
        int writers = 4;
        int rounds = 20_000;
        DropLedger shared = new DropLedger(8, 16, () -> 0);
        DropReason[] reasons = {DropReason.SLOW_CONSUMER, DropReason.QUEUE_FULL};
        ExecutorService threads = Executors.newFixedThreadPool(writers);
        try {
            List<Future<?>> all = new ArrayList<>();
            for (int w = 0; w < writers; w++) {
                all.add(threads.submit(() -> {
                    for (int i = 0; i < rounds; i++) {
                        shared.record("c" + i % 5, TOPIC, reasons[i & 1], 1 + i % 5, i);
                    }
                }));
            }
            for (Future<?> writer : all) {
                writer.get(1, TimeUnit.MINUTES);
            }
        } finally {
            threads.shutdownNow();
        }
        for (int client = 0; client < 5; client++) {
            long each = (long) writers * rounds / 10 * (1 + client);
            Losses losses = shared.client("c" + client);
            assertEquals(each, losses.count(DropReason.SLOW_CONSUMER), losses.client());
            assertEquals(each, losses.count(DropReason.QUEUE_FULL), losses.client());
        }
        assertEquals(shared.total(DropReason.SLOW_CONSUMER), shared.total(DropReason.QUEUE_FULL));
        assertEquals((long) writers * rounds * 3, shared.total());
        assertEquals(0, shared.others().total());
        assertEquals((long) writers * rounds, shared.newest());
    }

    private void inThreadOfItsOwn(Runnable what) throws InterruptedException {
        Thread thread = new Thread(what);
        thread.start();
        thread.join();
    }

    @Test
    void whatAThreadHasCounted_staysWhenItHasEnded() throws InterruptedException {
        for (int i = 1; i <= 100; i++) {
            inThreadOfItsOwn(() -> lose("a"));
            assertEquals(i, ledger.total());
            assertEquals(i, ledger.newest());
        }
        lose("a");
        assertEquals(101, ledger.client("a").total());
        assertEquals(List.of(98L, 99L, 100L, 101L), numbers(ledger.last(0, 10)));
    }

    @Test
    void lossesOfSeveralThreads_areNumberedByTheirTimes() throws InterruptedException {
        CountDownLatch otherHasWritten = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(1);
        Thread other = new Thread(() -> {
            for (int at : new int[] {10, 30, 50}) {
                ledger.record("other", TOPIC, DropReason.EXPIRED, at, TimeUnit.MILLISECONDS.toNanos(1000 + at));
            }
            otherHasWritten.countDown();
            try {
                done.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        other.start();
        try {
            assertTrue(otherHasWritten.await(1, TimeUnit.MINUTES));
            for (int at : new int[] {20, 40, 60}) {
                ledger.record("mine", TOPIC, DropReason.EXPIRED, at, TimeUnit.MILLISECONDS.toNanos(1000 + at));
            }
            Page page = ledger.last(1, 3);
            assertEquals(List.of(3L, 4L, 5L), numbers(page));
            assertEquals(
                    List.of(30L, 40L, 50L),
                    page.drops().stream().map(Drop::messages).toList());
            assertEquals(1, page.missed()); // four are kept

            ledger.record("mine", TOPIC, DropReason.EXPIRED, 70, TimeUnit.MILLISECONDS.toNanos(1070));
            assertEquals(List.of(6L, 7L), numbers(ledger.last(page.next(), 10)));
        } finally {
            done.countDown();
            other.join();
        }
    }

    @Test
    void timeOfDay_followsTheClockOfTheCaller_andIsReadAnewEveryTenthOfASecond() {
        long[] day = {5000};
        DropLedger timed = new DropLedger(3, 4, () -> day[0]);
        timed.record("a", TOPIC, DropReason.EXPIRED, 1, 0);
        day[0] = 9000; // set by somebody
        timed.record("a", TOPIC, DropReason.EXPIRED, 1, TimeUnit.MILLISECONDS.toNanos(99));
        timed.record("a", TOPIC, DropReason.EXPIRED, 1, TimeUnit.MILLISECONDS.toNanos(100));
        timed.record("a", TOPIC, DropReason.EXPIRED, 1, TimeUnit.MILLISECONDS.toNanos(101));

        assertEquals(
                List.of(5000L, 5099L, 9000L, 9001L),
                timed.last(0, 10).drops().stream().map(Drop::atMillis).toList());
    }
}
