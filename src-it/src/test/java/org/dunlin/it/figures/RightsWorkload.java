package org.dunlin.it.figures;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.IntFunction;
import org.dunlin.mqtt.Qos;
import org.jspecify.annotations.Nullable;

/** What rules cost when a client publishes, connects and receives. Main thread. */
final class RightsWorkload implements Workload {
    private static final int PAYLOAD = 64;
    /** Of a receiver of the fan-out: 50 messages at once, so that 500 receivers do not overflow what is kept for each. */
    private static final int FAN_BATCH = 50;

    private static final String NO_FILE = "no file";
    private static final String ALL = "witness";

    /**
     * Who publishes, connects or receives.
     *
     * @param broker index of the one it comes to: 0 has no file of rules, 1 one with a few users, 2 one with many
     * @param topics that it may publish to and receive, more than there are pairs and lanes
     */
    private record Kind(String name, int broker, String user, IntFunction<String> topics) {}

    /** Users of the file, each with rules of one sort. */
    private enum Sort {
        EXACT("exact") {
            @Override
            String rule(int i) {
                return "rights/" + i + "/level";
            }
        },
        WILDCARD("wildcard") {
            @Override
            String rule(int i) {
                return i % 2 == 0 ? "+/" + i + "/#" : "rights/" + i + "/+";
            }
        };

        private final String text;

        Sort(String text) {
            this.text = text;
        }

        abstract String rule(int i);

        String user(int rules) {
            return text + "-" + rules;
        }
    }

    private static final int[] SIZES = {10, 1000};

    @Override
    public void run(Options options, Meter meter, Report report, Path folder) throws Exception {
        Path users = folder.resolve("users");
        Path few = folder.resolve("rules-few");
        Path many = folder.resolve("rules-many");
        int count = options.number("acl-users");
        writeRules(few, many, count);
        List<Kind> kinds = kinds(count);
        List<String> names = new ArrayList<>(List.of(ALL, "open", "guarded"));
        kinds.forEach(kind -> names.add(kind.user()));
        Users.write(users, Set.copyOf(names), Users.hash("6"));
        String passwords = "auth.password-file=" + users;
        List<String> common = List.of("limits.connect-rate=0", passwords);
        try (MeasuredBroker plain = new MeasuredBroker(options, common);
                MeasuredBroker small = new MeasuredBroker(options, with(common, "auth.acl-file=" + few));
                MeasuredBroker large = new MeasuredBroker(options, with(common, "auth.acl-file=" + many))) {
            List<MeasuredBroker> brokers = List.of(plain, small, large);
            publish(options, meter, report, brokers, kinds);
            connect(options, meter, report, brokers, kinds);
            fanOut(options, meter, report, brokers);
        }
    }

    private static List<String> with(List<String> settings, String more) {
        List<String> all = new ArrayList<>(settings);
        all.add(more);
        return all;
    }

    private static List<Kind> kinds(int manyUsers) {
        List<Kind> kinds = new ArrayList<>();
        IntFunction<String> topics = i -> "rights/" + i + "/level";
        kinds.add(new Kind(NO_FILE, 0, Sort.EXACT.user(SIZES[0]), topics));
        for (Sort sort : Sort.values()) {
            for (int rules : SIZES) {
                // spread over the rules, and even as well as odd
                IntFunction<String> spread = i -> topics.apply(i * (rules / SIZES[0]) + (rules > SIZES[0] ? i % 2 : 0));
                kinds.add(new Kind("%,d rules, %s".formatted(rules, sort.text), 1, sort.user(rules), spread));
            }
        }
        kinds.add(new Kind("%,d users".formatted(manyUsers), 2, "user-" + manyUsers / 2, topics));
        return kinds;
    }

    private static void writeRules(Path few, Path many, int users) throws IOException {
        StringBuilder text = new StringBuilder("user " + ALL + "\ntopic readwrite #\n");
        for (Sort sort : Sort.values()) {
            for (int rules : SIZES) {
                text.append("user ").append(sort.user(rules)).append('\n');
                for (int i = 0; i < rules; i++) {
                    text.append("topic readwrite ").append(sort.rule(i)).append('\n');
                }
            }
        }
        text.append("user open\ntopic readwrite fan/#\n");
        text.append("user guarded\ntopic readwrite fan/#\ntopic deny fan/out/secret\n");
        Files.writeString(few, text);
        text.setLength(0);
        text.append("user " + ALL + "\ntopic readwrite #\n");
        for (int user = 0; user < users; user++) {
            text.append("user user-").append(user).append('\n');
            text.append("topic readwrite rights/+/level\ntopic read news/#\n");
            text.append("topic readwrite own/").append(user).append("/#\n");
        }
        Files.writeString(many, text);
    }

    /** Topics for as many pairs or lanes as there may be: those of ten, some more than once. */
    private static String topic(Kind kind, int i) {
        return kind.topics().apply(i % SIZES[0]);
    }

    private static void publish(
            Options options, Meter meter, Report report, List<MeasuredBroker> brokers, List<Kind> kinds)
            throws IOException {
        report.head(
                "Messages under rules",
                "rules of the user",
                "QoS",
                "messages/s",
                "CPU, µs",
                "messages/s, ratio",
                "CPU, ratio");
        for (Qos qos : List.of(Qos.AT_MOST_ONCE, Qos.AT_LEAST_ONCE)) {
            Figures figures = new Figures();
            for (int round = 0; round <= options.number("rounds"); round++) {
                for (Kind kind : kinds) {
                    MeasuredBroker broker = brokers.get(kind.broker());
                    List<Stream> pairs = new ArrayList<>();
                    for (int i = 0; i < Math.min(options.number("pairs"), SIZES[0]); i++) {
                        Stream.Login login = new Stream.Login(kind.user(), kind.user(), Users.PASSWORD);
                        String topic = topic(kind, i);
                        Door door = Door.tcp(broker.port(0));
                        pairs.add(new Stream(
                                meter.driver(),
                                "pair-" + i,
                                new Stream.Terms(door, topic, topic, qos, PAYLOAD, options.batch(), 1, login)));
                    }
                    Meter.Reading reading =
                            meter.streams(broker, pairs, options.millis(round));
                    if (round > 0) {
                        figures.add(kind.name(), reading.count(), reading.cpuMicros());
                    }
                }
            }
            for (Kind kind : kinds) {
                row(report, figures, kind.name(), Integer.toString(qos.value()), NO_FILE);
            }
        }
    }

    private static void connect(
            Options options, Meter meter, Report report, List<MeasuredBroker> brokers, List<Kind> kinds)
            throws IOException {
        Driver driver = meter.driver();
        int count = options.number("lanes");
        Figures figures = new Figures();
        for (int round = 0; round <= options.number("rounds"); round++) {
            for (Kind kind : kinds) {
                MeasuredBroker broker = brokers.get(kind.broker());
                Door door = Door.tcp(broker.port(0));
                Witness witness =
                        new Witness(driver, door, count, Stream.connect("witness", ALL, Users.PASSWORD), "rights/#");
                List<Lane> lanes = new ArrayList<>();
                for (int i = 0; i < count; i++) {
                    lanes.add(new Lane(
                            driver, door, i, Stream.connect("lane-" + i, kind.user(), Users.PASSWORD), topic(kind, i)));
                }
                Meter.Visits visits =
                        meter.lanes(broker, lanes, witness, options.millis(round));
                if (round > 0) {
                    figures.add(
                            kind.name(),
                            visits.reading().count(),
                            visits.reading().cpuMicros());
                }
            }
        }
        report.head(
                "Connections under rules", "rules of the user", "a second", "CPU, µs", "a second, ratio", "CPU, ratio");
        for (Kind kind : kinds) {
            row(report, figures, kind.name(), null, NO_FILE);
        }
    }

    private static void fanOut(Options options, Meter meter, Report report, List<MeasuredBroker> brokers)
            throws IOException {
        int receivers = options.number("receivers");
        List<String> users = List.of(NO_FILE, "open", "guarded");
        report.head(
                "One message to " + receivers + " receivers under rules",
                "subscriptions",
                "QoS",
                "deliveries/s",
                "CPU, µs",
                "deliveries/s, ratio",
                "CPU, ratio");
        for (Qos qos : List.of(Qos.AT_MOST_ONCE, Qos.AT_LEAST_ONCE)) {
            Figures figures = new Figures();
            for (int round = 0; round <= options.number("rounds"); round++) {
                for (String user : users) {
                    boolean ruled = !user.equals(NO_FILE);
                    MeasuredBroker broker = brokers.get(ruled ? 1 : 0);
                    Stream.Login login = new Stream.Login(ALL, ruled ? user : "open", Users.PASSWORD);
                    Door door = Door.tcp(broker.port(0));
                    Stream stream = new Stream(
                            meter.driver(),
                            "fan",
                            new Stream.Terms(
                                    door, "fan/out/all", "fan/out/#", qos, PAYLOAD, FAN_BATCH, receivers, login));
                    Meter.Reading reading =
                            meter.streams(broker, List.of(stream), options.millis(round));
                    if (round > 0) {
                        figures.add(user, reading.count(), reading.cpuMicros());
                    }
                }
            }
            for (String user : users) {
                row(report, figures, user, Integer.toString(qos.value()), NO_FILE);
            }
        }
    }

    private static void row(Report report, Figures figures, String name, @Nullable String qos, String base)
            throws IOException {
        List<String> cells = new ArrayList<>(List.of(name));
        if (qos != null) {
            cells.add(qos);
        }
        cells.add(Figures.show(figures.median(name, 0)));
        cells.add(Figures.show(figures.median(name, 1)));
        cells.add(Figures.show(figures.ratio(name, base, 0)));
        cells.add(Figures.show(figures.ratio(name, base, 1)));
        report.row(cells);
    }
}
