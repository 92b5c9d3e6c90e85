package org.dunlin.it.compare;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What the load generator is told to do, and the figure of its answer that counts. Any thread.
 *
 * @param name short, as in the arguments of a run
 * @param title for people
 * @param figure of the answer that counts, less is better; fields of fields after a dot
 * @param more figures that are reported beside it, each with its title
 * @param bar ratio to mosquitto that is aimed at, 0 for none
 * @param beside name of the workload whose own figure it may exceed by {@link #SURCHARGE} only; it is taken in the same rounds; empty if
 *     there is none
 * @param limit seconds that it may take
 */
record Workload(
        String name,
        String title,
        List<String> arguments,
        String figure,
        List<Figure> more,
        double bar,
        String beside,
        long limit) {
    static final int IDLE_CONNECTIONS = 5000;
    static final double SURCHARGE = 1.25;

    /** @param path in the answer; @param factor it is shown times this */
    record Figure(String title, String path, double factor) {}

    private static final String CPU = "broker_us_per_msg";
    private static final Figure RATE = new Figure("messages/s", "recv_per_s", 1);
    private static final List<Figure> LATENCY = List.of(
            new Figure("p50, ms", "lat_us.p50", 1e-3),
            new Figure("p99, ms", "lat_us.p99", 1e-3),
            new Figure("p99.9, ms", "lat_us.p999", 1e-3));
    private static final List<Figure> RATE_AND_LATENCY =
            Stream.concat(Stream.of(RATE), LATENCY.stream()).toList();
    private static final String FAN_OUT = "--subs 500 --e2e 20";
    private static final String PAIRS = "--pubs 10 --subs 10 -w 50 --e2e 100";
    private static final String FAN_IN = "--pubs 500 --subs 1 --topics 500 --filter plus --e2e 10";

    private static Workload flow(String name, String title, String arguments, double bar) {
        return new Workload(name, title, List.of(arguments.split(" ")), CPU, RATE_AND_LATENCY, bar, "", 60);
    }

    /** All of them, MQTT 3.1.1; those whose name ends in 5 with MQTT 5.0. */
    static List<Workload> all() {
        List<Workload> plain = List.of(
                flow("a", "1 to 1, QoS 0", "pubsub -q 0 --e2e 1000", 0.06),
                flow("b", "10 pairs, QoS 1", "pubsub -q 1 " + PAIRS, 0.06),
                flow("c", "10 pairs, QoS 2", "pubsub -q 2 " + PAIRS, 0.055),
                flow("d0", "1 to 500, QoS 0", "pubsub -q 0 " + FAN_OUT, 0.12),
                flow("d1", "1 to 500, QoS 1", "pubsub -q 1 " + FAN_OUT, 0.10),
                flow("e", "500 to 1, QoS 0", "pubsub -q 0 " + FAN_IN, 0.11));
        List<Workload> all = new ArrayList<>(plain);
        all.add(new Workload(
                "f",
                "10 pairs, QoS 1, 5,000 messages/s offered",
                List.of("pubsub -q 1 --pubs 10 --subs 10 -r 5000 -w 1000".split(" ")),
                CPU,
                LATENCY,
                1.3,
                "",
                60));
        all.add(flow(
                "w",
                "10 pairs, QoS 1, window of 3, nothing gathered",
                "pubsub -q 1 --pubs 10 --subs 10 -w 3 --e2e 3 --coalesce 0",
                0.40));
        for (Workload workload : plain) {
            List<String> arguments = new ArrayList<>(workload.arguments());
            arguments.addAll(List.of("-V", "5"));
            all.add(new Workload(
                    workload.name() + "v5",
                    workload.title() + ", MQTT 5.0",
                    arguments,
                    CPU,
                    RATE_AND_LATENCY,
                    0,
                    workload.name(),
                    60));
        }
        for (String size : List.of("16", "1024", "65536")) {
            all.add(flow("b" + size, "10 pairs, QoS 1, " + size + " bytes", "pubsub -q 1 " + PAIRS + " -s " + size, 0));
        }
        all.add(new Workload(
                "g",
                "5,000 idle connections",
                List.of("connect", "-n", Integer.toString(IDLE_CONNECTIONS), "--hold", "2"),
                "c_broker_us_per_msg",
                List.of(
                        new Figure("connections/s", "connects_per_s", 1),
                        new Figure("resident, bytes each", "idle_bytes_per_conn", 1)),
                0,
                "",
                60));
        all.add(new Workload(
                "i",
                "50,000 retained to #",
                List.of("retained -n 50000 -q 0 --qp 1 -w 50 --filter hash --repeat 3 --drain 2 --max-time 40"
                        .split(" ")),
                "best_ms",
                List.of(),
                0,
                "",
                60));
        all.add(new Workload(
                "h",
                "as a, with 100,000 other subscriptions",
                List.of("pubsub -q 0 --e2e 1000 --bg 100000 --bg-clients 20 --bg-kind mixed --max-time 40".split(" ")),
                CPU,
                List.of(
                        RATE,
                        new Figure("subscriptions/s", "bg_subs_per_s", 1),
                        new Figure("resident, bytes a subscription", "bg_bytes_per_sub", 1)),
                0,
                "a",
                90));
        return all;
    }

    boolean isFlow() {
        return arguments.get(0).equals("pubsub");
    }

    /** Whether heaps are compared before and after what it sets up. */
    boolean countsHeap() {
        return name.equals("g") || name.equals("h");
    }

    /** How many the heap's growth is divided by. */
    int heapParts() {
        return name.equals("g") ? IDLE_CONNECTIONS : 100_000;
    }

    /** @throws IllegalStateException if a message was lost, doubled or out of order, or a client was not served */
    static void verify(String who, Workload workload, JsonNode answer) {
        Stream.of(
                        "loss",
                        "dup",
                        "ooo",
                        "old",
                        "conn_fail",
                        "conn_timeout",
                        "closed_by_server",
                        "proto_err",
                        "subs_fail")
                .filter(field -> answer.path(field).asLong() != 0)
                .findFirst()
                .ifPresent(field -> {
                    throw new IllegalStateException(
                            who + ", " + workload.title() + ": " + field + " " + answer.path(field) + " in " + answer);
                });
    }

    static double number(JsonNode answer, String path) {
        JsonNode node = answer;
        for (String field : path.split("\\.")) {
            node = node.path(field);
        }
        return node.isNumber() ? node.asDouble() : Double.NaN;
    }
}
