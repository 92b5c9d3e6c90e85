package org.dunlin.server.net;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedChannelException;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.spi.Connection;
import org.dunlin.core.spi.Loop;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.codec.PacketDecoder;
import org.dunlin.mqtt.codec.ProtocolError;
import org.dunlin.server.share.Addresses;
import org.jspecify.annotations.Nullable;

/**
 * Thread of the channel's loop only. The one MQTT handler of a pipeline: bytes to packets to {@link Connection.Inbound}.
 * It keeps what is undecoded itself, and nothing while a connection is idle. What comes while a channel leaves its loop
 * is kept for the loop it goes to.
 */
final class MqttChannelHandler extends ChannelInboundHandlerAdapter {
    /** Unread input that is read to nowhere when a connection is closed, and how long. */
    static final int LINGER_BYTES = 16 * 1024 * 1024;

    static final long LINGER_MILLIS = 2000;

    /** As many bytes of a packet earn it another connect timeout. */
    static final int LEAST_PROGRESS_BYTES = 1024;

    /** Of a packet that is not there whole: from then on its client may have to wait for memory. */
    private static final int LARGE_BYTES = 64 * 1024;

    /**
     * Topic filters that one SUBSCRIBE or UNSUBSCRIBE may have, or as many as a client may be subscribed to if that is
     * more: without a bound a packet of the largest size would take twenty times its bytes.
     */
    private static final int FILTERS_OF_A_PACKET = 65_536;

    private enum State {
        DECODING,
        /** After a violation, or because the connection is being closed: what still comes is dropped. */
        STOPPED,
        DRAINING
    }

    private final Listening listening;
    private final PacketDecoder decoder = new PacketDecoder(PacketDecoder.Role.SERVER);
    private @Nullable ChannelHandlerContext ctx;
    private @Nullable NettyConnection connection;
    private @Nullable ByteBuf cumulation;
    private State state = State.DECODING;
    private boolean held;
    /** A task is on its way that decodes what was kept. */
    private boolean resuming;

    private boolean decoding;
    private boolean agreed;
    private boolean received;
    private boolean disconnected;
    private boolean inputEnded;
    /** A layer below takes nothing more from the peer. */
    private boolean broken;

    private @Nullable String cause;

    /** Who it is, as shown to people: while it connects, and from then on if that is not the socket's address. */
    private volatile @Nullable String peer;

    /** Somebody has said on whose behalf it speaks. */
    private boolean proxied;

    /** When it has waited long enough for CONNECT, the rest of a packet, or the end; 0 if it waits for none of them. */
    private long deadline;

    /** What was left to its client of the time until CONNACK when the broker began to decide. */
    private int clientMillis;

    /** Bytes that were there of an unfinished packet when the deadline was set. */
    private int counted;

    private Loop.@Nullable Timer watchdog;
    private int drainedBytes;

    MqttChannelHandler(Listening listening) {
        this.listening = listening;
        decoder.maximumUserProperties(listening.limits().maxUserProperties());
        decoder.maximumTopicFilters(
                Math.max(FILTERS_OF_A_PACKET, listening.limits().maxSubscriptionsPerClient()));
    }

    // -------------------------------------------------------------------------------------------- what Netty tells

    @Override
    public void channelActive(ChannelHandlerContext context) {
        if (connection != null) {
            return;
        }
        ctx = context;
        Channel channel = context.channel();
        NettyLoop loop = listening.loops().of(channel.eventLoop());
        NettyConnection made = new NettyConnection(context, loop, this);
        peer = Listening.text(channel.remoteAddress());
        connection = made;
        deadline = loop.nowMillis() + listening.limits().connectTimeoutMillis();
        arm();
        made.inbound(listening.protocol().apply(made));
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object msg) {
        ByteBuf in = (ByteBuf) msg;
        if (state == State.DECODING && connection != null) {
            decode(append(context, in));
            return;
        }
        int bytes = in.readableBytes();
        in.release();
        drainedBytes += bytes;
        if (drainedBytes > LINGER_BYTES) {
            closeSocket(context);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        NettyConnection current = connection;
        if (current != null) {
            current.drained();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        NettyConnection current = connection;
        if (event instanceof Layer.Peer known) {
            peer = Listening.text(known.address());
            proxied = true;
            if (current != null) {
                current.retap();
            }
            Addresses.Refusal refusal =
                    listening.enter(context.channel(), known.address().getAddress());
            if (refusal != null) {
                turnAway(context, refusal);
            }
        } else if (event instanceof Layer.Violated violation) {
            broken = true;
            cause(violation.what());
            if (current != null && state == State.DECODING && !waits()) {
                current.closedByPeer(cause());
            }
        } else if (Layer.EndOfInput.is(event)) {
            inputEnded = true;
            if (current != null && state == State.DRAINING) {
                current.drainedToTheEnd();
            } else if (current != null && !waits()) {
                current.closedByPeer(cause());
            }
        }
    }

    /** What is kept is decoded first. */
    private boolean waits() {
        return held || (resuming && state == State.DECODING);
    }

    /** At once, before any byte behind the header has cost anything. */
    private void turnAway(ChannelHandlerContext context, Addresses.Refusal refusal) {
        state = State.STOPPED;
        Connection.Inbound to = inbound();
        if (to != null) {
            to.violated(refusal.reason(), refusal.detail());
        }
        context.close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        over();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        over();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable failure) {
        if (failure instanceof ClosedChannelException) {
            return;
        }
        if (cause == null) {
            cause = causeOf(failure);
        }
        context.close();
    }

    private String causeOf(Throwable failure) {
        String text = String.valueOf(failure.getMessage());
        String ofTls = Failures.ofTls(failure);
        if (ofTls != null) {
            return ofTls;
        }
        if (failure instanceof IOException || failure instanceof UncheckedIOException) { // the socket, not the code
            return text.contains("reset") || text.contains("Broken pipe") ? "reset by the peer" : text;
        }
        NettyConnection current = connection;
        String peer = current == null ? "nobody" : current.peer();
        listening.loops().failures().report("Handling a connection from " + peer + " failed", failure);
        return Failures.OUR_FAULT;
    }

    private String endCause() {
        if (cumulation != null) {
            return "closed by the peer in the middle of a packet";
        }
        return received ? "closed by the peer without DISCONNECT" : "closed by the peer before CONNECT";
    }

    private void over() {
        state = State.STOPPED;
        dropCumulation();
        NettyConnection ended = connection;
        if (ended != null) {
            if (ended.loop().inLoop() && !ended.isMoving()) {
                disarm();
            }
            ended.gone();
        }
    }

    // ------------------------------------------------------------------------------------------- bytes to packets

    private ByteBuf append(ChannelHandlerContext context, ByteBuf in) {
        ByteBuf kept = cumulation;
        cumulation = null;
        return kept == null ? in : Undecoded.join(context.alloc(), kept, in);
    }

    /** Takes over the reference. The buffer is in no field meanwhile, so that whoever stops the input finds none. */
    private void decode(ByteBuf in) {
        decoding = true;
        try {
            ProtocolError error = handOver(in);
            if (error != null) {
                violated(error);
            }
        } finally {
            decoding = false;
            keep(in);
        }
    }

    private @Nullable ProtocolError handOver(ByteBuf in) {
        NettyConnection current = connection;
        Connection.Inbound to = inbound();
        if (to == null || current == null) {
            return null;
        }
        NettyLoop here = current.loop(); // a packet may send it to another one
        int begin = in.readerIndex();
        int packets = 0;
        ProtocolError error = null;
        while (state == State.DECODING && !held && !resuming) {
            Packet packet;
            try {
                packet = decoder.decode(in, here.frame());
            } catch (ProtocolError e) {
                error = e;
                current.received(e);
                break;
            }
            if (packet == null) {
                break;
            }
            packets++;
            received = true;
            if (agreed) {
                deadline = 0;
            }
            here.traffic().received(packet.type(), packet);
            disconnected = packet.type() == PacketType.DISCONNECT;
            current.received(packet);
            to.received(packet);
            if (here.isTurnLong() && packets >= here.leastOfTurn() && !held && in.isReadable()) {
                readLater(here);
            }
        }
        if (packets > 0) {
            here.traffic().receivedBytes(in.readerIndex() - begin);
            if (!current.isMoving()) { // else it is not ours to call
                to.readComplete();
            }
        }
        return error;
    }

    /** It has had its share of this turn. */
    private void readLater(NettyLoop here) {
        ChannelHandlerContext context = ctx;
        if (state == State.DECODING && context != null) {
            resuming = true;
            context.channel().config().setAutoRead(false);
            here.readLater(this);
        }
    }

    /** While input is held the error waits, too: the decoder says it again. */
    private void violated(ProtocolError e) {
        if (state != State.DECODING || held) {
            return;
        }
        state = State.STOPPED;
        ChannelHandlerContext context = ctx;
        Connection.Inbound to = inbound();
        if (context != null && to != null) {
            context.channel().config().setAutoRead(false);
            to.violated(e.reason(), e.text());
        }
    }

    private void keep(ByteBuf in) {
        if (state != State.DECODING || !in.isReadable()) {
            in.release();
            return;
        }
        ByteBuf kept = Undecoded.compact(in);
        cumulation = kept;
        if (agreed && !waits()) {
            expectRest(kept.readableBytes());
            if (kept.readableBytes() >= LARGE_BYTES) {
                lookAtMemory();
            }
        }
    }

    /** What comes now counts at once, and its client hears of it on a task of its own: the bytes may be let go of. */
    private void lookAtMemory() {
        NettyConnection current = connection;
        Connection.Inbound to = inbound();
        if (current == null || to == null || current.isMoving()) {
            return;
        }
        MemoryBudget memory = listening.memory();
        memory.review(current.loop().nowMillis());
        if (memory.isExhausted()) {
            current.loop().execute(() -> {
                if (state == State.DECODING && !held && !current.isMoving()) {
                    to.accumulating();
                }
            });
        }
    }

    private void dropCumulation() {
        ByteBuf kept = cumulation;
        cumulation = null;
        if (kept != null) {
            kept.release();
        }
    }

    // -------------------------------------------------------------------------------- what the connection asks for

    /**
     * The socket's, or that of whom a proxy speaks for, once that is known; any thread may ask for the log. Null if it is the
     * socket's and was not asked for often enough to be kept.
     */
    @Nullable
    String peer() {
        return peer;
    }

    Listening listening() {
        return listening;
    }

    private Connection.@Nullable Inbound inbound() {
        NettyConnection current = connection;
        return current == null ? null : current.inbound();
    }

    /** Of the last CONNECT; null before. */
    @Nullable
    ProtocolVersion version() {
        return decoder.version();
    }

    /** Why it ended, as far as the input knows; null if the client said DISCONNECT before. */
    @Nullable
    String cause() {
        return cause == null && !disconnected ? endCause() : cause;
    }

    void cause(String text) {
        if (cause == null) {
            cause = text;
        }
    }

    /** The peer sends no more. */
    boolean isEnded() {
        return inputEnded;
    }

    void agree(Connection.Terms terms) {
        agreed = true;
        deadline = 0;
        disarm();
        if (!proxied) {
            peer = null;
        }
        decoder.maximumPacketSize((int) Math.min(terms.maximumPacketSizeIn(), Integer.MAX_VALUE));
        decoder.topicAliasMaximum(terms.topicAliasMaximumIn());
        decoder.ingress(terms.ingress());
    }

    void hold() {
        ChannelHandlerContext context = ctx;
        if (held || context == null) {
            return;
        }
        held = true;
        chargeBroker();
        if (state == State.DECODING) {
            context.channel().config().setAutoRead(false);
        }
    }

    void release() {
        NettyConnection current = connection;
        if (!held || current == null) {
            return;
        }
        held = false;
        chargeClient();
        if (resuming) {
            return;
        }
        if (cumulation == null && !inputEnded && !broken && !decoding) {
            readOn();
        } else {
            resuming = true;
            current.loop().execute(this::resume);
        }
    }

    /** What was kept is decoded, then more is read. */
    void resume() {
        resuming = false;
        NettyConnection current = connection;
        ChannelHandlerContext context = ctx;
        if (held
                || state != State.DECODING
                || current == null
                || context == null
                || !current.loop().inLoop()) {
            return;
        }
        ByteBuf kept = cumulation;
        if (kept != null) {
            cumulation = null;
            try {
                decode(kept);
            } catch (Throwable e) { // as Netty does with what a read throws
                exceptionCaught(context, e);
                return;
            }
        }
        if (!waits() && state == State.DECODING) {
            if (inputEnded || broken) {
                current.closedByPeer(cause());
            } else {
                readOn();
            }
        }
    }

    private void readOn() {
        ChannelHandlerContext context = ctx;
        if (context != null && state == State.DECODING) {
            context.channel().config().setAutoRead(true);
        }
    }

    /** Nothing more is decoded. */
    void stop() {
        state = State.STOPPED;
        dropCumulation();
    }

    /** Reads what the peer still sends, to nowhere, until it is through too or the time for it is up. */
    void drain() {
        ChannelHandlerContext context = ctx;
        NettyConnection current = connection;
        if (context == null || current == null) {
            return;
        }
        state = State.DRAINING;
        disarm();
        deadline = current.loop().nowMillis() + LINGER_MILLIS;
        arm();
        if (!inputEnded) { // else there is nothing to read, and epoll may have let go of a socket that was reset
            context.channel().config().setAutoRead(true);
        }
    }

    // ------------------------------------------------------------------------------------------------------- time

    /**
     * A packet that is not there whole has a deadline from its first byte on, and a new one whenever it has got on by
     * {@link #LEAST_PROGRESS_BYTES}: a large one on a slow line arrives, one that dribbles does not.
     */
    private void expectRest(int bytes) {
        NettyConnection current = connection;
        if (current != null && (deadline == 0 || bytes - counted >= LEAST_PROGRESS_BYTES)) {
            deadline = current.loop().nowMillis() + listening.limits().connectTimeoutMillis();
            counted = bytes;
            arm();
        }
    }

    /**
     * While a login waits for its hash, say, the time that its client has stands still, for it is not its fault; the broker has as
     * much for itself each time.
     */
    private void chargeBroker() {
        NettyConnection current = connection;
        if (agreed) {
            deadline = 0;
        } else if (state == State.DECODING && current != null) {
            long now = current.loop().nowMillis();
            clientMillis = (int) Math.min(Math.max(deadline - now, 1), Integer.MAX_VALUE);
            deadline = now + listening.limits().connectTimeoutMillis();
        }
    }

    private void chargeClient() {
        NettyConnection current = connection;
        if (!agreed && state == State.DECODING && current != null) {
            deadline = current.loop().nowMillis() + clientMillis;
            disarm(); // it may be earlier than the broker's
            arm();
        }
    }

    /** The timer looks at the deadline when it fires and not before, so that traffic need not touch it. */
    void arm() {
        NettyConnection current = connection;
        if (watchdog != null || deadline == 0 || current == null) {
            return;
        }
        NettyLoop loop = current.loop();
        long delay = Math.max(deadline - loop.nowMillis(), 1);
        watchdog = loop.schedule(this::look, delay);
    }

    void disarm() {
        Loop.Timer timer = watchdog;
        watchdog = null;
        if (timer != null) {
            timer.cancel();
        }
    }

    /** Now, without TLS waiting for its farewell to be taken. */
    private static void closeSocket(ChannelHandlerContext context) {
        Channel.Unsafe socket = context.channel().unsafe();
        socket.close(socket.voidPromise());
    }

    private void look() {
        watchdog = null;
        NettyConnection current = connection;
        ChannelHandlerContext context = ctx;
        if (deadline == 0 || current == null || context == null) {
            return;
        }
        if (current.loop().nowMillis() < deadline) {
            arm();
            return;
        }
        long timeout = listening.limits().connectTimeoutMillis();
        if (state == State.DRAINING) {
            closeSocket(context);
        } else if (agreed) {
            current.cut("timeout: fewer than " + LEAST_PROGRESS_BYTES + " more bytes of a packet within " + timeout
                    + " ms");
        } else if (received) {
            current.cut("timeout: not admitted within " + timeout + " ms");
        } else {
            current.cut("timeout: no CONNECT within " + timeout + " ms");
        }
    }
}
