package org.dunlin.it.crash;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.RunningBroker;
import org.jspecify.annotations.Nullable;

/** The packed broker on a data directory. One thread. */
public final class DunlinVictim implements Victim {
    private static final List<String> JAVA_OPTIONS = List.of("-Xmx512m", "-XX:TieredStopAtLevel=1");
    private static final int LINES_SHOWN = 30;

    private final List<String> prefix;
    private final List<String> settings;
    private @Nullable RunningBroker broker;
    private int port;

    /** @param moreSettings key=value, such as storage.durability=async */
    public DunlinVictim(Path data, List<String> moreSettings) {
        this(List.of(), data, moreSettings);
    }

    /** @param prefix a command that takes the broker's as its arguments and becomes that process, such as env */
    public DunlinVictim(List<String> prefix, Path data, List<String> moreSettings) {
        this.prefix = prefix;
        settings = new ArrayList<>(moreSettings);
        settings.add("storage.path=" + data);
    }

    @Override
    public void launch(boolean newPort) {
        if (newPort) {
            port = Ports.free();
        }
        List<String> command = new ArrayList<>(prefix);
        command.addAll(RunningBroker.command(JAVA_OPTIONS, port, settings));
        broker = RunningBroker.launch(command);
    }

    @Override
    public int awaitReady() {
        return running().port();
    }

    private RunningBroker running() {
        RunningBroker now = broker;
        if (now == null) {
            throw new IllegalStateException("not launched");
        }
        return now;
    }

    @Override
    public void kill() {
        running().kill();
    }

    @Override
    public void stop() {
        int code = running().stop();
        if (code != 0) {
            throw new AssertionError("exit code " + code + " after SIGTERM:\n" + logTail());
        }
    }

    @Override
    public Promises promises() {
        return Promises.ALL;
    }

    @Override
    public String logTail() {
        List<String> log = running().log();
        return String.join("\n", log.subList(Math.max(0, log.size() - LINES_SHOWN), log.size()));
    }

    @Override
    public void close() {
        if (broker != null && broker.isAlive()) {
            broker.kill();
        }
    }
}
