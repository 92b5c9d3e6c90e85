package org.dunlin.it.admin;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.RunningBroker;
import org.dunlin.it.compare.LoadGenerator;
import org.dunlin.it.figures.Arguments;
import org.dunlin.it.figures.Figures;
import org.dunlin.it.figures.Report;

/**
 * How long each page of the admin port takes on a broker that has much to tell of, and what asking for them all does to clients.
 * docs/performance.md says how it is run. Main thread, and one that asks while messages flow.
 */
public final class AdminFigures {
    /** What a dashboard and Prometheus ask for, again and again. */
    private static final List<String> USUAL =
            List.of("/api/v1/status", "/api/v1/rates", "/api/v1/clients", "/api/v1/drops", "/metrics");

    private static final Map<String, String> DEFAULTS = Map.of(
            "connections", "19400",
            "retained", "1000000",
            "calls", "20",
            "rounds", "3",
            "seconds", "10",
            "work", "target/admin");

    private final Arguments options;
    private final Path work;
    private final LoadGenerator load;
    private final Report report;
    private final RunningBroker broker;
    private final AdminPort admin;

    private AdminFigures(String[] arguments) throws IOException {
        options = new Arguments(DEFAULTS, arguments);
        work = Files.createDirectories(options.path("work"));
        report = new Report(work.resolve("figures.md"));
        load = LoadGenerator.build(work);
        Path data = RunningBroker.newDataDirectory();
        broker = RunningBroker.run(RunningBroker.command(
                List.of("-Xmx2g"),
                List.of("storage.path=" + data, "limits.max-retained=2000000", "limits.max-retained-bytes=2GB")));
        admin = AdminPort.of(broker, data);
    }

    /** @param arguments of the form key=value */
    public static void main(String[] arguments) throws Exception {
        try {
            new AdminFigures(arguments).run();
        } catch (IllegalArgumentException | IllegalStateException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }

    private void run() throws Exception {
        try {
            load.run(arguments("retained --phase prep --qp 1 -w 100 --keep -n " + options.number("retained")), 300);
            Process clients = clients();
            try {
                List<String> pages = pages();
                ask(pages);
                besideMessages(pages);
            } finally {
                clients.destroyForcibly().onExit().join();
            }
        } finally {
            broker.kill();
        }
    }

    private List<String> arguments(String text) {
        List<String> arguments = new ArrayList<>(List.of(text.split(" ")));
        arguments.addAll(List.of("-p", "" + broker.port(), "--pid", "" + broker.pid()));
        return arguments;
    }

    /** Each with a subscription of its own, and some messages now and then. */
    private Process clients() throws Exception {
        int connections = options.number("connections");
        Process process = load.begin(
                arguments("pubsub -q 1 -r 20 -d 900 --max-time 1000 --bg-kind mixed --bg " + connections
                        + " --bg-clients " + connections),
                work.resolve("clients.json"));
        while (admin.get("/api/v1/status").path("connections").asInt() < connections) {
            if (!process.isAlive()) {
                throw new IllegalStateException("the clients have gone; see clients.json in " + work);
            }
            TimeUnit.MILLISECONDS.sleep(200);
        }
        return process;
    }

    /** Every GET of the document but those that stream, with something that is there in place of each parameter of a path. */
    private List<String> pages() throws IOException {
        List<String> pages = new ArrayList<>(List.of("/live", "/ready", "/metrics", "/"));
        String client = AdminPort.escaped(admin.get("/api/v1/clients?limit=1")
                .path("items")
                .path(0)
                .path("clientId")
                .asText());
        String topic = AdminPort.escaped(admin.get("/api/v1/retained?limit=1")
                .path("items")
                .path(0)
                .path("topic")
                .asText());
        for (Map.Entry<String, JsonNode> path :
                admin.get("/api/v1/openapi.json").path("paths").properties()) {
            if (path.getValue().has("get") && !path.getKey().contains("trace")) {
                pages.add(path.getKey().replaceAll("\\{[^}]*topic[^}]*}", topic).replaceAll("\\{[^}]*}", client));
            }
        }
        pages.replaceAll(page -> switch (page) {
            case "/api/v1/acl/explain" -> page + "?action=publish&user=somebody&client=" + client + "&topic=" + topic;
            case "/api/v1/explain/message", "/api/v1/retained/message" -> page + "?topic=" + topic;
            default -> page;
        });
        pages.add("/api/v1/clients?limit=1000");
        pages.add("/api/v1/clients?search=nobody-has-this");
        pages.add("/api/v1/clients?user=nobody");
        pages.add("/api/v1/sessions?limit=1000&sort=queue");
        pages.add("/api/v1/sessions?search=nobody-has-this");
        pages.add("/api/v1/subscriptions?limit=1000");
        pages.add("/api/v1/retained?limit=1000");
        pages.add("/api/v1/retained?filter=" + AdminPort.escaped("+/+/+/nothing"));
        pages.add("/api/v1/topics?parent=" + AdminPort.escaped("bench"));
        return pages;
    }

    private void ask(List<String> pages) throws IOException {
        report.head(
                "%d connections with a subscription each, %d retained messages: ms until the answer is there, %d times"
                        .formatted(options.number("connections"), options.number("retained"), options.number("calls")),
                "page",
                "code",
                "bytes",
                "first",
                "median",
                "most");
        double most = 0;
        for (String page : pages) {
            double[] millis = new double[options.number("calls")];
            AdminPort.Answer answer = null;
            double first = 0;
            for (int call = 0; call < millis.length; call++) {
                long began = System.nanoTime();
                answer = admin.ask("GET", page, null);
                millis[call] = (System.nanoTime() - began) / 1e6;
                first = call == 0 ? millis[0] : first;
            }
            Arrays.sort(millis);
            most = Math.max(most, millis[millis.length - 1]);
            report.row(List.of(
                    page,
                    answer == null ? "-" : Integer.toString(answer.status()),
                    answer == null ? "-" : Integer.toString(answer.body().length()),
                    Figures.show(first),
                    Figures.show(millis[millis.length / 2]),
                    Figures.show(millis[millis.length - 1])));
        }
        report.say("\nThe longest of all: " + Figures.show(most) + " ms");
    }

    /** Latency at 5,000 messages a second: alone, beside many dashboards, and beside somebody who asks without a pause. */
    private void besideMessages(List<String> pages) throws Exception {
        report.head(
                "5,000 messages/s at QoS 1 beside that, ms from when it was due to its receipt",
                "beside",
                "pages/s",
                "p50",
                "p99",
                "p99.9",
                "most",
                "CPU, µs a message");
        for (int round = 0; round <= options.number("rounds"); round++) {
            beside("nothing", new Asker(pages, Integer.MAX_VALUE), round);
            beside("a dashboard and Prometheus", new Asker(USUAL, 500), round);
            beside("all pages, 50 ms between", new Asker(pages, 50), round);
            beside("all pages, one after the other", new Asker(pages, 0), round);
        }
    }

    private void beside(String what, Asker asker, int round) throws Exception {
        asker.start();
        JsonNode answer = load.run(
                arguments("pubsub -q 1 --pubs 10 --subs 10 -r 5000 -w 1000 --warmup 1 -d " + options.number("seconds")),
                options.number("seconds") + 30L);
        asker.interrupt();
        asker.join();
        if (round > 0) {
            report.row(List.of(
                    what,
                    Integer.toString(asker.asked / (options.number("seconds") + 1)),
                    millis(answer, "p50"),
                    millis(answer, "p99"),
                    millis(answer, "p999"),
                    millis(answer, "max"),
                    Figures.show(answer.path("broker_us_per_msg").asDouble())));
        }
    }

    /** Asks for one page after the other until it is interrupted. A thread of its own. */
    private final class Asker extends Thread {
        private final List<String> pages;
        private final int pauseMillis;
        private int asked;

        Asker(List<String> pages, int pauseMillis) {
            this.pages = pages;
            this.pauseMillis = pauseMillis;
        }

        @Override
        public void run() {
            try {
                while (!isInterrupted()) {
                    TimeUnit.MILLISECONDS.sleep(pauseMillis);
                    admin.ask("GET", pages.get(asked % pages.size()), null);
                    asked++;
                }
            } catch (InterruptedException | AssertionError over) {
                interrupt();
            }
        }
    }

    private static String millis(JsonNode answer, String field) {
        return Figures.show(answer.path("lat_us").path(field).asDouble() / 1000);
    }
}
