package org.dunlin.it.figures;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler.ClientHandshakeStateEvent;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.codec.PacketDecoder;
import org.dunlin.mqtt.codec.PacketDecoder.Role;
import org.dunlin.mqtt.codec.PacketEncoder;
import org.jspecify.annotations.Nullable;

/** One connection of a client. It acknowledges what it is sent. Thread of its event loop only. */
final class Peer extends ChannelInboundHandlerAdapter {
    /** Who is told what comes; on the thread of the event loop. */
    interface Owner {
        /** CONNECT has been sent. */
        default void opened(Peer peer) {}

        void connected(Peer peer, ConnAck answer);

        default void subscribed(Peer peer, SubAck answer) {}

        default void received(Peer peer, Publish publish) {}

        default void acknowledged(Peer peer, int packetId) {}

        default void ponged(Peer peer) {}

        /** All that was read has been told. */
        default void readComplete(Peer peer) {}

        /** The connection has ended, or never began. */
        void closed(Peer peer, @Nullable Throwable cause);
    }

    private final int number;
    private final Door door;
    private final Connect connect;
    private final Owner owner;
    private final PacketDecoder decoder;
    private final PacketEncoder encoder;
    private @Nullable ChannelHandlerContext context;
    private @Nullable ByteBuf unread;
    private @Nullable ByteBuf answers;
    private @Nullable Throwable failure;
    private boolean opened;
    private boolean closed;

    /** @param number by which its owner knows it */
    Peer(int number, Door door, Connect connect, Owner owner) {
        this.number = number;
        this.door = door;
        this.connect = connect;
        this.owner = owner;
        this.decoder = new PacketDecoder(Role.CLIENT).version(connect.version());
        this.encoder = new PacketEncoder(Role.CLIENT).version(connect.version());
    }

    int number() {
        return number;
    }

    private ChannelHandlerContext context() {
        ChannelHandlerContext own = context;
        if (own == null) {
            throw new IllegalStateException("not connected");
        }
        return own;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
    }

    @Override
    public void channelActive(ChannelHandlerContext active) {
        if (!door.greets()) {
            open();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext told, Object event) {
        boolean shaken = event instanceof SslHandshakeCompletionEvent shake && shake.isSuccess() && !door.webSocket();
        if (event instanceof SslHandshakeCompletionEvent shake && !shake.isSuccess()) {
            failure = shake.cause();
        } else if (shaken || event == ClientHandshakeStateEvent.HANDSHAKE_COMPLETE) {
            open();
        }
    }

    private void open() {
        if (!opened) {
            opened = true;
            send(connect);
            owner.opened(this);
        }
    }

    /** Whether CONNECT has been sent. */
    boolean hasOpened() {
        return opened;
    }

    void send(Packet... packets) {
        ByteBuf out = context().alloc().buffer();
        for (Packet packet : packets) {
            encoder.encode(packet, out);
        }
        write(out);
    }

    ByteBuf buffer(int bytes) {
        return context().alloc().directBuffer(bytes);
    }

    /** Sends bytes, which leave with {@link #flush}. */
    void put(ByteBuf bytes) {
        context().write(bytes);
    }

    void flush() {
        context().flush();
    }

    private void write(ByteBuf bytes) {
        context().writeAndFlush(bytes);
    }

    /** Closes it as it is. */
    void close() {
        context().close();
    }

    /** Ends it as a broken network would: by a reset. */
    void cut() {
        Channel channel = context().channel();
        channel.config().setOption(ChannelOption.SO_LINGER, 0);
        channel.close();
    }

    @Override
    public void channelRead(ChannelHandlerContext own, Object message) {
        ByteBuf before = unread;
        ByteBuf all = (ByteBuf) message;
        if (before != null) {
            all = ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(own.alloc(), before, all);
        }
        unread = null;
        for (Packet packet = decoder.decode(all); packet != null; packet = decoder.decode(all)) {
            take(packet);
        }
        if (all.isReadable()) {
            unread = all;
        } else {
            all.release();
        }
    }

    private void take(Packet packet) {
        if (packet instanceof Publish publish) {
            if (publish.message().qos() == Qos.AT_LEAST_ONCE) {
                acknowledge(publish.packetId());
            }
            owner.received(this, publish);
        } else if (packet instanceof Ack ack) {
            owner.acknowledged(this, ack.packetId());
        } else if (packet instanceof ConnAck connAck) {
            owner.connected(this, connAck);
        } else if (packet instanceof SubAck subAck) {
            owner.subscribed(this, subAck);
        } else if (packet instanceof Ping) {
            owner.ponged(this);
        } else {
            failure = new IllegalStateException("the broker sends " + packet);
        }
    }

    private void acknowledge(int packetId) {
        ByteBuf out = answers;
        if (out == null) {
            out = context().alloc().buffer();
            answers = out;
        }
        encoder.ack(PacketType.PUBACK, packetId, ReasonCode.SUCCESS, out);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext own) {
        ByteBuf out = answers;
        answers = null;
        if (out != null) {
            write(out);
        }
        owner.readComplete(this);
    }

    @Override
    public void channelInactive(ChannelHandlerContext own) {
        end(null);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext own, Throwable cause) {
        failure = cause;
        own.close();
    }

    /** The connection could not be made. */
    void unreachable(Throwable cause) {
        end(cause);
    }

    private void end(@Nullable Throwable cause) {
        if (closed) {
            return;
        }
        closed = true;
        ByteBuf rest = unread;
        unread = null;
        if (rest != null) {
            rest.release();
        }
        owner.closed(this, failure != null ? failure : cause);
    }
}
