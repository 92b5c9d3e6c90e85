package org.dunlin.it.figures;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Lets streams and lanes run for a while and says what that took. Main thread. */
final class Meter {
    /** Runs before the time counts, in milliseconds. */
    private static final long RAMP = 200;

    private final Driver driver;

    /** @param count how many a second; @param cpuMicros of the broker, for each */
    record Reading(double count, double cpuMicros) {}

    private interface Counter {
        long count();
    }

    Meter(Driver driver) {
        this.driver = driver;
    }

    Driver driver() {
        return driver;
    }

    /** Messages delivered. Opens the streams, and closes them when all is there that was sent. */
    Reading streams(MeasuredBroker broker, List<Stream> streams, long millis) throws IOException {
        List<CompletableFuture<?>> futures = new ArrayList<>();
        streams.forEach(stream -> futures.add(stream.open()));
        driver.await(all(futures), "connecting publishers and subscribers");
        streams.forEach(Stream::start);
        Reading reading = read(broker, millis, () -> {
            long count = 0;
            for (Stream stream : streams) {
                count += stream.delivered();
            }
            return count;
        });
        futures.clear();
        streams.forEach(stream -> futures.add(stream.stop()));
        driver.await(all(futures), "the last messages; some are lost");
        return reading;
    }

    /**
     * Connections that came and went.
     *
     * @param filter of the topics of the lanes
     * @param witness who may subscribe to that
     * @return and how many there were in all
     */
    Visits lanes(MeasuredBroker broker, List<Lane> lanes, Witness witness, long millis) throws IOException {
        driver.await(witness.ready(), "the witness");
        lanes.forEach(Lane::start);
        Reading reading = read(broker, millis, () -> {
            long count = 0;
            for (Lane lane : lanes) {
                count += lane.visits();
            }
            return count;
        });
        long all = 0;
        List<CompletableFuture<Long>> ends = new ArrayList<>();
        lanes.forEach(lane -> ends.add(lane.stop()));
        for (CompletableFuture<Long> end : ends) {
            all += driver.await(end, "the last visits");
        }
        long sent = all;
        driver.await(CompletableFuture.runAsync(() -> awaitCount(witness, sent)), "messages of visits; some are lost");
        witness.leave();
        return new Visits(reading, all);
    }

    record Visits(Reading reading, long all) {}

    private static void awaitCount(Witness witness, long sent) {
        while (witness.count() < sent) {
            LockSupport.parkNanos(1_000_000);
        }
    }

    private Reading read(MeasuredBroker broker, long millis, Counter counter) throws IOException {
        sleep(RAMP);
        long began = System.nanoTime();
        double cpu = broker.cpuSeconds();
        long count = counter.count();
        sleep(millis);
        long done = counter.count() - count;
        cpu = broker.cpuSeconds() - cpu;
        double seconds = (System.nanoTime() - began) / 1e9;
        driver.verify();
        return new Reading(done / seconds, cpu * 1e6 / done);
    }

    static CompletableFuture<Void> all(List<CompletableFuture<?>> futures) {
        return CompletableFuture.allOf(futures.toArray(new CompletableFuture<?>[0]));
    }

    private static void sleep(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
