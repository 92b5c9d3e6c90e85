package org.dunlin.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SupervisorTest {
    private static final int QUEUE = 100_000;

    @TempDir
    Path folder;

    @BeforeAll
    static void onLinux() {
        Assumptions.assumeTrue(Epoll.isAvailable(), "sd_notify is of Linux");
    }

    @Test
    void states_areTheDatagramsOfSdNotify() throws Exception {
        Path path = folder.resolve("notify");
        Socket systemd = bound(path);
        try {
            Supervisor supervisor = new Supervisor(path.toString());
            supervisor.status("Bringing back");
            supervisor.reloading(); // nobody has been told that it serves
            supervisor.reloaded();
            supervisor.ready("Serving");
            long before = System.nanoTime();
            supervisor.reloading();
            long after = System.nanoTime();
            supervisor.reloaded();
            supervisor.stopping();
            supervisor.reloading();
            supervisor.reloaded();
            supervisor.status("Ended");

            assertEquals("STATUS=Bringing back", next(systemd));
            assertEquals("READY=1\nSTATUS=Serving", next(systemd));
            String reloading = next(systemd);
            assertTrue(reloading.startsWith("RELOADING=1\nMONOTONIC_USEC="), reloading);
            long at =
                    TimeUnit.MICROSECONDS.toNanos(Long.parseLong(reloading.substring(reloading.lastIndexOf('=') + 1)));
            assertTrue(before - 1000 <= at && at <= after, reloading);
            assertEquals("READY=1\nSTATUS=Serving, told to reload", next(systemd));
            assertEquals("STOPPING=1\nSTATUS=Stopping", next(systemd));
            assertEquals("STATUS=Ended", next(systemd), "nobody asks what it reads when it stops");
        } finally {
            systemd.close();
        }
    }

    @Test
    void supervisor_thatIsNotThere_orDoesNotRead_stopsNothing() throws Exception {
        new Supervisor(null).ready("");
        new Supervisor("").ready("");
        new Supervisor("vsock:2:1234").ready("");
        new Supervisor(folder.resolve("nobody").toString()).ready("");
        new Supervisor("@nobody-" + folder).ready("");
        new Supervisor("/" + "x".repeat(200)).ready("");

        Path path = folder.resolve("deaf");
        Socket deaf = bound(path);
        try {
            Socket other = Socket.newSocketDomainDgram();
            byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
            ByteBuffer datagram = ByteBuffer.allocateDirect(1);
            int sent = 0;
            while (other.sendToDomainSocket(datagram, 0, 1, name) > 0 && sent < QUEUE) {
                sent++;
            }
            other.close();
            assertTrue(sent < QUEUE, "the queue is never full");
            new Supervisor(path.toString()).ready("");
        } finally {
            deaf.close();
        }
    }

    private static Socket bound(Path path) throws Exception {
        Socket socket = Socket.newSocketDomainDgram();
        socket.bind(new DomainSocketAddress(path.toString()));
        return socket;
    }

    /** What lies there already: a datagram is delivered when it is sent. */
    private static String next(Socket socket) throws Exception {
        ByteBuffer buffer = ByteBuffer.allocateDirect(1000);
        int length = socket.recvFromDomainSocket(buffer, 0, buffer.capacity()).receivedAmount();
        byte[] bytes = new byte[length];
        buffer.get(0, bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
