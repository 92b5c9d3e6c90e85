package org.dunlin.it.figures;

import io.netty.channel.EventLoop;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/**
 * A client that comes, sends one message at QoS 0, says goodbye, waits until the broker has closed the connection, and comes
 * again. Thread of its event loop; what is public is for any thread.
 */
final class Lane implements Peer.Owner {
    private final Driver driver;
    private final EventLoop loop;
    private final Door door;
    private final int number;
    private final Connect connect;
    private final TopicName topic;
    private final AtomicLong visits = new AtomicLong();
    private final CompletableFuture<Long> stopped = new CompletableFuture<>();
    private volatile boolean stopping;
    private boolean welcome;
    private long visit;

    Lane(Driver driver, Door door, int number, Connect connect, String topic) {
        this.driver = driver;
        this.loop = driver.loop();
        this.door = door;
        this.number = number;
        this.connect = connect;
        this.topic = TopicName.of(topic);
    }

    void start() {
        loop.execute(this::come);
    }

    private void come() {
        welcome = false;
        driver.connect(loop, door, number, new Peer(number, door, connect, this));
    }

    /** How often it has come and gone. */
    long visits() {
        return visits.get();
    }

    /** Lets the visit under way be the last. @return how many there were */
    CompletableFuture<Long> stop() {
        stopping = true;
        return stopped;
    }

    @Override
    public void connected(Peer peer, ConnAck answer) {
        if (answer.reason() != ReasonCode.SUCCESS) {
            driver.fail("lane " + number + " over " + door.name() + " is refused: " + answer.reason());
            return;
        }
        welcome = true;
        byte[] payload = ByteBuffer.allocate(12).putInt(number).putLong(visit).array();
        Message message = new Message(0, "", topic, payload, Qos.AT_MOST_ONCE, false, Message.NEVER, Message.NO_BYTES);
        peer.send(new Publish(message, 0, false), new Disconnect(ReasonCode.SUCCESS));
    }

    @Override
    public void closed(Peer peer, @Nullable Throwable cause) {
        if (!welcome) {
            driver.fail("lane " + number + " over " + door.name() + " does not get in: " + cause);
            return;
        }
        visits.lazySet(++visit);
        if (stopping) {
            stopped.complete(visit);
        } else {
            come();
        }
    }
}
