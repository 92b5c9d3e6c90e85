package org.dunlin.it.figures;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.doors.Identity;
import org.dunlin.mqtt.Qos;

/** What a message costs over each kind of listener. Main thread. */
final class TransportWorkload implements Workload {
    private static final String TLS_13 = "TLSv1.3";
    private static final String TLS_12 = "TLSv1.2";

    @Override
    public void run(Options options, Meter meter, Report report, Path folder) throws Exception {
        Identity server = Identity.make(folder, "transport");
        Trust trust = new Trust(server.certificate());
        String cert = ".cert=" + server.cert();
        String key = ".key=" + server.key();
        List<String> settings = new ArrayList<>(List.of("listeners[0].type=tcp"));
        settings.addAll(List.of("listeners[1].type=tls", "listeners[1]" + cert, "listeners[1]" + key));
        settings.addAll(List.of("listeners[2].type=ws"));
        settings.addAll(List.of("listeners[3].type=wss", "listeners[3]" + cert, "listeners[3]" + key));
        for (int i = 0; i <= 3; i++) {
            settings.addAll(List.of("listeners[" + i + "].port=0", "listeners[" + i + "].name=l" + i));
        }
        try (MeasuredBroker broker = new MeasuredBroker(options, settings)) {
            List<Door> doors = List.of(
                    Door.tcp(broker.port(0)),
                    new Door("tls 1.3", broker.port(1), false, trust, TLS_13, false),
                    new Door("tls 1.2", broker.port(1), false, trust, TLS_12, false),
                    new Door("ws", broker.port(2), true, null, "", false),
                    new Door("wss", broker.port(3), true, trust, TLS_13, false));
            report.head(
                    "Messages over each kind of listener",
                    "listener",
                    "QoS",
                    "payload, bytes",
                    "messages/s",
                    "CPU, µs",
                    "messages/s, ratio",
                    "CPU, ratio");
            measure(options, meter, broker, doors, Qos.AT_LEAST_ONCE, 64, 0); // while the broker's code is cold
            for (Qos qos : List.of(Qos.AT_MOST_ONCE, Qos.AT_LEAST_ONCE)) {
                for (int payload : new int[] {64, 1024}) {
                    Figures figures = measure(options, meter, broker, doors, qos, payload, options.number("rounds"));
                    report(report, doors, qos, payload, figures);
                }
            }
        }
    }

    private static Figures measure(
            Options options, Meter meter, MeasuredBroker broker, List<Door> doors, Qos qos, int payload, int rounds)
            throws IOException {
        Figures figures = new Figures();
        for (int round = 0; round <= rounds; round++) {
            for (Door door : doors) {
                List<Stream> pairs = new ArrayList<>();
                for (int i = 0; i < options.number("pairs"); i++) {
                    String topic = "transport/" + i;
                    pairs.add(new Stream(
                            meter.driver(),
                            "pair-" + i,
                            new Stream.Terms(
                                    door,
                                    topic,
                                    topic,
                                    qos,
                                    payload,
                                    options.batch(),
                                    options.number("write"),
                                    1,
                                    Stream.Login.NONE)));
                }
                Meter.Reading reading = meter.streams(broker, pairs, options.millis(round));
                if (round > 0) {
                    figures.add(door.name(), reading.count(), reading.cpuMicros());
                }
            }
        }
        return figures;
    }

    private static void report(Report report, List<Door> doors, Qos qos, int payload, Figures figures)
            throws IOException {
        for (Door door : doors) {
            report.row(List.of(
                    door.name(),
                    Integer.toString(qos.value()),
                    Integer.toString(payload),
                    Figures.show(figures.median(door.name(), 0)),
                    Figures.show(figures.median(door.name(), 1)),
                    Figures.show(figures.ratio(door.name(), "tcp", 0)),
                    Figures.show(figures.ratio(door.name(), "tcp", 1))));
        }
    }
}
