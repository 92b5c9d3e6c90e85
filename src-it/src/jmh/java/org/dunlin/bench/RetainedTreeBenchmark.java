package org.dunlin.bench;

import java.util.concurrent.TimeUnit;
import org.dunlin.core.routing.RetainedTree;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.TopicFilter;
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

/** A large retained tree: change, look-up, whole scans in pages of 64. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 1, time = 2)
@Measurement(iterations = 3, time = 1)
@Fork(value = 1, jvmArgsAppend = "-Xmx2g")
public class RetainedTreeBenchmark {
    @Param("1000000")
    int topics;

    private RetainedTree tree;
    private Message[] again;
    private int next;
    private long found;

    @Setup
    public void fill() {
        tree = new RetainedTree(topics, Long.MAX_VALUE);
        again = new Message[1 << 14];
        for (int i = 0; i < topics; i++) {
            tree.put(Samples.retained(topic(i), i));
        }
        for (int i = 0; i < again.length; i++) {
            again[i] = Samples.retained(topic((int) (i * 7919L % topics)), i);
        }
    }

    private static String topic(int i) {
        return "site/" + i % 1000 + "/dev/" + i;
    }

    @Benchmark
    public Object replace() {
        return tree.put(again[next++ & again.length - 1]);
    }

    @Benchmark
    public Object get() {
        return tree.get(again[next++ & again.length - 1].topic());
    }

    @Benchmark
    public long scanAll() {
        return scan("#");
    }

    /** Visits every level below 1,000 branches and finds one message. */
    @Benchmark
    public long scanForOne() {
        return scan("site/+/dev/4711");
    }

    private long scan(String filter) {
        RetainedTree.Cursor cursor = tree.cursor(TopicFilter.of(filter));
        boolean more = true;
        while (more) {
            more = cursor.next(64, m -> found++);
        }
        return found;
    }
}
