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
    private static final int FEW = 10;
    private static final int MANY = 1000;

    /** Of every file: somebody who sees all, and receivers of the fan-out whose subscription needs no guard and a guard. */
    private static final String COMMON = """
            user witness
            topic readwrite #
            user open
            topic readwrite fan/#
            user guarded
            topic readwrite fan/#
            topic deny fan/out/secret
            """;

    /**
     * Who publishes and connects. Each has a broker of its own, so that all of these have had as much to do.
     *
     * @param rules of the file, null if there is none
     * @param topics that the user may publish to and receive, at least {@link #FEW}
     */
    private record Kind(String name, String user, @Nullable String rules, IntFunction<String> topics) {}

    /** Who receives a fan-out, at which of the brokers. */
    private enum Fan {
        PLAIN("no file", "open", 0),
        OPEN("all may be delivered", "open", 1),
        GUARDED("each message is asked for", "guarded", 2);

        private final String text;
        private final String user;
        private final int broker;

        Fan(String text, String user, int broker) {
            this.text = text;
            this.user = user;
            this.broker = broker;
        }
    }

    @Override
    public void run(Options options, Meter meter, Report report, Path folder) throws Exception {
        List<Kind> kinds = kinds(options.number("acl-users"));
        List<String> names = new ArrayList<>(List.of(ALL, Fan.OPEN.user, Fan.GUARDED.user));
        kinds.forEach(kind -> names.add(kind.user()));
        Path users = folder.resolve("users");
        Users.write(users, Set.copyOf(names), Users.hash("6"));
        List<MeasuredBroker> brokers = new ArrayList<>();
        try {
            for (Kind kind : kinds) {
                List<String> settings = new ArrayList<>(List.of("limits.connect-rate=0"));
                settings.add("auth.password-file=" + users);
                String rules = kind.rules();
                if (rules != null) {
                    Path file = folder.resolve("rules-" + brokers.size());
                    Files.writeString(file, rules + COMMON);
                    settings.add("auth.acl-file=" + file);
                }
                brokers.add(new MeasuredBroker(options, settings));
            }
            publish(options, meter, report, brokers, kinds);
            connect(options, meter, report, brokers, kinds);
            fanOut(options, meter, report, brokers);
        } finally {
            brokers.forEach(MeasuredBroker::close);
        }
    }

    private static List<Kind> kinds(int users) {
        List<Kind> kinds = new ArrayList<>();
        kinds.add(new Kind(NO_FILE, "user", null, RightsWorkload::level));
        for (boolean wildcard : new boolean[] {false, true}) {
            for (int count : new int[] {FEW, MANY}) {
                StringBuilder rules = new StringBuilder("user user\n");
                for (int i = 0; i < count; i++) {
                    String wild = i % 2 == 0 ? "+/" + i + "/#" : "rights/" + i + "/+";
                    rules.append("topic readwrite ")
                            .append(wildcard ? wild : level(i))
                            .append('\n');
                }
                int apart = count / FEW; // spread over the rules, of even number as well as of odd
                IntFunction<String> topics = i -> level(i * apart + (apart > 1 ? i % 2 : 0));
                String name = "%,d %s".formatted(count, wildcard ? "with wildcards" : "exact");
                kinds.add(new Kind(name, "user", rules.toString(), topics));
            }
        }
        StringBuilder rules = new StringBuilder();
        for (int user = 0; user < users; user++) {
            rules.append("user user-").append(user).append('\n');
            rules.append("topic readwrite rights/+/level\ntopic read news/#\n");
            rules.append("topic readwrite own/").append(user).append("/#\n");
        }
        String name = "3, of %,d users".formatted(users);
        kinds.add(new Kind(name, "user-" + users / 2, rules.toString(), RightsWorkload::level));
        return kinds;
    }

    private static String level(int i) {
        return "rights/" + i + "/level";
    }

    /** Topics for as many pairs or lanes as there may be: those of ten, some more than once. */
    private static String topic(Kind kind, int i) {
        return kind.topics().apply(i % FEW);
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
                for (int k = 0; k < brokers.size(); k++) {
                    Kind kind = kinds.get(k);
                    MeasuredBroker broker = brokers.get(k);
                    List<Stream> pairs = new ArrayList<>();
                    for (int i = 0; i < Math.min(options.number("pairs"), FEW); i++) {
                        int write = options.number("write");
                        Stream.Login login = new Stream.Login(kind.user(), kind.user(), Users.PASSWORD);
                        String topic = topic(kind, i);
                        Door door = Door.tcp(broker.port(0));
                        pairs.add(new Stream(
                                meter.driver(),
                                "pair-" + i,
                                new Stream.Terms(door, topic, topic, qos, PAYLOAD, options.batch(), write, 1, login)));
                    }
                    Meter.Reading reading = meter.streams(broker, pairs, options.millis(round));
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
            for (int k = 0; k < brokers.size(); k++) {
                Kind kind = kinds.get(k);
                MeasuredBroker broker = brokers.get(k);
                Door door = Door.tcp(broker.port(0));
                Witness witness =
                        new Witness(driver, door, count, Stream.connect("witness", ALL, Users.PASSWORD), "rights/#");
                List<Lane> lanes = new ArrayList<>();
                for (int i = 0; i < count; i++) {
                    lanes.add(new Lane(
                            driver, door, i, Stream.connect("lane-" + i, kind.user(), Users.PASSWORD), topic(kind, i)));
                }
                Meter.Visits visits = meter.lanes(broker, lanes, witness, options.millis(round));
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
                for (Fan fan : Fan.values()) {
                    MeasuredBroker broker = brokers.get(fan.broker);
                    Stream.Login login = new Stream.Login(ALL, fan.user, Users.PASSWORD);
                    Door door = Door.tcp(broker.port(0));
                    Stream stream = new Stream(
                            meter.driver(),
                            "fan",
                            new Stream.Terms(
                                    door,
                                    "fan/out/all",
                                    "fan/out/#",
                                    qos,
                                    PAYLOAD,
                                    FAN_BATCH,
                                    options.number("write"),
                                    receivers,
                                    login));
                    Meter.Reading reading = meter.streams(broker, List.of(stream), options.millis(round));
                    if (round > 0) {
                        figures.add(fan.text, reading.count(), reading.cpuMicros());
                    }
                }
            }
            for (Fan fan : Fan.values()) {
                row(report, figures, fan.text, Integer.toString(qos.value()), NO_FILE);
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
