package org.dunlin.it.start;

import java.io.IOException;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/**
 * What a broker remembers when it starts: sessions that are away, each with a subscription and queued messages, and retained
 * messages. Of each twenty sessions ten have a topic of their own, below a wildcard, and ten have one in common, so that half of the queued
 * messages are kept once for ten queues. Any thread.
 *
 * @param sessions a multiple of twenty
 * @param queued messages in all queues together, a multiple of the sessions
 * @param bytes of the payload of each message
 */
record Contents(int sessions, int queued, int retained, int bytes) {
    private static final int SHARING = 10;
    private static final int CLIENTS = 8;

    Contents {
        if (sessions % (2 * SHARING) != 0 || sessions > 0 && queued % sessions != 0) {
            throw new IllegalArgumentException(
                    "sessions must be a multiple of " + 2 * SHARING + ", and queued one of the sessions");
        }
    }

    static String clientId(int session) {
        return "start-" + session;
    }

    private static boolean sharesTopic(int session) {
        return session / SHARING % 2 == 1;
    }

    private static String topic(int session) {
        return sharesTopic(session) ? "start/shared/" + session / SHARING : "start/own/" + session + "/state";
    }

    private static String filter(int session) {
        return sharesTopic(session) ? topic(session) : "start/own/" + session + "/+";
    }

    /** Makes a broker remember it. */
    void fill(int port) throws IOException {
        inParallel(client -> {
            for (int session = client; session < sessions; session += CLIENTS) {
                PipelinedClient.leaveSession(port, clientId(session), filter(session));
            }
        });
        inParallel(client -> {
            Random random = new Random(client);
            byte[] payload = new byte[bytes];
            try (PipelinedClient publisher = PipelinedClient.connect(port, "filling-" + client)) {
                publishToQueues(client, publisher, random, payload);
                for (int i = client; i < retained; i += CLIENTS) {
                    random.nextBytes(payload);
                    publisher.publish("start/retained/" + i % 1000 + "/" + i + "/state", payload, true);
                }
                publisher.awaitAcknowledgements();
            }
        });
    }

    private void publishToQueues(int client, PipelinedClient publisher, Random random, byte[] payload)
            throws IOException {
        int each = sessions == 0 ? 0 : queued / sessions;
        for (int i = 0; i < each; i++) {
            for (int session = client; session < sessions; session += CLIENTS) {
                if (!sharesTopic(session) || session % SHARING == 0) {
                    random.nextBytes(payload);
                    publisher.publish(topic(session), payload, false);
                }
            }
        }
    }

    private interface Filler {
        void fill(int client) throws IOException;
    }

    private static void inParallel(Filler filler) throws IOException {
        ExecutorService threads = Executors.newFixedThreadPool(CLIENTS);
        try {
            for (Future<?> done : IntStream.range(0, CLIENTS)
                    .mapToObj(client -> threads.submit(() -> {
                        filler.fill(client);
                        return client;
                    }))
                    .toList()) {
                done.get();
            }
        } catch (ExecutionException | InterruptedException e) {
            throw new IOException("cannot fill the broker", e);
        } finally {
            threads.shutdownNow();
        }
    }
}
