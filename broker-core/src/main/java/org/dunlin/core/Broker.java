package org.dunlin.core;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.dunlin.core.client.Admittance;
import org.dunlin.core.client.ClientHandler;
import org.dunlin.core.figures.ShardFigures;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.routing.RetainedTree;
import org.dunlin.core.session.Restoration;
import org.dunlin.core.session.Session;
import org.dunlin.core.session.Shard;
import org.dunlin.core.session.Shards;
import org.dunlin.core.spi.Connection;
import org.dunlin.core.spi.Loop;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreException;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/** An MQTT broker: gives connections their protocol, and publishes for others in the process. Any thread. */
public final class Broker {
    /** In place of a client identifier: what an empty one publishes is not kept in the store. */
    private static final String OPERATOR = "$operator";
    /** Retained messages that one task removes. */
    private static final int CLEARED_AT_ONCE = 100;

    private final Shards shards;
    private final Admittance admittance;
    private final Inspection inspection;
    private volatile @Nullable Restoration restoration;

    /** @param loops one for each shard; a connection may live on these alone */
    public Broker(List<Loop> loops, BrokerSettings settings) {
        this.shards = new Shards(
                loops,
                settings.limits(),
                settings.queueLimits(),
                settings.memory(),
                settings.store(),
                settings.authorizer(),
                settings.events());
        this.inspection = new Inspection(shards);
        this.admittance = new Admittance(
                settings.limits(),
                settings.authenticator(),
                settings.closesOnDeniedPublish(),
                settings.responseInformation());
    }

    /**
     * Opens the store and brings back what it has kept. Reads the store, so not on a loop; once, before anybody connects.
     *
     * @return completes when all is back, with what that is in words for people
     * @throws StoreException if the store cannot be used
     */
    public CompletionStage<String> open() throws StoreException {
        Restoration back = new Restoration(shards);
        restoration = back;
        shards.store().open(back);
        CompletionStage<Void> done = CompletableFuture.completedFuture(null);
        for (Consumer<Shard> step : back.steps()) {
            done = done.thenCompose(former -> onEach(step));
        }
        return done.thenApply(last -> {
            restoration = null; // it holds all that was told
            return back.summary();
        });
    }

    /** How far {@link #open} has come. */
    public Starting starting() {
        Restoration back = restoration;
        return new Starting(
                shards.store().opening(), back == null ? 0 : back.broughtBack(), back == null ? 0 : back.toBringBack());
    }

    /**
     * @param reading of the store
     * @param restored sessions that their shards have; 0 before the store has been read, and when all is done
     * @param toRestore of so many
     */
    public record Starting(Store.Opening reading, long restored, long toRestore) {}

    private CompletionStage<Void> onEach(Consumer<Shard> task) {
        CompletableFuture<?>[] done = new CompletableFuture<?>[shards.count()];
        for (int i = 0; i < done.length; i++) {
            Shard shard = shards.shard(i);
            done[i] = CompletableFuture.runAsync(
                    () -> task.accept(shard), runnable -> shard.loop().execute(runnable));
        }
        return CompletableFuture.allOf(done);
    }

    /** The protocol for a connection that was just accepted; to be called on its loop's thread. */
    public Connection.Inbound connect(Connection connection) {
        return new ClientHandler(shards, admittance, connection);
    }

    /** Publishes a message of the broker's own, such as one under $SYS. */
    public void publish(TopicName topic, String payload, Qos qos, boolean retain) {
        Shard shard = shards.shard(0);
        shard.loop()
                .execute(() -> shard.publishing()
                        .publish(new Message(
                                shard.nextMessageId(),
                                "",
                                topic,
                                payload.getBytes(StandardCharsets.UTF_8),
                                qos,
                                retain,
                                Message.NEVER,
                                Message.NO_BYTES)));
    }

    /**
     * Asks anew who may stay and what each client may do, after accounts or rights have changed. A connected client whose account
     * is gone is sent away with 0x98; a subscription that is not allowed any more ends; what was queued before is asked about when
     * it is delivered. Clients that connect meanwhile have the new rights already.
     *
     * @return completes when every session and its subscriptions have been looked at; loops serve their clients meanwhile
     */
    public CompletionStage<Void> review() {
        CompletableFuture<?>[] done = new CompletableFuture<?>[shards.count()];
        for (int i = 0; i < done.length; i++) {
            Shard shard = shards.shard(i);
            CompletableFuture<Void> seen = new CompletableFuture<>();
            done[i] = seen;
            shard.loop().execute(() -> shard.reviews().all(() -> seen.complete(null)));
        }
        return CompletableFuture.allOf(done);
    }

    /**
     * Publishes a message for an operator: with retain it is kept, and it goes to everybody who has subscribed.
     *
     * @param expiresAtMillis by {@link #nowMillis}, or {@link Message#NEVER}
     * @return completes when what it changes here is in the store, or fails as that does
     */
    public CompletionStage<Void> publish(
            TopicName topic, byte[] payload, Qos qos, boolean retain, long expiresAtMillis) {
        return stored(shard -> shard.publishing()
                .publish(new Message(
                        shard.nextMessageId(),
                        OPERATOR,
                        topic,
                        payload,
                        qos,
                        retain,
                        expiresAtMillis,
                        Message.NO_BYTES)));
    }

    /** Removes what is retained at these topics. Completes when the store has done so, too. */
    public CompletionStage<Void> clearRetained(List<TopicName> topics) {
        CompletionStage<Void> done = CompletableFuture.completedFuture(null);
        for (int from = 0; from < topics.size(); from += CLEARED_AT_ONCE) {
            List<TopicName> some = topics.subList(from, Math.min(from + CLEARED_AT_ONCE, topics.size()));
            done = done.thenCompose(former -> stored(shard -> some.forEach(topic -> shard.publishing()
                    .publishQos0(new Message(
                            shard.nextMessageId(),
                            OPERATOR,
                            topic,
                            Message.NO_BYTES,
                            Qos.AT_MOST_ONCE,
                            true,
                            Message.NEVER,
                            Message.NO_BYTES)))));
        }
        return done;
    }

    /** Runs a task on a loop; completes when the store has taken what that has changed. */
    private CompletionStage<Void> stored(Consumer<Shard> task) {
        Shard shard = shards.shard(0);
        CompletableFuture<Void> stored = new CompletableFuture<>();
        shard.loop().execute(() -> {
            task.accept(shard);
            shard.turn().afterCommit(failure -> {
                if (failure == null) {
                    stored.complete(null);
                } else {
                    stored.completeExceptionally(new IllegalStateException(failure));
                }
            });
        });
        return stored;
    }

    /** The retained messages, to look at. */
    public RetainedTree retained() {
        return shards.retained();
    }

    /** What operators may look at and end. */
    public Inspection inspection() {
        return inspection;
    }

    /** By the clock that the expiry of messages is told by. */
    public long nowMillis() {
        return shards.store().nowMillis();
    }

    /** Other limits count from now on. What clients were told when they connected counts for them until they come again. */
    public void limits(Limits limits, QueueLimits queueLimits) {
        shards.limits(limits, queueLimits);
        admittance.limits(limits);
    }

    /**
     * Other answers count from now on, for clients that are there, too.
     *
     * @param closesOnDeniedPublish as in {@link BrokerSettings}
     * @param responseInformation as in {@link BrokerSettings}
     */
    public void answers(boolean closesOnDeniedPublish, @Nullable String responseInformation) {
        admittance.answers(closesOnDeniedPublish, responseInformation);
    }

    /** Counts of this moment. */
    public Status status() {
        return new Status(
                admittance.connections(),
                shards.sessions().get(),
                shards.subscriptions().routes(),
                shards.retained().count(),
                shards.retained().bytes());
    }

    /** Counts of this moment that shards keep for themselves, and what is under way between them. */
    public Figures figures() {
        ShardFigures.Reading sum = ShardFigures.Reading.NONE;
        long backlog = 0;
        for (int i = 0; i < shards.count(); i++) {
            sum = sum.plus(shards.shard(i).figures().read());
            backlog += shards.shard(i).backlog().work();
        }
        return new Figures(sum, shards.delayedMessages(), backlog);
    }

    /**
     * @param delayed messages that wait for their time to be published
     * @param backlog deliveries and tasks that shards have given each other and not done
     */
    public record Figures(ShardFigures.Reading shards, int delayed, long backlog) {}

    /**
     * Sends every client away with 0x8B and takes no more [MQTT 5, 3.14.2.1]; their wills go out, and sessions that are to
     * end with their connection do. Completes when all have been told.
     */
    public CompletionStage<Void> stop() {
        admittance.close();
        return onEach(shard -> List.copyOf(shard.sessions().values()).forEach(Broker::sendAway));
    }

    private static void sendAway(Session session) {
        session.evict(ReasonCode.SERVER_SHUTTING_DOWN, "the broker is stopping");
    }

    /**
     * @param sessions connected and away
     * @param filters topic filters that somebody has subscribed to, each counted once
     */
    public record Status(int connections, int sessions, int filters, long retained, long retainedBytes) {}
}
