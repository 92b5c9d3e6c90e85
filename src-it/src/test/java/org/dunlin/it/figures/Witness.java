package org.dunlin.it.figures;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;
import org.jspecify.annotations.Nullable;

/** A subscriber that each message of every lane has to reach once. Event loop; what is public is for any thread. */
final class Witness implements Peer.Owner {
    private final Driver driver;
    private final String filter;
    private final BitSet[] seen;
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    private final AtomicLong count = new AtomicLong();
    private final Peer peer;
    private volatile boolean over;

    Witness(Driver driver, Door door, int lanes, Connect connect, String filter) {
        this.driver = driver;
        this.filter = filter;
        this.seen = new BitSet[lanes];
        Arrays.setAll(seen, lane -> new BitSet());
        this.peer = new Peer(0, door, connect, this);
        driver.connect(driver.loop(), door, 0, peer);
    }

    /** Subscribed. */
    CompletableFuture<Void> ready() {
        return ready;
    }

    long count() {
        return count.get();
    }

    void leave() {
        over = true;
        peer.close();
    }

    @Override
    public void connected(Peer own, ConnAck answer) {
        if (answer.reason() != ReasonCode.SUCCESS) {
            driver.fail("the witness is refused: " + answer.reason());
        }
        own.send(new Subscribe(1, 0, List.of(new Subscribe.Entry(filter, Qos.AT_MOST_ONCE)), List.of()));
    }

    @Override
    public void subscribed(Peer own, SubAck answer) {
        if (answer.reasons().get(0) != ReasonCode.SUCCESS) {
            driver.fail("the witness may not subscribe: " + answer.reasons());
        }
        ready.complete(null);
    }

    @Override
    public void received(Peer own, Publish publish) {
        ByteBuffer payload = ByteBuffer.wrap(publish.message().payload());
        int lane = payload.getInt();
        int visit = (int) payload.getLong();
        if (seen[lane].get(visit)) {
            driver.fail("message " + visit + " of lane " + lane + " comes twice");
        }
        seen[lane].set(visit);
        count.lazySet(count.get() + 1);
    }

    @Override
    public void closed(Peer own, @Nullable Throwable cause) {
        if (!over) {
            driver.fail("the witness lost its connection: " + cause);
        }
    }
}
