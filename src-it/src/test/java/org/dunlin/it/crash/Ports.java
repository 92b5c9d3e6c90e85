package org.dunlin.it.crash;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Random;

/**
 * Ports that stay free while a broker is down. The system gives none of them to the clients that try to connect meanwhile: on
 * 127.0.0.1 such a client may otherwise get the very port that it connects to, and then talks to itself and keeps the broker
 * from its port. Any thread.
 */
public final class Ports {
    private static final int FIRST = 20_000;
    private static final int COUNT = 10_000;

    private Ports() {}

    public static int free() {
        Random random = new Random();
        while (true) {
            int port = FIRST + random.nextInt(COUNT);
            try (ServerSocket free = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return free.getLocalPort();
            } catch (IOException e) {
                // in use: the next one
            }
        }
    }
}
