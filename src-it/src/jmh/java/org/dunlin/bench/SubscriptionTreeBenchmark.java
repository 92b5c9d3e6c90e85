package org.dunlin.bench;

import java.util.concurrent.TimeUnit;
import org.dunlin.core.routing.Match;
import org.dunlin.core.routing.MatchCache;
import org.dunlin.core.routing.Subscription;
import org.dunlin.core.routing.SubscriptionTree;
import org.dunlin.mqtt.TopicName;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Group;
import org.openjdk.jmh.annotations.GroupThreads;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Matching with many patterns, alone and while they change; patterns coming and going. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(value = 1, jvmArgsAppend = "-Xmx2g")
public class SubscriptionTreeBenchmark {
    private static final int HOT = 1 << 12;

    @Param("1000000")
    int patterns;

    /** All without wildcard; one of four with; a million siblings below one level, and each with a child "+". */
    @Param({"exact", "mixed", "siblings"})
    String shape;

    private SubscriptionTree tree;
    private MatchCache cache;
    private TopicName[] topics;
    private Subscription[] churn;
    private int next;
    private int turn;

    @Setup
    public void fill() {
        tree = new SubscriptionTree(2);
        cache = new MatchCache(tree, HOT);
        for (int i = 0; i < patterns; i++) {
            tree.add(Samples.subscription(filter(i)), i & 1);
        }
        topics = new TopicName[HOT];
        for (int i = 0; i < HOT; i++) {
            topics[i] = TopicName.of(topic((int) ((long) i * 7919 % patterns)));
        }
        churn = new Subscription[patterns / 100];
        for (int i = 0; i < churn.length; i++) {
            churn[i] = Samples.subscription(filter(patterns + i));
        }
    }

    private String filter(int i) {
        return switch (shape) {
            case "exact" -> topic(i);
            case "mixed" -> i % 4 == 0 ? "site/" + i % 1000 + "/+/" + i : topic(i);
            default -> "d/" + i + "/+";
        };
    }

    private String topic(int i) {
        return shape.equals("siblings") ? "d/" + i + "/t" : "site/" + i % 1000 + "/dev/" + i;
    }

    @Benchmark
    public Match match() {
        return tree.match(topics[next++ & HOT - 1]);
    }

    @Benchmark
    public Match cached() {
        return cache.match(topics[next++ & 63]);
    }

    @Benchmark
    @Group("churn")
    @GroupThreads(1)
    public Match cachedUnderChurn() {
        return cache.match(topics[next++ & 63]);
    }

    /** One pattern comes or goes, of 1 % of all. */
    @Benchmark
    @Group("churn")
    @GroupThreads(1)
    public void change() {
        int i = turn++;
        Subscription s = churn[i % churn.length];
        if (i / churn.length % 2 == 0) {
            tree.add(s, 1);
        } else {
            tree.remove(s, 1);
        }
    }
}
