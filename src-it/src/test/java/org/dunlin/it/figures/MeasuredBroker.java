package org.dunlin.it.figures;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dunlin.it.RunningBroker;

/** The packed broker as a process whose processor time can be read; state in memory. Any thread. */
final class MeasuredBroker implements AutoCloseable {
    private static final Pattern ADDRESS = Pattern.compile("(tcp|tls|wss?)://127\\.0\\.0\\.1:(\\d+)");
    /** Of {@code /proc/PID/stat}, the same on every Linux that Java runs on. */
    private static final double TICKS_A_SECOND = 100;

    private static final int UTIME = 11;
    private static final int STIME = 12;

    private final RunningBroker broker;
    private final List<Integer> ports = new ArrayList<>();

    /**
     * Starts one and waits until it serves.
     *
     * @param settings of the form key=value; the first listener has to be of type tcp
     */
    MeasuredBroker(Options options, List<String> settings) {
        List<String> command = new ArrayList<>(List.of(RunningBroker.java()));
        command.addAll(options.list("java"));
        command.addAll(List.of("-jar", RunningBroker.jar().toString(), "start"));
        for (String setting : settings) {
            command.addAll(List.of("--set", setting));
        }
        command.addAll(List.of("--set", "storage.engine=memory", "--set", "listeners[0].port=0"));
        broker = RunningBroker.run(command);
        Matcher address = ADDRESS.matcher(broker.awaitLog(" Ready "));
        while (address.find()) {
            ports.add(Integer.parseInt(address.group(2)));
        }
    }

    /** Of the listener that is the nth in the configuration. */
    int port(int listener) {
        return ports.get(listener);
    }

    /** Processor time so far, user and system, in seconds. */
    double cpuSeconds() throws IOException {
        String stat = Files.readString(Path.of("/proc", Long.toString(broker.pid()), "stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return (Long.parseLong(fields[UTIME]) + Long.parseLong(fields[STIME])) / TICKS_A_SECOND;
    }

    /** Ends it by SIGKILL: nothing of it is needed any more. */
    @Override
    public void close() {
        broker.kill();
    }
}
