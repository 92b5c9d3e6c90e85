package org.dunlin.server.net.entry;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.dunlin.server.net.Layer;
import org.jspecify.annotations.Nullable;

/**
 * Any thread makes handlers. Clients of several kinds on one port: the first byte tells them apart, and again the first
 * byte inside of TLS.
 */
public final class AutoLayer implements Layer {
    private static final int MQTT_CONNECT = 0x10;
    private static final int TLS_HANDSHAKE = 0x16;
    private static final int GET = 'G';
    /** A header of the PROXY protocol, version 1 or 2. */
    private static final Set<Integer> PROXY = Set.of((int) 'P', 13);

    private final Set<Kind> accepted;
    private final @Nullable Layer tls;
    private final @Nullable Layer webSocket;

    /** What a client speaks. */
    public enum Kind {
        TCP,
        TLS,
        WS,
        WSS;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * @param tls null if no kind that has it is accepted
     * @param webSocket null if no kind that has it is accepted
     */
    public AutoLayer(Set<Kind> accepted, @Nullable Layer tls, @Nullable Layer webSocket) {
        this.accepted = Set.copyOf(accepted);
        this.tls = tls;
        this.webSocket = webSocket;
    }

    @Override
    public List<ChannelHandler> handlers(ByteBufAllocator allocator) {
        return List.of(new Recognition(false));
    }

    @Override
    public void close() {
        if (tls != null) {
            tls.close();
        }
    }

    /** Thread of the channel's loop only. Is there until the first byte, and then in whose place what it tells of is. */
    private final class Recognition extends ChannelInboundHandlerAdapter {
        private final boolean insideTls;
        private boolean deaf;

        Recognition(boolean insideTls) {
            this.insideTls = insideTls;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf in = (ByteBuf) message;
            if (deaf || !in.isReadable()) {
                in.release();
                return;
            }
            int first = in.getUnsignedByte(in.readerIndex());
            String refusal = refusal(first);
            if (refusal != null) {
                deaf = true;
                in.release();
                context.fireUserEventTriggered(new Layer.Violated(refusal));
                return;
            }
            ChannelPipeline pipeline = context.pipeline();
            String last = context.name();
            for (ChannelHandler next : next(first, context.alloc())) {
                pipeline.addAfter(last, null, next);
                last = pipeline.context(next).name();
            }
            pipeline.remove(this);
            context.fireChannelRead(in);
        }

        private @Nullable String refusal(int first) {
            Set<Kind> asked = kinds(first);
            if (asked.isEmpty()) {
                return (insideTls ? "inside TLS " : "") + "the client speaks neither MQTT"
                        + (insideTls ? " nor WebSocket" : ", TLS nor WebSocket")
                        + (PROXY.contains(first) && !insideTls
                                ? "; if it is a PROXY header, see proxy-protocol and proxy-trusted"
                                : "");
            }
            for (Kind kind : asked) {
                if (accepted.contains(kind)) {
                    return null;
                }
            }
            return "the client speaks " + asked.iterator().next() + ", which accept does not name";
        }

        private Set<Kind> kinds(int first) {
            return switch (first) {
                case MQTT_CONNECT -> EnumSet.of(insideTls ? Kind.TLS : Kind.TCP);
                case GET -> EnumSet.of(insideTls ? Kind.WSS : Kind.WS);
                case TLS_HANDSHAKE -> insideTls ? EnumSet.noneOf(Kind.class) : EnumSet.of(Kind.TLS, Kind.WSS);
                default -> EnumSet.noneOf(Kind.class);
            };
        }

        private List<ChannelHandler> next(int first, ByteBufAllocator allocator) {
            Layer layer = first == TLS_HANDSHAKE ? tls : first == GET ? webSocket : null;
            if (layer == null) {
                return List.of();
            }
            List<ChannelHandler> handlers = new ArrayList<>(layer.handlers(allocator));
            if (first == TLS_HANDSHAKE) {
                handlers.add(new Recognition(true));
            }
            return handlers;
        }
    }
}
