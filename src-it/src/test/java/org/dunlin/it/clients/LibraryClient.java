package org.dunlin.it.clients;

import java.time.Duration;
import org.dunlin.it.Await;
import org.jspecify.annotations.Nullable;

/** What the client libraries have in common. Calls block until the broker has answered. Test thread only. */
interface LibraryClient extends AutoCloseable {
    /** The libraries, each at the version it speaks. */
    enum Library {
        HIVEMQ_3(false) {
            @Override
            LibraryClient client(String clientId, int port) {
                return new HiveMq3Client(clientId, port);
            }
        },
        HIVEMQ_5(true) {
            @Override
            LibraryClient client(String clientId, int port) {
                return new HiveMq5Client(clientId, port);
            }
        },
        PAHO_3(false) {
            @Override
            LibraryClient client(String clientId, int port) {
                return new Paho3Client(clientId, port);
            }
        },
        PAHO_5(true) {
            @Override
            LibraryClient client(String clientId, int port) {
                return new Paho5Client(clientId, port);
            }
        };

        private final boolean isV5;

        Library(boolean isV5) {
            this.isV5 = isV5;
        }

        abstract LibraryClient client(String clientId, int port);

        boolean isV5() {
            return isV5;
        }

        /** One that is connected with a clean session. */
        LibraryClient connected(String clientId, int port) {
            LibraryClient client = client(clientId, port);
            client.connect(true, null);
            return client;
        }
    }

    /**
     * @param clean clean session or clean start; otherwise the session goes on for an hour after the connection
     * @return session present
     */
    boolean connect(boolean clean, @Nullable AppMessage will);

    /** Whether the library knows itself to be connected. */
    boolean isConnected();

    void subscribe(String filter, int qos);

    void publish(AppMessage message);

    /** The next message, or null if none has come within that time. */
    @Nullable
    AppMessage poll(Duration wait);

    /** The next message. */
    default AppMessage receive() {
        AppMessage message = poll(Await.DEADLINE);
        if (message == null) {
            throw new AssertionError("no message within " + Await.DEADLINE);
        }
        return message;
    }

    /** DISCONNECT. */
    void disconnect();

    /** Lets go of it, connected or not. */
    @Override
    void close();
}
