package org.dunlin.it.admin;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.dunlin.it.RunningBroker;

/** An admin port that answers what a test says, in that order, for what a broker says only at moments. Any thread. */
final class StubPort implements AutoCloseable {
    private final HttpServer server;
    private final Queue<String> answers = new ArrayDeque<>();
    private final List<String> asked = new ArrayList<>();

    StubPort() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            String next = next(exchange.getRequestMethod() + " " + exchange.getRequestURI());
            byte[] body = next.substring(4).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(Integer.parseInt(next.substring(0, 3)), body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    private synchronized String next(String request) {
        asked.add(request);
        String next = answers.poll();
        return next == null ? "500 {}" : next;
    }

    /** @param next each a status, a blank and a body */
    synchronized void answer(String... next) {
        answers.addAll(List.of(next));
    }

    /** What it was asked. */
    synchronized List<String> asked() {
        return List.copyOf(asked);
    }

    /** What a command says that asks it. */
    String run(int exitCode, Path folder, String... arguments) throws Exception {
        Path token = Files.writeString(folder.resolve("stub.token"), "token");
        List<String> command = new ArrayList<>(
                List.of(RunningBroker.java(), "-jar", RunningBroker.jar().toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of(
                "--url", "http://127.0.0.1:" + server.getAddress().getPort(), "--token-file", token.toString()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.startsWith("DUNLIN_"));
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != exitCode) {
            throw new AssertionError("exit code " + process.exitValue() + ": " + said);
        }
        return said;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
