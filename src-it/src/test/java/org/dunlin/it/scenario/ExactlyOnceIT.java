package org.dunlin.it.scenario;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.Broker;
import org.dunlin.it.CuttingProxy;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ProtocolVersion;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Order and number of messages over connections that break after any byte. The system property dunlin.it.seed repeats a run,
 * as far as threads let it; dunlin.it.rounds runs more.
 */
@Broker
class ExactlyOnceIT {
    private static final int MESSAGES = 300;
    private static final int PUBLISHERS = 2;

    @ParameterizedTest
    @CsvSource({"MQTT_3_1_1,1", "MQTT_3_1_1,3", "MQTT_3_1_1,64", "MQTT_5,1", "MQTT_5,3", "MQTT_5,64"})
    void messages_overBreakingConnections_comeInOrderWithoutGap_andQos2Once(
            ProtocolVersion version, int window, RunningBroker broker) throws Exception {
        long seed = Long.getLong("dunlin.it.seed", new Random().nextLong());
        for (int round = 0; round < Integer.getInteger("dunlin.it.rounds", 1); round++) {
            System.out.println("ExactlyOnceIT: seed " + (seed + round) + ", " + version + ", window " + window);
            round(version, window, broker, seed + round);
        }
    }

    private static void round(ProtocolVersion version, int window, RunningBroker broker, long seed) throws Exception {
        String root = "once/" + version + "/" + window + "/" + seed;
        List<CompletableFuture<Void>> tasks = new ArrayList<>();
        List<ResendingClient> clients = new ArrayList<>();
        List<CuttingProxy> proxies = new ArrayList<>();
        try {
            for (int i = 0; i <= PUBLISHERS; i++) {
                CuttingProxy proxy = CuttingProxy.to(broker.port(), seed + i);
                proxies.add(proxy);
                clients.add(new ResendingClient(version, root + "/" + i, proxy.port(), window));
            }
            ResendingClient subscriber = clients.get(PUBLISHERS);
            subscriber.subscribe(root + "/#");
            for (CuttingProxy proxy : proxies) {
                proxy.cutWithin(6000);
            }
            proxies.get(PUBLISHERS).cut();
            tasks.add(run(() -> subscriber.receive(2 * PUBLISHERS, MESSAGES)));
            for (int i = 0; i < PUBLISHERS; i++) {
                ResendingClient publisher = clients.get(i);
                String[] topics = {root + "/" + i + "/a", root + "/" + i + "/b"};
                tasks.add(run(() -> publisher.publish(MESSAGES, topics)));
            }
            CompletableFuture<Void> firstFailure = new CompletableFuture<>();
            CompletableFuture<Void> all = CompletableFuture.allOf(tasks.toArray(CompletableFuture[]::new));
            all.thenRun(() -> firstFailure.complete(null));
            for (CompletableFuture<Void> task : tasks) {
                task.exceptionally(e -> {
                    firstFailure.completeExceptionally(e);
                    return null;
                });
            }
            firstFailure.get(50, TimeUnit.SECONDS);
            for (ResendingClient client : clients) {
                assertTrue(client.connections() > 3, "the proxy did not cut");
            }
        } finally {
            proxies.forEach(CuttingProxy::close);
            clients.forEach(ResendingClient::close);
        }
    }

    private static CompletableFuture<Void> run(Runnable task) {
        CompletableFuture<Void> end = new CompletableFuture<>();
        Thread thread = new Thread(
                () -> {
                    try {
                        task.run();
                        end.complete(null);
                    } catch (Throwable e) {
                        end.completeExceptionally(e);
                    }
                },
                "exactly-once");
        thread.setDaemon(true);
        thread.start();
        return end;
    }
}
