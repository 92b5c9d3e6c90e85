package org.dunlin.server.cli.remote;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Stands for the admin port of a broker: gives the answers it was told, in their order, and knows what it was asked. Any thread. */
final class AdminStub implements AutoCloseable {
    private static final int TLS_HANDSHAKE = 0x16;

    private record Answer(int status, String body) {}

    private final ServerSocket server;
    private final Queue<Answer> answers = new ConcurrentLinkedQueue<>();
    private final List<String> asked = Collections.synchronizedList(new ArrayList<>());

    AdminStub() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread thread = new Thread(this::serve, "admin-stub");
        thread.setDaemon(true);
        thread.start();
    }

    String url() {
        return "http://127.0.0.1:" + server.getLocalPort();
    }

    AdminStub then(int status, String body) {
        answers.add(new Answer(status, body));
        return this;
    }

    /** Each as "GET /path TOKEN body". */
    List<String> asked() {
        return List.copyOf(asked);
    }

    void forget() {
        asked.clear();
        answers.clear();
    }

    private void serve() {
        while (!server.isClosed()) {
            try (Socket socket = server.accept()) {
                answer(socket);
            } catch (IOException ended) {
                // by close, or by the command
            }
        }
    }

    private void answer(Socket socket) throws IOException {
        InputStream in = socket.getInputStream();
        String first = line(in);
        if (first.isEmpty()) {
            socket.getOutputStream().write("HTTP/1.1 400 x\r\n\r\n".getBytes(StandardCharsets.UTF_8));
            return;
        }
        String token = "-";
        int length = 0;
        for (String header = line(in); !header.isEmpty(); header = line(in)) {
            if (header.toLowerCase(Locale.ROOT).startsWith("content-length: ")) {
                length = Integer.parseInt(header.substring("content-length: ".length()));
            } else if (header.startsWith("Authorization: Bearer ")) {
                token = header.substring("Authorization: Bearer ".length());
            }
        }
        String body = new String(in.readNBytes(length), StandardCharsets.UTF_8);
        asked.add((first.replace(" HTTP/1.1", "") + " " + token + " " + body).strip());
        Answer next = answers.poll();
        byte[] content = (next == null ? "{}" : next.body()).getBytes(StandardCharsets.UTF_8);
        socket.getOutputStream()
                .write(("HTTP/1.1 " + (next == null ? 200 : next.status())
                                + " x\r\nConnection: close\r\nContent-Length: " + content.length + "\r\n\r\n")
                        .getBytes(StandardCharsets.UTF_8));
        socket.getOutputStream().write(content);
        socket.getOutputStream().flush();
    }

    private static String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b >= 0 && b != '\n'; b = in.read()) {
            if (b == TLS_HANDSHAKE) {
                return "";
            }
            if (b != '\r') {
                line.write(b);
            }
        }
        return line.toString(StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
