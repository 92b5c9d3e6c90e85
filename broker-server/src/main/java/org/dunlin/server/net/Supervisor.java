package org.dunlin.server.net;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Any thread but a loop. Whoever started the process and wants to know how it stands: systemd with {@code Type=notify}, or
 * another that set {@code NOTIFY_SOCKET}. It is told by datagrams as sd_notify(3) describes them. Never fails and never waits
 * for long: what cannot be told is logged, and the broker goes on.
 */
public final class Supervisor {
    private static final Logger LOG = LoggerFactory.getLogger(Supervisor.class);
    /** A supervisor that does not read what it is sent has that long to begin. */
    private static final int TRIES = 50;

    private static final long BETWEEN_TRIES_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    /** Whether it has said so, and not that it stops. */
    private boolean serves;

    /** Null if there is nobody to tell. In an abstract name the first byte is 0. */
    private final byte @Nullable [] address;

    /** @param address value of {@code NOTIFY_SOCKET}: a path, or a name of Linux without a file if it begins with @ */
    public Supervisor(@Nullable String address) {
        if (address == null || address.isEmpty()) {
            this.address = null;
            return;
        }
        byte[] name = address.getBytes(StandardCharsets.UTF_8);
        if (name[0] == '@') {
            name[0] = 0;
        } else if (name[0] != '/') {
            LOG.warn(
                    "NOTIFY_SOCKET is {}, which is neither a path nor begins with @; nobody is told when it is ready",
                    address);
            name = null;
        }
        this.address = name;
    }

    /** What it does, for people to see, like "Bringing back what is stored". */
    public void status(String text) {
        tell("STATUS=" + text);
    }

    /** It serves. */
    public synchronized void ready(String status) {
        serves = true;
        tell("READY=1\nSTATUS=" + status);
    }

    /**
     * It reads its configuration anew, whoever wants that; {@link #reloaded} ends that, whatever came of it. Before it serves, and
     * when it stops, that is nobody's concern.
     */
    public synchronized void reloading() {
        if (!serves) {
            return;
        }
        // Both sides have to mean the same clock, CLOCK_MONOTONIC, which is what Java reads on Linux.
        tell("RELOADING=1\nMONOTONIC_USEC=" + TimeUnit.NANOSECONDS.toMicros(System.nanoTime()));
    }

    /** It serves as before, with what it has read. */
    public synchronized void reloaded() {
        if (serves) {
            ready("Serving, told to reload");
        }
    }

    /** It takes no new connections any more, and will end. */
    public synchronized void stopping() {
        serves = false;
        tell("STOPPING=1\nSTATUS=Stopping");
    }

    private void tell(String state) {
        if (address == null) {
            return;
        }
        try {
            if (!Epoll.isAvailable()) {
                throw new IOException("Netty's native library, which is needed for that, does not load here");
            }
            send(state.getBytes(StandardCharsets.UTF_8), address);
        } catch (IOException | RuntimeException | LinkageError e) {
            LOG.warn(
                    "The supervisor that set NOTIFY_SOCKET cannot be told {}: {}",
                    state.replace('\n', ' '),
                    e.toString());
        }
    }

    private static void send(byte[] state, byte[] address) throws IOException {
        ByteBuffer datagram = ByteBuffer.allocateDirect(state.length).put(state);
        Socket socket = Socket.newSocketDomainDgram();
        try {
            for (int tries = 0; tries < TRIES; tries++) {
                if (socket.sendToDomainSocket(datagram, 0, state.length, address) == state.length) {
                    return;
                }
                LockSupport.parkNanos(BETWEEN_TRIES_NANOS);
            }
            throw new IOException("it takes nothing");
        } finally {
            socket.close();
        }
    }
}
