package org.dunlin.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.dunlin.core.spi.Authorizer.Client;
import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.dunlin.server.acl.AclAuthorizer;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
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

/** Rights from ACL files: questions at PUBLISH, SUBSCRIBE and delivery; what a client that connects costs. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(value = 1, jvmArgsAppend = "-Xmx2g")
public class RightsBenchmark {
    private static final int TOPICS = 1 << 10;

    /**
     * One rule; a thousand rules of the user; 100,000 users of three rules each; one user's rule with a group, a rule for all and
     * two patterns.
     */
    @Param({"one", "thousand", "users", "mixed"})
    String file;

    private AclAuthorizer authorizer;
    private Rights rights;
    private TopicName[] allowed;
    private TopicName refused;
    private TopicFilter covered;
    private String user;
    private int next;

    @Setup
    public void read() throws IOException, ConfigException {
        StringBuilder text = new StringBuilder();
        user = "user-1";
        switch (file) {
            case "one" -> text.append("user user-1\ntopic readwrite site/#\n");
            case "thousand" -> {
                text.append("user user-1\n");
                for (int i = 0; i < 1000; i++) {
                    text.append("topic readwrite site/").append(i).append(i % 3 == 0 ? "/+/value\n" : "/unit/value\n");
                }
            }
            case "users" -> {
                for (int i = 0; i < 100_000; i++) {
                    text.append("user user-").append(i).append("\ntopic readwrite site/+/unit/value\n");
                    text.append("topic deny site/7/secret/").append(i).append('\n');
                    text.append("topic read home/").append(i).append("/#\n");
                }
                user = "user-77777";
            }
            default ->
                text.append("user user-1\ntopic read home/#\ngroup ops\nmember user-1\ntopic readwrite site/#\n")
                        .append("all\ntopic read news/#\ntopic deny site/+/secret/#\n")
                        .append("pattern write dev/%c/#\npattern read user/%u/#\n");
        }
        Path path = Files.createTempFile("acl", ".rules");
        try {
            Files.writeString(path, text);
            long began = System.nanoTime();
            authorizer = new AclAuthorizer(path, false);
            System.out.println("read in " + (System.nanoTime() - began) / 1_000_000 + " ms");
        } finally {
            Files.delete(path);
        }
        rights = authorizer.rights(new Client("client-1", user, null));
        allowed = new TopicName[TOPICS];
        for (int i = 0; i < TOPICS; i++) {
            allowed[i] = TopicName.of("site/" + i % 1000 + "/unit/value");
            allowed[i].levels();
        }
        refused = TopicName.of("other/none");
        covered = TopicFilter.of("site/33/unit/value");
        if (rights.refusesPublish(allowed[77], Qos.AT_MOST_ONCE, false) != null
                || rights.refusesSubscribe(covered, Qos.AT_MOST_ONCE) != null) {
            throw new IllegalStateException("not allowed: " + file);
        }
    }

    @Benchmark
    public @Nullable String publish() {
        return rights.refusesPublish(allowed[next++ & TOPICS - 1], Qos.AT_LEAST_ONCE, false);
    }

    /** As most clients do. */
    @Benchmark
    public @Nullable String publishSameTopic() {
        return rights.refusesPublish(allowed[77], Qos.AT_LEAST_ONCE, false);
    }

    @Benchmark
    public boolean receive() {
        return rights.mayReceive(allowed[next++ & TOPICS - 1]);
    }

    @Benchmark
    public @Nullable String subscribe() {
        return rights.refusesSubscribe(covered, Qos.AT_LEAST_ONCE);
    }

    /** The text is made each time. */
    @Benchmark
    public @Nullable String refusedPublish() {
        return rights.refusesPublish(refused, Qos.AT_LEAST_ONCE, true);
    }

    @Benchmark
    public Rights connect() {
        return authorizer.rights(new Client("client-1", user, null));
    }
}
