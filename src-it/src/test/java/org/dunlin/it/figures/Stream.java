package org.dunlin.it.figures;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.codec.PacketDecoder.Role;
import org.dunlin.mqtt.codec.PacketEncoder;
import org.jspecify.annotations.Nullable;

/**
 * One publisher and its receivers. It sends in batches, of which two may be under way: the third begins when every receiver has
 * had all of the first. Every message is numbered, and every receiver has to get every number once and in order. All connections
 * are of one event loop; what is public is for any thread.
 */
final class Stream implements Peer.Owner {
    private static final int PACKET_IDS = 65_535;
    private static final int UNDER_WAY = 2;
    private static final int PUBLISHER = -1;

    /**
     * What a stream is.
     *
     * @param payload bytes, at least 8
     * @param batch messages
     * @param write bytes of one buffer, and so of one frame of a WebSocket; a message at least
     */
    record Terms(
            Door door,
            String topic,
            String filter,
            Qos qos,
            int payload,
            int batch,
            int write,
            int receivers,
            Login login) {}

    /** Who connects; a null name is nobody in particular. */
    record Login(@Nullable String publisher, @Nullable String receiver, String password) {
        static final Login NONE = new Login(null, null, "");
    }

    private final Driver driver;
    private final EventLoop loop;
    private final Terms terms;
    private final String name;
    private final byte[] frame;
    private final Peer publisher;
    private final List<Peer> receivers = new ArrayList<>();
    /** The number of the message that each receiver gets next. */
    private final long[] next;

    private final CompletableFuture<Void> open = new CompletableFuture<>();
    private final CompletableFuture<Void> drained = new CompletableFuture<>();
    private final AtomicLong delivered = new AtomicLong();
    private final int[] done = new int[UNDER_WAY + 1];
    private int subscribed;
    private int pongs;
    private long deliveries;
    private long sent;
    private long acknowledged;
    private long completed;
    private boolean stopping;
    private boolean fenced;

    Stream(Driver driver, String name, Terms terms) {
        this.driver = driver;
        this.loop = driver.loop();
        this.terms = terms;
        this.name = name;
        this.frame = frame(terms);
        this.next = new long[terms.receivers()];
        this.publisher = new Peer(
                PUBLISHER, terms.door(), connect(name + "-p", terms.login().publisher()), this);
        for (int i = 0; i < next.length; i++) {
            receivers.add(new Peer(
                    i, terms.door(), connect(name + "-s" + i, terms.login().receiver()), this));
        }
    }

    private Connect connect(String clientId, @Nullable String user) {
        return connect(clientId, user, terms.login().password());
    }

    static Connect connect(String clientId, @Nullable String user, String password) {
        Connect.Builder connect = Connect.builder(ProtocolVersion.MQTT_3_1_1, clientId);
        return user == null
                ? connect.build()
                : connect.userName(user)
                        .password(password.getBytes(StandardCharsets.UTF_8))
                        .build();
    }

    /** A PUBLISH that lacks its number, in the first eight bytes of the payload, and its packet identifier before that. */
    private static byte[] frame(Terms terms) {
        Message message = new Message(
                0,
                "",
                TopicName.of(terms.topic()),
                new byte[terms.payload()],
                terms.qos(),
                false,
                Message.NEVER,
                Message.NO_BYTES);
        ByteBuf out = Unpooled.buffer();
        new PacketEncoder(Role.CLIENT)
                .version(ProtocolVersion.MQTT_3_1_1)
                .encode(new Publish(message, terms.qos() == Qos.AT_MOST_ONCE ? 0 : 1, false), out);
        byte[] bytes = new byte[out.readableBytes()];
        out.readBytes(bytes);
        return bytes;
    }

    /** Connects and subscribes. */
    CompletableFuture<Void> open() {
        loop.execute(() -> receivers.forEach(receiver -> driver.connect(loop, terms.door(), 0, receiver)));
        return open;
    }

    void start() {
        loop.execute(this::pump);
    }

    /** So far, to all receivers together. */
    long delivered() {
        return delivered.get();
    }

    /** Ends it; done when everything sent has been received once and the connections are closed. */
    CompletableFuture<Void> stop() {
        loop.execute(() -> {
            stopping = true;
            settle();
        });
        return drained;
    }

    private boolean isAcknowledged() {
        return terms.qos() != Qos.AT_MOST_ONCE;
    }

    private void pump() {
        while (!stopping && mayBegin(sent / terms.batch())) {
            sendBatch();
        }
    }

    private boolean mayBegin(long batch) {
        long before = (batch - UNDER_WAY + 1) * terms.batch();
        return batch < completed + UNDER_WAY && (!isAcknowledged() || acknowledged >= before);
    }

    private void sendBatch() {
        int each = Math.max(1, terms.write() / frame.length);
        int payloadAt = frame.length - terms.payload();
        for (int from = 0; from < terms.batch(); from += each) {
            int count = Math.min(each, terms.batch() - from);
            ByteBuf out = publisher.buffer(count * frame.length);
            for (int i = 0; i < count; i++) {
                int at = out.writerIndex();
                out.writeBytes(frame);
                out.setLong(at + payloadAt, sent);
                if (isAcknowledged()) {
                    out.setShort(at + payloadAt - 2, packetId(sent));
                }
                sent++;
            }
            publisher.put(out);
        }
        publisher.flush();
    }

    private static int packetId(long number) {
        return (int) (number % PACKET_IDS) + 1;
    }

    @Override
    public void connected(Peer peer, ConnAck answer) {
        if (answer.reason() != ReasonCode.SUCCESS) {
            driver.fail(name + " is refused: " + answer.reason());
        } else if (peer == publisher) {
            open.complete(null);
        } else {
            peer.send(new Subscribe(1, 0, List.of(new Subscribe.Entry(terms.filter(), terms.qos())), List.of()));
        }
    }

    @Override
    public void subscribed(Peer peer, SubAck answer) {
        ReasonCode reason = answer.reasons().get(0);
        if (reason != ReasonCode.granted(terms.qos())) {
            driver.fail(name + " may not subscribe to " + terms.filter() + ": " + reason);
        } else if (++subscribed == receivers.size()) {
            driver.connect(loop, terms.door(), 0, publisher);
        }
    }

    @Override
    public void received(Peer peer, Publish publish) {
        long number = ByteBuffer.wrap(publish.message().payload()).getLong();
        int receiver = peer.number();
        if (number != next[receiver]) {
            driver.fail(name + " gets message " + number + " instead of " + next[receiver]
                    + ": one is lost, doubled or out of order");
            return;
        }
        long had = ++next[receiver];
        deliveries++;
        if (had % terms.batch() == 0) {
            int slot = (int) ((had / terms.batch() - 1) % done.length);
            if (++done[slot] == receivers.size()) {
                done[slot] = 0;
                completed++;
            }
        }
    }

    @Override
    public void acknowledged(Peer peer, int packetId) {
        if (packetId != packetId(acknowledged) || acknowledged == sent) {
            driver.fail(name + " gets PUBACK " + packetId + " instead of " + packetId(acknowledged));
        }
        acknowledged++;
    }

    @Override
    public void readComplete(Peer peer) {
        delivered.lazySet(deliveries);
        if (stopping) {
            settle();
        } else if (open.isDone() && sent > 0) {
            pump();
        }
    }

    /** When all is there, a ping to each tells that nothing comes behind. */
    private void settle() {
        boolean all = completed * terms.batch() == sent && (!isAcknowledged() || acknowledged == sent);
        if (all && !fenced) {
            fenced = true;
            publisher.send(Ping.REQUEST);
            receivers.forEach(receiver -> receiver.send(Ping.REQUEST));
        }
    }

    @Override
    public void ponged(Peer peer) {
        if (++pongs == receivers.size() + 1) {
            if (deliveries != sent * receivers.size()) {
                driver.fail(name + " got " + deliveries + " of " + sent * receivers.size() + " messages");
            }
            drained.complete(null);
            publisher.close();
            receivers.forEach(Peer::close);
        }
    }

    @Override
    public void closed(Peer peer, @Nullable Throwable cause) {
        if (!drained.isDone()) {
            driver.fail(name + " lost a connection: " + cause);
        }
    }
}
