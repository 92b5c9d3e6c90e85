package org.dunlin.server.net;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelPromise;
import java.nio.channels.ClosedChannelException;
import java.security.cert.X509Certificate;
import java.util.concurrent.RejectedExecutionException;
import org.dunlin.core.spi.Connection;
import org.dunlin.core.spi.Loop;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.codec.OutboundTerms;
import org.dunlin.mqtt.codec.PacketEncoder;
import org.dunlin.mqtt.codec.ProtocolError;
import org.dunlin.mqtt.codec.PublishWriter;
import org.dunlin.server.trace.Tap;
import org.dunlin.server.trace.Traces;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Thread of {@link #loop()} only. What is sent to one client and the life of its channel; what comes from it is with
 * {@link MqttChannelHandler}.
 *
 * <p>While it moves, the loop it goes to owns it already, but the channel is still at home with the loop it leaves: what is
 * sent meanwhile only gathers, what is to be closed is closed on arrival, and the handler keeps what it reads.
 */
final class NettyConnection implements Connection {
    private static final Logger log = LoggerFactory.getLogger(NettyConnection.class);
    private static final int TIGHT_BUFFER_BYTES = 64 * 1024;

    /** Neighbours in the list of the loop it lives on. */
    @Nullable
    NettyConnection previous;

    @Nullable
    NettyConnection next;

    private final ChannelHandlerContext ctx;
    private final MqttChannelHandler input;
    private final OutBuffer out;
    private volatile NettyLoop loop;
    private Connection.@Nullable Inbound inbound;
    /** From CONNECT on; its own until they are agreed. */
    private @Nullable OutboundTerms terms;

    /** Bytes added while more than the limit waited already: a peer that never reads must not make us hold ever more. */
    private int sentWhileSlow;
    /** With so many bytes waiting it is time to look at the memory of all buffers. */
    private int looksFromBytes = TIGHT_BUFFER_BYTES;

    /** Whether it may be told reasons in words. */
    private boolean explains = true;

    private boolean agreed;
    private boolean touched;
    private boolean slow;
    private boolean awaiting;
    private boolean moving;
    private boolean closing;
    private boolean lastFlushed;
    private boolean told;
    private boolean saidAll;
    private @Nullable String cutCause;
    private @Nullable String clientId;
    /** Shows what comes and goes to those who trace it; null as a rule. */
    private @Nullable Tap tap;

    NettyConnection(ChannelHandlerContext ctx, NettyLoop loop, MqttChannelHandler input) {
        this.ctx = ctx;
        this.loop = loop;
        this.input = input;
        loop.traffic().opened();
        this.out = new OutBuffer(ctx);
    }

    Connection.@Nullable Inbound inbound() {
        return inbound;
    }

    void inbound(Connection.Inbound to) {
        inbound = to;
        loop.add(this);
        retap();
        Tap.opened(tap, listener());
    }

    /** Who traces may have changed, or what is known of the client. */
    void retap() {
        Traces traces = input.listening().loops().traces();
        tap = traces.count() == 0 ? null : traces.tap(peer(), clientId);
    }

    /** A packet has come. */
    void received(Packet packet) {
        if (packet instanceof Connect connect && !agreed) {
            // for a refusal, too [MQTT-3.1.2-24] [MQTT-3.2.2-19]
            terms = OutboundTerms.of(connect.version(), connect.maximumPacketSize(), 0);
            clientId = connect.clientId();
            retap();
        }
        Tap.received(tap, packet);
    }

    /** What has come is no packet. */
    void received(ProtocolError error) {
        Tap.malformed(tap, error.reason(), error.text());
    }

    @Override
    public NettyLoop loop() {
        return loop;
    }

    @Override
    public String peer() {
        String told = input.peer();
        return told == null ? Listening.text(ctx.channel().remoteAddress()) : told;
    }

    @Override
    public String listener() {
        return input.listening().listener().name();
    }

    @Override
    public @Nullable X509Certificate certificate() {
        assert loop.inLoop();
        return ClientCertificate.of(ctx.pipeline());
    }

    @Override
    public @Nullable ProtocolVersion version() {
        return input.version();
    }

    @Override
    public void agree(Terms to) {
        assert loop.inLoop();
        explains = to.problemInformation();
        agreed = true;
        terms = OutboundTerms.of(to.version(), to.maximumPacketSizeOut(), to.topicAliasMaximumOut());
        input.agree(to);
    }

    @Override
    public boolean send(Packet packet) {
        assert loop.inLoop();
        if (closing) {
            return true;
        }
        if (packet instanceof ConnAck ack && ack.properties().assignedClientId() != null) {
            clientId = ack.properties().assignedClientId();
            retap();
        }
        ByteBuf buffer = out.buffer();
        int before = buffer.writerIndex();
        boolean fits = encoder().encode(packet, buffer);
        written(packet.type(), buffer.writerIndex() - before);
        Tap.sent(fits ? tap : null, packet);
        return fits;
    }

    @Override
    public void sendAck(PacketType type, int packetId, ReasonCode reason) {
        assert loop.inLoop();
        if (closing) {
            return;
        }
        ByteBuf buffer = out.buffer();
        int before = buffer.writerIndex();
        encoder().ack(type, packetId, reason, buffer);
        written(type, buffer.writerIndex() - before);
        Tap.sent(tap, type, packetId, reason);
    }

    /** That of the loop, told of this peer. */
    private PacketEncoder encoder() {
        OutboundTerms to = terms;
        if (to == null) { // what should have been CONNECT is none
            ProtocolVersion spoken = input.version();
            to = OutboundTerms.of(spoken == null ? ProtocolVersion.MQTT_5 : spoken, Long.MAX_VALUE, 0);
        }
        return loop.encoder(to, explains);
    }

    @Override
    public boolean deliver(Message message, Qos qos, boolean retain, boolean dup, int packetId, int[] subscriptionIds) {
        NettyLoop here = loop;
        assert here.inLoop();
        OutboundTerms to = terms;
        if (to == null || !agreed) {
            throw new IllegalStateException("a PUBLISH before the terms are agreed");
        }
        if (closing) {
            return true;
        }
        ByteBuf buffer = out.buffer();
        int before = buffer.writerIndex();
        long now = message.hasExpiry() ? here.nowMillis() : 0;
        PublishWriter.Result result =
                here.publishWriter().write(buffer, to, message, qos, retain, dup, packetId, subscriptionIds, now);
        int bytes = buffer.writerIndex() - before;
        if (result == PublishWriter.Result.HEADER_WRITTEN) {
            bytes += message.payload().length;
            append(message.payload(), here);
        }
        here.traffic().delivered(qos, message.payload().length, bytes);
        written(PacketType.PUBLISH, bytes);
        boolean fits = result != PublishWriter.Result.TOO_LARGE;
        Tap.sent(fits ? tap : null, message, qos, retain, dup, packetId, subscriptionIds);
        return fits;
    }

    /** A payload too large to copy for each receiver: all of them write from one buffer. */
    private void append(byte[] payload, NettyLoop here) {
        if (moving) {
            out.buffer().writeBytes(payload);
        } else {
            out.append(here.shared(payload));
        }
    }

    private void written(PacketType type, int bytes) {
        loop.traffic().sent(type, bytes);
        touch();
        long pending = out.pendingBytes();
        if (pending > looksFromBytes) {
            looksFromBytes = (int) Math.min(2 * pending, Integer.MAX_VALUE);
            input.listening().memory().review(loop.nowMillis());
        }
        int limit = input.listening().limits().outboundBufferBytes();
        if (pending <= limit) {
            return;
        }
        slow = true;
        if (pending - bytes > limit) {
            sentWhileSlow += bytes;
            if (sentWhileSlow > limit) {
                cut("the client does not read: " + pending + " bytes wait for it");
            }
        }
    }

    private void touch() {
        if (!touched && !moving) {
            touched = true;
            loop.touch(this);
        }
    }

    @Override
    public boolean fits(Message message, Qos qos, int[] subscriptionIds) {
        OutboundTerms to = terms;
        return to == null || !agreed || PublishWriter.fits(to, message, qos, subscriptionIds);
    }

    @Override
    public boolean isWritable() {
        assert loop.inLoop();
        boolean full = out.pendingBytes() > bufferBytes();
        slow |= full;
        return !full && !closing;
    }

    /** Less while memory is tight: what a peer does not take is better kept in its queue. */
    private int bufferBytes() {
        Listening listening = input.listening();
        int most = listening.limits().outboundBufferBytes();
        return listening.memory().isTight() ? Math.min(most, TIGHT_BUFFER_BYTES) : most;
    }

    /** More of what was sent has been taken. A write begun before a move may tell of it on the loop that was left. */
    void drained() {
        NettyLoop here = loop;
        if (!here.inLoop()) {
            here.execute(this::drained);
            return;
        }
        looksFromBytes = TIGHT_BUFFER_BYTES;
        if (slow && !closing && !moving && out.pendingBytes() <= bufferBytes() / 2) {
            slow = false;
            sentWhileSlow = 0;
            Connection.Inbound to = inbound;
            if (to != null) {
                guarded(to::writable);
            }
        }
    }

    /** For what Netty calls us back on, where it would log a failure at most and leave the client half served. */
    private void guarded(Runnable step) {
        try {
            step.run();
        } catch (Throwable e) {
            failed(e);
        }
    }

    private void failed(Throwable failure) {
        loop.failures().report("Serving " + peer() + " failed", failure);
        if (told) {
            ctx.close();
        } else {
            cut(Failures.OUR_FAULT);
        }
    }

    /** At the end of a turn of that loop, which may be one that it has left since. */
    void flush(NettyLoop ending) {
        if (loop != ending || moving) {
            return;
        }
        touched = false;
        try {
            flushNow();
            if (closing && !lastFlushed && cutCause == null) {
                lastFlushed = true;
                tell(null);
                sayFarewell();
            }
        } catch (Throwable e) {
            failed(e);
        }
    }

    /** Gathers on while the peer has not taken what it was written before: one buffer instead of many small ones. */
    private void flushNow() {
        if (awaiting && !closing) {
            return;
        }
        if (told) {
            out.release();
            return;
        }
        if (!out.flush()) {
            return;
        }
        if (out.writtenBytes() > 0) {
            awaiting = true;
            Farewell.markTaken(ctx.channel()).addListener(done -> guarded(this::taken));
        } else {
            drained();
        }
    }

    private void taken() {
        NettyLoop here = loop;
        if (!here.inLoop()) {
            here.execute(this::taken);
            return;
        }
        awaiting = false;
        if (!out.isEmpty()) {
            touch();
        }
        drained();
    }

    @Override
    public void holdInput() {
        assert loop.inLoop();
        input.hold();
    }

    @Override
    public void releaseInput() {
        assert loop.inLoop();
        if (!moving) {
            input.release();
        }
    }

    @Override
    public void moveTo(Loop to, Runnable arrived) {
        NettyLoop source = loop;
        assert source.inLoop() && !moving;
        if (closing) {
            return;
        }
        input.hold();
        NettyLoop target = (NettyLoop) to;
        if (target == source) {
            source.execute(() -> guarded(() -> arrive(null, arrived)));
            return;
        }
        flushNow();
        if (closing) {
            return;
        }
        touched = false;
        moving = true;
        input.disarm();
        source.remove(this);
        Channel channel = ctx.channel();
        loop = target;
        channel.deregister().addListener(left -> register(channel, target, arrived));
    }

    /** On the loop that was left. */
    private void register(Channel channel, NettyLoop target, Runnable arrived) {
        ChannelPromise registered = new DefaultChannelPromise(channel, target.eventLoop());
        registered.addListener(done -> guarded(() -> arrive(done.cause(), arrived)));
        target.eventLoop().register(registered);
    }

    private void arrive(@Nullable Throwable failure, Runnable arrived) {
        assert loop.inLoop();
        boolean moved = moving;
        moving = false;
        if (failure != null) {
            lost(failure);
            return;
        }
        if (told || (closing && !moved)) {
            return;
        }
        if (moved) {
            loop.add(this);
            retap();
        }
        String cut = cutCause;
        if (cut != null) {
            endNow(cut);
            return;
        }
        if (closing) {
            input.stop();
            touch();
            return;
        }
        input.arm();
        // What did not fit before the move has nobody waiting for it: the interest in writing stayed behind.
        ctx.flush();
        if (!out.isEmpty()) {
            touch();
        }
        guarded(arrived);
        drained();
    }

    /** It has closed on the way, or the system did not let the new loop watch it. Netty tells its handlers of neither. */
    private void lost(Throwable failure) {
        if (!(failure instanceof ClosedChannelException)) {
            log.warn("{} cannot be served by the event loop that it belongs to: {}", peer(), failure.toString());
            input.cause("the event loop that it belongs to did not take it");
        }
        Channel channel = ctx.channel();
        if (channel.isOpen()) {
            channel.unsafe().closeForcibly();
        }
        input.stop();
        ended();
        if (!ctx.isRemoved()) {
            ctx.pipeline().fireChannelInactive().fireChannelUnregistered();
        }
    }

    @Override
    public void close() {
        assert loop.inLoop();
        if (closing) {
            return;
        }
        closing = true;
        if (!moving) {
            input.stop();
            touch();
        }
    }

    /** Ends it without waiting for anything; {@link Connection.Inbound#closed} follows on a later task. */
    void cut(String cause) {
        assert loop.inLoop();
        if (told || cutCause != null) {
            return;
        }
        closing = true;
        cutCause = cause;
        if (!moving) {
            loop.execute(() -> endNow(cause));
        }
    }

    private void endNow(String cause) {
        input.cause(cause);
        input.stop();
        lastFlushed = true;
        out.release();
        tell(cause);
        ctx.close();
    }

    /** The peer has said its last word: what it is still owed is written, then both are through. */
    void closedByPeer(@Nullable String cause) {
        if (closing) {
            return;
        }
        closing = true;
        lastFlushed = true;
        input.stop();
        flushNow();
        tell(cause);
        sayFarewell();
    }

    private void sayFarewell() {
        Farewell.say(ctx, input, () -> saidAll = true);
    }

    /** The peer sends no more while we wait for that. */
    void drainedToTheEnd() {
        if (saidAll) { // else it may still have something to read
            ctx.channel().close();
        }
    }

    /** The channel has ended; may come more than once, and on the way on the loop that is left. */
    void gone() {
        NettyLoop here = loop;
        if (here.inLoop()) {
            ended();
            return;
        }
        try {
            here.execute(this::ended);
        } catch (RejectedExecutionException e) {
            log.debug("{} ended after its event loop", peer());
        }
    }

    private void ended() {
        if (moving) {
            // The outcome of the move, which is on its way to this loop, tells of it.
            return;
        }
        closing = true;
        lastFlushed = true;
        loop.remove(this);
        out.release();
        tell(cutCause != null ? cutCause : input.cause());
    }

    private void tell(@Nullable String cause) {
        Connection.Inbound to = inbound;
        if (!told && to != null) {
            told = true;
            Tap.closed(tap, cause);
            try {
                to.closed(cause);
            } catch (Throwable e) { // the socket and its buffers go all the same
                loop.failures().report("Ending " + peer() + " failed", e);
            }
        }
    }

    boolean isMoving() {
        return moving;
    }
}
