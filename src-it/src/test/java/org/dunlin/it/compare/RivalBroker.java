package org.dunlin.it.compare;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A rival that runs, as a process of its own on a free port of 127.0.0.1. Main thread. */
final class RivalBroker implements AutoCloseable {
    private static final long START_SECONDS = 90;

    private final Rival rival;
    private final int port;
    private final Path log;
    private final Process process;

    private RivalBroker(Rival rival, int port, Path folder) throws IOException {
        this.rival = rival;
        this.port = port;
        this.log = folder.resolve("log");
        this.process = Processes.begin(rival.command().of(port, folder), log);
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    }

    /** Starts one without waiting for it. @param folder of its own, empty */
    static RivalBroker begin(Rival rival, int port, Path folder) throws IOException {
        return new RivalBroker(rival, port, folder);
    }

    /** Starts one and waits until it takes connections. @param folder of its own, empty */
    static RivalBroker serving(Rival rival, Path folder) throws IOException {
        RivalBroker broker = new RivalBroker(rival, freePort(), folder);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (!broker.takesConnections()) {
            if (!broker.process.isAlive() || System.nanoTime() > end) {
                broker.close();
                throw new IllegalStateException(rival.name() + " does not serve: " + Processes.end(broker.log));
            }
        }
        return broker;
    }

    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private boolean takesConnections() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    Rival rival() {
        return rival;
    }

    /** Processor time so far, user and system. */
    double cpuMillis() {
        return process.info().totalCpuDuration().map(Duration::toMillis).orElse(0L);
    }

    /** What tells the load generator where it is and whose processor time is read. */
    List<String> address() {
        return List.of("-p", Integer.toString(port), "--pid", Long.toString(process.pid()));
    }

    /** Bytes of live objects after a full collection; -1 for what is not a JVM. */
    long heap() throws IOException {
        if (!rival.java()) {
            return -1;
        }
        Path output = Files.createTempFile("histogram", ".txt");
        try {
            Processes.complete(List.of("jcmd", Long.toString(process.pid()), "GC.class_histogram"), output);
            String[] total = Processes.end(output)
                    .trim()
                    .replaceAll("(?s).*\\nTotal", "")
                    .trim()
                    .split("\\s+");
            return Long.parseLong(total[1]);
        } finally {
            Files.delete(output);
        }
    }

    /** Resident memory in KB. */
    long memory() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        throw new IllegalStateException(rival.name() + " is gone");
    }

    /** Ends it by SIGKILL: nothing of it is needed any more. */
    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
