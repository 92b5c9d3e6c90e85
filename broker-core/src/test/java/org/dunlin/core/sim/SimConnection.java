package org.dunlin.core.sim;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.security.cert.X509Certificate;
import java.util.Random;
import org.dunlin.core.spi.Connection;
import org.dunlin.core.spi.Loop;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.codec.OutboundTerms;
import org.dunlin.mqtt.codec.PacketDecoder;
import org.dunlin.mqtt.codec.PacketEncoder;
import org.dunlin.mqtt.codec.ProtocolError;
import org.dunlin.mqtt.codec.PublishWriter;
import org.jspecify.annotations.Nullable;

/**
 * The test's thread only. A transport in bytes to one scripted client: what either side writes travels in order and in
 * pieces, through the real codec, and can be cut at any byte of either direction. What the client does not take stays in
 * the way, so that the connection stops being writable.
 */
final class SimConnection implements Connection {
    /** What may be under way to a client before the connection counts as slow, in bytes. */
    private static final int WRITABLE_MAX = 600;

    /** Whose packets are printed, for the replay of a seed: a client identifier. */
    private static final @Nullable String TRACED = System.getProperty("dunlin.sim.trace");

    private final SimLoops loops;
    private final Random random;
    private final Checker checker;
    private final String peer;
    private final SimClient client;
    private final int delayMicrosMax;

    // broker's end
    private final PacketDecoder decoder = new PacketDecoder(PacketDecoder.Role.SERVER);
    private final PacketEncoder encoder = new PacketEncoder();
    private final PublishWriter writer = new PublishWriter();
    private final ByteBuf in = Unpooled.buffer();
    private final ByteBuf out = Unpooled.buffer();
    private @Nullable OutboundTerms terms;
    private Loop loop;
    private @Nullable Inbound inbound;
    private boolean held;
    private boolean moving;
    private boolean closing;
    private boolean told;
    private boolean touched;
    private boolean slow;
    private boolean refusing;
    private @Nullable String cause;
    private boolean gone;

    // client's end
    private final PacketEncoder clientEncoder = new PacketEncoder(PacketDecoder.Role.CLIENT);
    private final PacketDecoder clientDecoder = new PacketDecoder(PacketDecoder.Role.CLIENT);
    private final ByteBuf clientIn = Unpooled.buffer();
    private ProtocolVersion clientVersion;
    private boolean stalled;
    private boolean clientGone;

    /** Bytes on the way to the client that have not come, and bytes come that it has not taken. */
    private int toClient;

    /** Of the pieces that are on the way, when the last will have arrived. */
    private long lastToClient;

    private long lastToBroker;
    /** Pieces to the broker that were sent after this many have come are lost. */
    private long brokerTakes = Long.MAX_VALUE;

    private long sentToBroker;
    private boolean ended;
    /** What is on its way to the client does not arrive. */
    private boolean lost;

    SimConnection(
            SimLoops loops, Random random, Checker checker, String peer, SimClient client, ProtocolVersion version) {
        this.loops = loops;
        this.random = random;
        this.checker = checker;
        this.peer = peer;
        this.client = client;
        this.delayMicrosMax = 1 + random.nextInt(random.nextInt(4) == 0 ? 50_000 : 2_000);
        this.loop = loops.any();
        this.clientVersion = version;
        encoder.clock(loops::nowMillis);
        clientEncoder.version(version).clock(loops::nowMillis);
        clientDecoder.version(version).topicAliasMaximum(5);
    }

    void start(java.util.function.Function<Connection, Inbound> protocol) {
        loop.execute(() -> inbound = protocol.apply(this));
    }

    // ---- the client's side

    /** What the client says that it takes, in bytes: more of the broker is a breach. */
    void maximumPacketSize(int bytes) {
        clientDecoder.maximumPacketSize(bytes);
    }

    /** The client writes; in 1 or 2 pieces. */
    void write(Packet packet) {
        if (clientGone) {
            return;
        }
        ByteBuf bytes = Unpooled.buffer();
        if (!clientEncoder.encode(packet, bytes)) {
            throw new AssertionError("the client cannot write " + packet);
        }
        int first = random.nextInt(3) == 0 ? random.nextInt(bytes.readableBytes()) : 0;
        if (first > 0) {
            piece(taken(bytes, first));
        }
        piece(taken(bytes, bytes.readableBytes()));
    }

    private static byte[] taken(ByteBuf from, int length) {
        byte[] bytes = new byte[length];
        from.readBytes(bytes);
        return bytes;
    }

    private void piece(byte[] bytes) {
        long at = Math.max(lastToBroker, loops.nowMicros() + random.nextInt(delayMicrosMax));
        lastToBroker = at;
        long from = sentToBroker;
        sentToBroker += bytes.length;
        loops.later(at - loops.nowMicros(), () -> {
            long allowed = Math.min(bytes.length, brokerTakes - from);
            if (allowed > 0) {
                in.writeBytes(bytes, 0, (int) allowed);
                loop.execute(this::read);
            }
        });
    }

    /** The client takes no more until it is set false. */
    void stall(boolean stop) {
        stalled = stop;
        if (!stop) {
            take();
        }
    }

    boolean isGone() {
        return clientGone;
    }

    /** The client closes after what it has written. */
    void clientCloses() {
        if (!clientGone) {
            clientGone = true;
            long at = Math.max(lastToBroker, loops.nowMicros()) + 1;
            loops.later(at - loops.nowMicros(), () -> peerGone(null));
        }
    }

    /** The network breaks: of what is on its way to the broker a part is lost, and the broker sees it somewhat later. */
    void cut() {
        if (clientGone) {
            return;
        }
        clientGone = true;
        brokerTakes = sentToBroker - (random.nextBoolean() ? 0 : random.nextInt(60));
        long delay = Math.max(0, lastToBroker - loops.nowMicros())
                + random.nextInt(random.nextInt(3) == 0 ? 3_000_000 : 5_000);
        loops.later(delay, () -> peerGone("cut"));
    }

    /** The broker is gone: what is on its way may still arrive, or nothing does any more. */
    void brokerDied() {
        if (closing && ended) {
            return; // it has closed, and its client is about to see it
        }
        closing = true;
        told = true;
        ended = true;
        checker.ended(this);
        lost = random.nextBoolean();
        long at = lost ? loops.nowMicros() : Math.max(lastToClient, loops.nowMicros());
        loops.later(at - loops.nowMicros() + 1 + random.nextInt(20_000), this::brokerClosed);
    }

    /** The client turns to another connection and looks at this one no more, nor closes it. */
    void forsake() {
        clientGone = true;
    }

    private void peerGone(@Nullable String why) {
        if (!ended) {
            ended = true;
            loop.execute(() -> end(why));
        }
    }

    private void arrive(byte[] bytes) {
        if (!lost) {
            clientIn.writeBytes(bytes);
            take();
        }
    }

    private void take() {
        if (stalled && !clientGone) {
            return;
        }
        int had = clientIn.readableBytes();
        try {
            for (Packet p = clientDecoder.decode(clientIn); p != null; p = clientDecoder.decode(clientIn)) {
                trace(clientGone ? "<- unseen" : "<-", p);
                checker.sentToClient(this, p, clientGone);
                if (!clientGone) {
                    client.received(this, p);
                }
                if (stalled && !clientGone) {
                    break;
                }
            }
        } catch (ProtocolError error) {
            throw new AssertionError("the broker wrote to " + peer + " what is no packet: " + error.text(), error);
        }
        toClient -= had - clientIn.readableBytes();
        if (slow) {
            loop.execute(this::drained);
        }
    }

    // ---- the broker's side

    private boolean isElsewhere(Runnable task) {
        if (!loop.inLoop()) {
            loop.execute(task);
            return true;
        }
        return false;
    }

    private void read() {
        if (isElsewhere(this::read) || held || moving || closing || told || refusing) {
            return;
        }
        Inbound to = inbound;
        assert to != null;
        boolean any = false;
        try {
            while (!held && !moving && !closing) {
                Packet packet = decoder.decode(in);
                if (packet == null) {
                    break;
                }
                any = true;
                trace("->", packet);
                if (terms == null && packet instanceof Connect connect) {
                    encoder.maximumPacketSize(connect.maximumPacketSize());
                }
                to.received(packet);
            }
        } catch (ProtocolError error) {
            refusing = true;
            to.violated(error.reason(), error.text());
        }
        if (any && !moving) {
            to.readComplete();
        }
    }

    private void drained() {
        if (isElsewhere(this::drained) || closing || moving || told) {
            return;
        }
        if (slow && pending() <= WRITABLE_MAX / 2) {
            slow = false;
            Inbound to = inbound;
            assert to != null;
            to.writable();
        }
    }

    private int pending() {
        return toClient + out.readableBytes();
    }

    private void end(@Nullable String why) {
        if (told) {
            return;
        }
        if (isElsewhere(() -> end(why))) {
            return;
        }
        if (moving) {
            gone = true;
            cause = why;
            return;
        }
        trace("ended", String.valueOf(why));
        told = true;
        closing = true;
        checker.ended(this);
        Inbound to = inbound;
        if (to != null) {
            to.closed(why);
        }
    }

    @Override
    public Loop loop() {
        return loop;
    }

    @Override
    public String peer() {
        return peer;
    }

    @Override
    public String listener() {
        return "sim";
    }

    @Override
    public @Nullable X509Certificate certificate() {
        return null;
    }

    @Override
    public @Nullable ProtocolVersion version() {
        return decoder.version();
    }

    @Override
    public void agree(Terms agreed) {
        assert loop.inLoop() && terms == null;
        decoder.maximumPacketSize((int) agreed.maximumPacketSizeIn())
                .topicAliasMaximum(agreed.topicAliasMaximumIn())
                .ingress(agreed.ingress());
        encoder.version(agreed.version())
                .maximumPacketSize(agreed.maximumPacketSizeOut())
                .problemInformation(agreed.problemInformation());
        terms = new OutboundTerms(agreed.version(), agreed.maximumPacketSizeOut(), agreed.topicAliasMaximumOut());
    }

    @Override
    public boolean send(Packet packet) {
        assert loop.inLoop();
        if (closing) {
            return true;
        }
        ProtocolVersion spoken = decoder.version();
        if (terms == null && spoken != null) {
            encoder.version(spoken);
        }
        if (packet instanceof ConnAck ack && !ack.reason().isError()) {
            checker.accepted(this);
        }
        boolean written = encoder.encode(packet, out);
        touch();
        return written || packet instanceof Disconnect;
    }

    @Override
    public void sendAck(PacketType type, int packetId, ReasonCode reason) {
        send(new Ack(type, packetId, reason));
    }

    @Override
    public boolean fits(Message message, Qos qos, int[] subscriptionIds) {
        OutboundTerms to = terms;
        return to == null || PublishWriter.fits(to, message, qos, subscriptionIds);
    }

    @Override
    public boolean deliver(Message message, Qos qos, boolean retain, boolean dup, int packetId, int[] subscriptionIds) {
        assert loop.inLoop();
        OutboundTerms to = terms;
        if (to == null) {
            throw new AssertionError("a PUBLISH to " + peer + " before the terms are agreed");
        }
        if (closing) {
            return true;
        }
        checker.delivering(this, message, qos, dup);
        PublishWriter.Result result =
                writer.write(out, to, message, qos, retain, dup, packetId, subscriptionIds, loops.nowMillis());
        touch();
        return result != PublishWriter.Result.TOO_LARGE;
    }

    @Override
    public boolean isWritable() {
        assert loop.inLoop();
        if (closing) {
            return false;
        }
        if (pending() > WRITABLE_MAX) {
            slow = true;
        }
        return !slow;
    }

    boolean isClosing() {
        return closing;
    }

    private void touch() {
        if (!touched && !moving) {
            touched = true;
            loop.atEndOfTurn(this::flush);
        }
    }

    private void flush() {
        touched = false;
        if (moving || !loop.inLoop()) {
            return; // it flushes when it has arrived
        }
        writer.forget();
        while (out.isReadable()) {
            int size = random.nextInt(3) == 0 ? 1 + random.nextInt(out.readableBytes()) : out.readableBytes();
            byte[] bytes = taken(out, size);
            toClient += size;
            long at = Math.max(lastToClient, loops.nowMicros() + random.nextInt(delayMicrosMax));
            lastToClient = at;
            loops.later(at - loops.nowMicros(), () -> arrive(bytes));
        }
        if (closing && !ended) {
            ended = true;
            long at = Math.max(lastToClient, loops.nowMicros());
            loops.later(at - loops.nowMicros() + 1, this::brokerClosed);
            loop.execute(() -> end(null));
        }
    }

    private void brokerClosed() {
        if (!clientGone) {
            stalled = false;
            take();
        }
        if (!clientGone) {
            clientGone = true;
            client.closed(this);
        }
    }

    @Override
    public void holdInput() {
        assert loop.inLoop();
        checker.held();
        held = true;
    }

    @Override
    public void releaseInput() {
        assert loop.inLoop();
        if (!moving) {
            held = false;
            loop.execute(this::read);
        }
    }

    @Override
    public void moveTo(Loop target, Runnable arrived) {
        assert loop.inLoop() && !moving;
        if (closing) {
            return;
        }
        held = true;
        if (target == loop) {
            loop.execute(() -> arrive(arrived));
            return;
        }
        moving = true;
        touched = false;
        loop = target;
        loops.later(random.nextInt(random.nextInt(4) == 0 ? 20_000 : 300), () -> target.execute(() -> arrive(arrived)));
    }

    private void arrive(Runnable arrived) {
        moving = false;
        if (told) {
            return;
        }
        if (gone) {
            end(cause);
            return;
        }
        touch();
        if (!closing) {
            arrived.run();
        }
    }

    @Override
    public void close() {
        assert loop.inLoop();
        if (!closing) {
            closing = true;
            checker.closing(this);
            touch();
        }
    }

    static void trace(SimLoops loops, String what) {
        if (TRACED != null) {
            System.err.println(loops.nowMicros() + " " + what);
        }
    }

    private void trace(String what, Object packet) {
        if (client.id.equals(TRACED)) {
            Object shown = packet instanceof org.dunlin.mqtt.Publish p
                    ? "PUBLISH " + p.packetId() + (p.dup() ? " DUP " : " ") + p.message() + " "
                            + Checker.id(p.message())
                    : packet;
            System.err.println(loops.nowMicros() + " " + peer + " " + what + " " + shown);
        }
    }

    SimClient client() {
        return client;
    }

    ProtocolVersion clientVersion() {
        return clientVersion;
    }

    @Override
    public String toString() {
        return peer;
    }
}
