package org.dunlin.bench;

import java.util.concurrent.TimeUnit;
import org.dunlin.core.routing.Receivers;
import org.dunlin.core.routing.Subscription;
import org.dunlin.core.routing.SubscriptionTree;
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

/** Many receivers of one filter on one shard. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class ReceiversBenchmark {
    @Param("100000")
    int receivers;

    private SubscriptionTree tree;
    private Subscription[] all;
    private Receivers ofFilter;
    private int next;

    @Setup
    public void fill() {
        tree = new SubscriptionTree(1);
        all = new Subscription[receivers];
        for (int i = 0; i < receivers; i++) {
            all[i] = Samples.subscription("news/+");
            tree.add(all[i], 0);
        }
        ofFilter = tree.match(TopicName.of("news/today")).route(0).receivers(0);
    }

    @Benchmark
    public void unsubscribeAndSubscribe() {
        Subscription s = all[(int) (next++ * 7919L % receivers & Integer.MAX_VALUE) % receivers];
        tree.remove(s, 0);
        tree.add(s, 0);
    }

    /** All of them once. */
    @Benchmark
    public int iterate() {
        int ids = 0;
        for (int i = 0, n = ofFilter.size(); i < n; i++) {
            ids += ofFilter.get(i).qos().value();
        }
        return ids;
    }
}
