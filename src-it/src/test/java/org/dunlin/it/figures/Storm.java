package org.dunlin.it.figures;

import io.netty.channel.EventLoop;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/**
 * Many clients that come all at once. Those that the broker is too busy for come again after a second, give or take a half.
 * Everything happens on one event loop; what is public is for any thread.
 */
final class Storm implements Peer.Owner {
    /** TCP connections that are being made at once: a backlog is not what this is about. */
    private static final int BEGINNING = 256;

    private static final int PAUSE_MILLIS = 500;
    private static final int FIRST = 1;
    private static final int LAST = 2;

    private final Driver driver;
    private final EventLoop loop;
    private final Door door;
    private final IntFunction<Connect> connects;
    private final TopicName topic;
    private final Random random = new Random(1);
    private final Peer[] peers;
    /** Which numbers a client has got: 0, {@link #FIRST}, then {@link #LAST}. */
    private final int[] got;

    private final boolean[] inside;
    private int nextToBegin;
    private int beginning;
    private int arrived;
    private int subscribed;
    private int served;
    private int gone;
    private long tries;
    private long began;
    private boolean cutting;
    private CompletableFuture<Long> allIn = new CompletableFuture<>();
    private CompletableFuture<Void> checked = new CompletableFuture<>();
    private CompletableFuture<Void> allOut = new CompletableFuture<>();

    /**
     * @param number by which it differs from others
     * @param connects the CONNECT of each client
     */
    private Storm(Driver driver, int number, Door door, int clients, IntFunction<Connect> connects) {
        this.topic = TopicName.of("storm/" + number);
        this.driver = driver;
        this.loop = driver.loop();
        this.door = door;
        this.connects = connects;
        this.peers = new Peer[clients];
        this.got = new int[clients];
        this.inside = new boolean[clients];
    }

    /** All come. @return nanoseconds until the last has its CONNACK */
    CompletableFuture<Long> come() {
        CompletableFuture<Long> done = new CompletableFuture<>();
        loop.execute(() -> {
            allIn = done;
            nextToBegin = 0;
            arrived = 0;
            tries = 0;
            began = System.nanoTime();
            beginMore();
        });
        return done;
    }

    private void beginMore() {
        while (beginning < BEGINNING && nextToBegin < peers.length) {
            begin(nextToBegin++);
        }
    }

    private void begin(int client) {
        beginning++;
        tries++;
        Peer peer = new Peer(client, door, connects.apply(client), this);
        peers[client] = peer;
        driver.connect(loop, door, client, peer);
    }

    /** CONNECTs of all clients together, of the last time; to be read when all are in. */
    CompletableFuture<Long> tries() {
        return CompletableFuture.supplyAsync(() -> tries, loop);
    }

    @Override
    public void opened(Peer peer) {
        beginning--;
        beginMore();
    }

    @Override
    public void connected(Peer peer, ConnAck answer) {
        ReasonCode reason = answer.reason();
        if (reason == ReasonCode.SUCCESS) {
            inside[peer.number()] = true;
            if (++arrived == peers.length) {
                allIn.complete(System.nanoTime() - began);
            }
        } else if (reason == ReasonCode.BAD_USER_NAME_OR_PASSWORD || reason == ReasonCode.NOT_AUTHORIZED) {
            driver.fail("client " + peer.number() + " is refused: " + reason);
        }
    }

    @Override
    public void closed(Peer peer, @Nullable Throwable cause) {
        int client = peer.number();
        if (!peer.hasOpened()) {
            beginning--;
        }
        if (cutting) {
            inside[client] = false;
            if (++gone == peers.length) {
                allOut.complete(null);
            }
        } else if (inside[client]) {
            driver.fail("client " + client + " lost its connection: " + cause);
        } else {
            loop.schedule(() -> begin(client), PAUSE_MILLIS + random.nextInt(2 * PAUSE_MILLIS), TimeUnit.MILLISECONDS);
            beginMore();
        }
    }

    /** Every client subscribes, one publishes two messages, and every client has to get either once and in order. */
    CompletableFuture<Void> check() {
        CompletableFuture<Void> done = new CompletableFuture<>();
        loop.execute(() -> {
            checked = done;
            subscribed = 0;
            served = 0;
            Subscribe all =
                    new Subscribe(1, 0, List.of(new Subscribe.Entry(topic.text(), Qos.AT_MOST_ONCE)), List.of());
            for (Peer peer : peers) {
                got[peer.number()] = 0;
                peer.send(all);
            }
        });
        return done;
    }

    @Override
    public void subscribed(Peer peer, SubAck answer) {
        if (answer.reasons().get(0) != ReasonCode.SUCCESS) {
            driver.fail("client " + peer.number() + " may not subscribe: " + answer.reasons());
        } else if (++subscribed == peers.length) {
            peers[0].send(message(FIRST), message(LAST));
        }
    }

    private Publish message(int number) {
        byte[] payload = ByteBuffer.allocate(Integer.BYTES).putInt(number).array();
        return new Publish(
                new Message(0, "", topic, payload, Qos.AT_MOST_ONCE, false, Message.NEVER, Message.NO_BYTES), 0, false);
    }

    @Override
    public void received(Peer peer, Publish publish) {
        int number = ByteBuffer.wrap(publish.message().payload()).getInt();
        if (number != ++got[peer.number()]) {
            driver.fail("client " + peer.number() + " gets message " + number + " instead of " + got[peer.number()]);
        } else if (number == LAST && ++served == peers.length) {
            checked.complete(null);
        }
    }

    /** Ends all connections by a reset. */
    CompletableFuture<Void> cut() {
        CompletableFuture<Void> done = new CompletableFuture<>();
        loop.execute(() -> {
            allOut = done;
            gone = 0;
            cutting = true;
            for (Peer peer : List.of(peers)) {
                peer.cut();
            }
        });
        return done.thenRunAsync(() -> cutting = false, loop);
    }

    /** The clients shared among the loops of the driver, each loop with its own. */
    static List<Storm> all(Driver driver, Door door, int clients, IntFunction<Connect> connects) {
        List<Storm> storms = new ArrayList<>();
        int threads = driver.threads();
        for (int i = 0; i < threads; i++) {
            int from = (int) ((long) clients * i / threads);
            int to = (int) ((long) clients * (i + 1) / threads);
            if (to > from) {
                storms.add(new Storm(driver, i, door, to - from, client -> connects.apply(from + client)));
            }
        }
        return storms;
    }
}
