package org.dunlin.it.figures;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.doors.Identity;
import org.jspecify.annotations.Nullable;

/** What it costs that a client comes over TLS, with a full handshake and with one that resumes a session. Main thread. */
final class HandshakeWorkload implements Workload {
    private static final String TCP = "tcp";
    private static final String FILTER = "lanes/#";

    /** @param trust null for tcp */
    private record Kind(String name, Door door, @Nullable Trust trust) {}

    @Override
    public void run(Options options, Meter meter, Report report, Path folder) throws Exception {
        Identity rsa = Identity.makeRsa(folder, "rsa");
        Identity ec = Identity.make(folder, "ec");
        List<String> settings = new ArrayList<>(List.of("listeners[0].type=tcp", "listeners[0].name=l0"));
        int listener = 1;
        for (Identity identity : List.of(rsa, ec)) {
            String prefix = "listeners[" + listener + "].";
            settings.addAll(List.of(prefix + "type=tls", prefix + "port=0", prefix + "name=l" + listener));
            settings.addAll(List.of(prefix + "cert=" + identity.cert(), prefix + "key=" + identity.key()));
            listener++;
        }
        try (MeasuredBroker broker = new MeasuredBroker(options, settings)) {
            Door tcp = Door.tcp(broker.port(0));
            List<Kind> kinds = new ArrayList<>(List.of(new Kind(TCP, tcp, null)));
            for (String version : List.of("TLSv1.3", "TLSv1.2")) {
                kinds.addAll(kinds("RSA-2048", rsa, broker.port(1), version));
                kinds.addAll(kinds("EC P-256", ec, broker.port(2), version));
            }
            Figures figures = new Figures();
            for (int round = 0; round <= options.number("rounds"); round++) {
                for (Kind kind : kinds) {
                    long millis = round == 0 ? 2 * options.millis(0) : options.millis(round);
                    Meter.Reading reading = measure(options, meter, broker, tcp, kind, millis);
                    if (round > 0) {
                        double own = reading.cpuMicros();
                        figures.add(kind.name(), reading.count(), own, own - plain(figures, round));
                    }
                }
            }
            report(report, kinds, figures);
        }
    }

    private static List<Kind> kinds(String certificate, Identity identity, int port, String version) throws Exception {
        List<Kind> kinds = new ArrayList<>();
        for (boolean resumes : new boolean[] {false, true}) {
            Trust trust = new Trust(identity.certificate());
            String name = version.replace("TLSv", "tls ") + ", " + certificate + (resumes ? ", resumed" : ", full");
            kinds.add(new Kind(name, new Door(name, port, false, trust, version, resumes), trust));
        }
        return kinds;
    }

    /** CPU of a connection over TCP in that round; 0 while that is what is being measured. */
    private static double plain(Figures figures, int round) {
        return figures.has(TCP, round) ? figures.value(TCP, round, 1) : 0;
    }

    private static Meter.Reading measure(
            Options options, Meter meter, MeasuredBroker broker, Door tcp, Kind kind, long millis) throws IOException {
        Driver driver = meter.driver();
        int count = options.number("lanes");
        Witness witness = new Witness(driver, tcp, count, Stream.connect("witness", null, ""), FILTER);
        List<Lane> lanes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            lanes.add(new Lane(driver, kind.door(), i, Stream.connect("lane-" + i, null, ""), "lanes/" + i));
        }
        Trust trust = kind.trust();
        long shown = trust == null ? 0 : trust.shown();
        Meter.Visits visits = meter.lanes(broker, lanes, witness, millis);
        if (trust != null) {
            long full = trust.shown() - shown;
            long most = kind.door().resumes() ? count : visits.all();
            if (kind.door().resumes() ? full > most : full != most) {
                throw new IllegalStateException(kind.name() + ": of " + visits.all() + " handshakes " + full
                        + " were full ones, which should be " + (kind.door().resumes() ? "at most " : "") + most);
            }
        }
        return visits.reading();
    }

    private static void report(Report report, List<Kind> kinds, Figures figures) throws IOException {
        report.head(
                "Connections, each with its handshake",
                "connection",
                "a second",
                "CPU, µs",
                "of it TLS, µs",
                "a second, ratio",
                "CPU, ratio");
        for (Kind kind : kinds) {
            report.row(List.of(
                    kind.name(),
                    Figures.show(figures.median(kind.name(), 0)),
                    Figures.show(figures.median(kind.name(), 1)),
                    kind.trust() == null ? "-" : Figures.show(figures.median(kind.name(), 2)),
                    Figures.show(figures.ratio(kind.name(), TCP, 0)),
                    Figures.show(figures.ratio(kind.name(), TCP, 1))));
        }
    }
}
