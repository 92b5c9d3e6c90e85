package org.dunlin.it.figures;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** How long it takes until all clients are in again, when the broker was restarted and when only they were cut. Main thread. */
final class PasswordWorkload implements Workload {
    private static final String NONE = "none";
    private static final Duration DEADLINE = Duration.ofHours(2);
    private static final String RESTARTED = "broker restarted";
    private static final String CUT = "clients cut";

    @Override
    public void run(Options options, Meter meter, Report report, Path folder) throws Exception {
        int clients = options.number("clients");
        String unfit = Driver.unfit(clients);
        if (unfit != null) {
            throw new IllegalArgumentException(unfit);
        }
        List<String> hashes = options.list("hashes");
        Figures figures = new Figures();
        for (int round = 1; round <= options.number("rounds"); round++) {
            for (String hash : hashes) {
                measure(options, meter.driver(), hash, folder, figures);
            }
        }
        report.head(
                "All of " + clients + " clients connect at once",
                "hash",
                "users",
                "after",
                "until the last CONNACK, ms",
                "CPU each, µs",
                "CONNECTs each",
                "time, ratio",
                "CPU, ratio");
        String base = hashes.get(0);
        for (String hash : hashes) {
            for (String after : List.of(RESTARTED, CUT)) {
                report.row(List.of(
                        hash.equals(NONE) ? NONE : "`$" + hash + "$`",
                        hash.equals(NONE) ? "-" : Integer.toString(users(options, hash)),
                        after,
                        Figures.show(figures.median(hash + after, 0)),
                        Figures.show(figures.median(hash + after, 1)),
                        Figures.show(figures.median(hash + after, 2)),
                        Figures.show(figures.ratio(hash + after, base + after, 0)),
                        Figures.show(figures.ratio(hash + after, base + after, 1))));
            }
        }
    }

    /** As many as clients, unless a hash takes long. */
    private static int users(Options options, String hash) {
        int asked = options.number(hash.equals("6") ? "users" : "slow-users");
        int clients = options.number("clients");
        return asked > 0 ? Math.min(asked, clients) : clients;
    }

    private static void measure(Options options, Driver driver, String hash, Path folder, Figures figures)
            throws IOException {
        List<String> settings = new ArrayList<>(List.of("limits.connect-rate=0"));
        int users = hash.equals(NONE) ? 0 : users(options, hash);
        if (users > 0) {
            Path file = folder.resolve("users-" + hash);
            Users.write(
                    file,
                    IntStream.range(0, users).mapToObj(PasswordWorkload::user).toList(),
                    Users.hash(hash));
            settings.add("auth.password-file=" + file);
        }
        int clients = options.number("clients");
        try (MeasuredBroker broker = new MeasuredBroker(options, settings)) {
            List<Storm> storms = Storm.all(
                    driver,
                    Door.tcp(broker.port(0)),
                    clients,
                    client -> Stream.connect("storm-" + client, user(client, users), Users.PASSWORD));
            figures.add(hash + RESTARTED, come(driver, broker, storms, clients));
            check(driver, storms);
            cut(driver, storms);
            figures.add(hash + CUT, come(driver, broker, storms, clients));
            check(driver, storms);
            cut(driver, storms);
        }
    }

    private static String user(int number) {
        return "user-" + number;
    }

    private static @Nullable String user(int client, int users) {
        return users == 0 ? null : user(client % users);
    }

    private static double[] come(Driver driver, MeasuredBroker broker, List<Storm> storms, int clients)
            throws IOException {
        double cpu = broker.cpuSeconds();
        List<CompletableFuture<Long>> all = new ArrayList<>();
        storms.forEach(storm -> all.add(storm.come()));
        long last = 0;
        for (CompletableFuture<Long> in : all) {
            last = Math.max(last, driver.await(in, "all clients", DEADLINE));
        }
        cpu = broker.cpuSeconds() - cpu;
        double tries = 0;
        for (Storm storm : storms) {
            tries += driver.await(storm.tries(), "counting");
        }
        return new double[] {last / 1e6, cpu * 1e6 / clients, tries / clients};
    }

    private static void check(Driver driver, List<Storm> storms) {
        List<CompletableFuture<?>> all = new ArrayList<>();
        storms.forEach(storm -> all.add(storm.check()));
        driver.await(Meter.all(all), "a message to each client; some are lost");
    }

    private static void cut(Driver driver, List<Storm> storms) {
        List<CompletableFuture<?>> all = new ArrayList<>();
        storms.forEach(storm -> all.add(storm.cut()));
        driver.await(Meter.all(all), "cutting all clients");
    }
}
