package org.dunlin.it.admin;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** One connection over which a peer says what no library would. One thread. */
final class RawHttp implements AutoCloseable {
    private static final int DEADLINE_MILLIS = 20_000;

    private final Socket socket;
    private final InputStream in;

    private RawHttp(Socket socket) throws IOException {
        this.socket = socket;
        this.in = socket.getInputStream();
    }

    static RawHttp open(int port) {
        return open(port, "127.0.0.1");
    }

    /** @param from an address of this machine, by which the broker tells peers apart */
    static RawHttp open(int port, String from) {
        try {
            Socket socket = new Socket();
            socket.bind(new InetSocketAddress(InetAddress.getByName(from), 0));
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(DEADLINE_MILLIS);
            socket.connect(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port), DEADLINE_MILLIS);
            return new RawHttp(socket);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** An answer. @param headers lines as they came */
    record Reply(int status, List<String> headers, String body) {
        /** The value of a header, or "" if it has none of that name. */
        String header(String name) {
            String start = name.toLowerCase(Locale.ROOT) + ":";
            return headers.stream()
                    .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(start))
                    .map(line -> line.substring(start.length()).strip())
                    .findFirst()
                    .orElse("");
        }
    }

    RawHttp send(String text) {
        return send(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    RawHttp send(byte[] bytes) {
        try {
            socket.getOutputStream().write(bytes);
            socket.getOutputStream().flush();
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As {@link #send(String)}; false if the broker takes nothing any more. */
    boolean offer(String text) {
        try {
            send(text);
            return true;
        } catch (UncheckedIOException closed) {
            return false;
        }
    }

    /** Sends a request with Host and these lines, and waits for the answer. */
    Reply ask(String method, String target, String... headers) {
        return send(head(method, target, headers) + "\r\n").reply(!method.equals("HEAD"));
    }

    /** The same with a body in JSON. */
    Reply askJson(String method, String target, String body, String... headers) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        send(head(method, target, headers) + "Content-Type: application/json\r\nContent-Length: " + bytes.length
                + "\r\n\r\n");
        return send(bytes).reply(true);
    }

    private String head(String method, String target, String... headers) {
        StringBuilder head = new StringBuilder(method + " " + target + " HTTP/1.1\r\n");
        boolean hosted = false;
        for (String header : headers) {
            hosted |= header.regionMatches(true, 0, "host:", 0, 5);
            head.append(header).append("\r\n");
        }
        return hosted ? head.toString() : head + "Host: 127.0.0.1:" + socket.getPort() + "\r\n";
    }

    Reply reply() {
        return reply(true);
    }

    /** @param hasBody whether the body that is announced comes */
    Reply reply(boolean hasBody) {
        try {
            String[] status = line().split(" ", 3);
            List<String> headers = new ArrayList<>();
            for (String line = line(); !line.isEmpty(); line = line()) {
                headers.add(line);
            }
            Reply head = new Reply(Integer.parseInt(status[1]), headers, "");
            int length = head.header("content-length").isEmpty() || !hasBody
                    ? 0
                    : Integer.parseInt(head.header("content-length"));
            return new Reply(head.status(), headers, new String(in.readNBytes(length), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new IOException("the broker has closed the connection after \"" + line + "\"");
            }
            if (c != '\r') {
                line.write(c);
            }
        }
        return line.toString(StandardCharsets.ISO_8859_1);
    }

    /** Whether nothing but the end of the connection comes. */
    boolean ends() {
        return hasEnded(DEADLINE_MILLIS);
    }

    /** Whether the connection comes to its end, whatever is said before. */
    boolean endsAfterWhatever() {
        try {
            in.readAllBytes();
            return true;
        } catch (SocketTimeoutException open) {
            return false;
        } catch (IOException reset) {
            return true;
        }
    }

    /** Whether the broker has closed it, and says nothing before; waits that long at most. */
    boolean hasEnded(int millis) {
        try {
            socket.setSoTimeout(millis);
            return in.read() < 0;
        } catch (SocketTimeoutException open) {
            return false;
        } catch (IOException reset) {
            return true;
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
