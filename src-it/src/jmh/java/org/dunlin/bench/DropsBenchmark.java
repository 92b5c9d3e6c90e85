package org.dunlin.bench;

import java.util.concurrent.TimeUnit;
import org.dunlin.core.DropLedger;
import org.dunlin.core.spi.DropReason;
import org.dunlin.mqtt.TopicName;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.ThreadParams;

/** One loss in the ledger, of clients that have lost something before; with {@code -t 2} as by two loops, each with its clients. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class DropsBenchmark {
    private final DropLedger ledger = new DropLedger();

    /** Of each thread. */
    @Param({"20", "1000"})
    int clients;

    /** What one loop knows. */
    @State(Scope.Thread)
    public static class Loop {
        private final TopicName topic = TopicName.of("flood/1");
        private String[] names = {};
        private int next;
        private long now;

        @Setup
        public void name(DropsBenchmark all, ThreadParams thread) {
            names = new String[all.clients];
            for (int i = 0; i < names.length; i++) {
                names[i] = "subscriber-" + thread.getThreadIndex() + "-" + i;
            }
        }
    }

    @Benchmark
    public void record(Loop loop) {
        loop.next = loop.next + 1 == loop.names.length ? 0 : loop.next + 1;
        loop.now += 1000;
        ledger.record(loop.names[loop.next], loop.topic, DropReason.SLOW_CONSUMER, 1, loop.now);
    }
}
