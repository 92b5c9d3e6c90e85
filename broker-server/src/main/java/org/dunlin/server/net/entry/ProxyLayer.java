package org.dunlin.server.net.entry;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import java.util.Locale;
import org.dunlin.server.net.Layer;
import org.dunlin.server.share.AddressBlock;
import org.jspecify.annotations.Nullable;

/**
 * Any thread makes handlers. Connections begin with a header of the PROXY protocol, which names the client that a trusted
 * proxy speaks for.
 */
public final class ProxyLayer implements Layer {
    private final Demand demand;
    private final List<AddressBlock> trusted;

    /** Which headers are taken. */
    public enum Demand {
        V1,
        V2,
        /** Either version, or none. */
        AUTO
    }

    /** @param trusted where headers may come from */
    public ProxyLayer(Demand demand, List<AddressBlock> trusted) {
        this.demand = demand;
        this.trusted = List.copyOf(trusted);
    }

    @Override
    public List<ChannelHandler> handlers(ByteBufAllocator allocator) {
        return List.of(new Reader(demand, trusted));
    }

    @Override
    public boolean speaksForOthers(InetAddress peer) {
        return trusted.stream().anyMatch(range -> range.contains(peer));
    }

    /** Thread of the channel's loop only. Is there until the header is read; how long that may take is MQTT's matter. */
    private static final class Reader extends ChannelInboundHandlerAdapter {
        private final Demand demand;
        private final List<AddressBlock> trusted;
        private @Nullable ByteBuf kept;
        private boolean deaf;

        Reader(Demand demand, List<AddressBlock> trusted) {
            this.demand = demand;
            this.trusted = trusted;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf in = (ByteBuf) message;
            if (deaf) {
                in.release();
                return;
            }
            ByteBuf before = kept;
            kept = null;
            if (before != null) { // some hundred bytes at most
                in = context.alloc().buffer(before.readableBytes() + in.readableBytes());
                in.writeBytes(before).writeBytes((ByteBuf) message);
                before.release();
                ((ByteBuf) message).release();
            }
            ProxyHeader.Beginning beginning = ProxyHeader.read(in);
            String refusal = refusal(beginning, context.channel().remoteAddress());
            if (refusal != null) {
                deaf = true;
                in.release();
                context.fireUserEventTriggered(new Layer.Violated("PROXY header: " + refusal));
            } else if (beginning instanceof ProxyHeader.Whole header) {
                InetSocketAddress source = header.source();
                if (source != null) {
                    context.channel().attr(Layer.PEER).set(source);
                    context.fireUserEventTriggered(new Layer.Peer(source));
                }
                in.skipBytes(header.bytes());
                leave(context, in);
            } else if (beginning instanceof ProxyHeader.None) {
                leave(context, in);
            } else {
                kept = in;
            }
        }

        private static void leave(ChannelHandlerContext context, ByteBuf rest) {
            context.pipeline().remove(context.handler());
            if (rest.isReadable()) {
                context.fireChannelRead(rest);
            } else {
                rest.release();
            }
        }

        private @Nullable String refusal(ProxyHeader.Beginning beginning, @Nullable SocketAddress from) {
            String word = demand.name().toLowerCase(Locale.ROOT);
            if (demand != Demand.AUTO && !isTrusted(from)) {
                return "the connection is from an address that proxy-trusted does not name, and proxy-protocol is "
                        + word;
            }
            if (beginning instanceof ProxyHeader.Undecided) {
                return null;
            }
            if (beginning instanceof ProxyHeader.None) {
                return demand == Demand.AUTO ? null : "there is none, but proxy-protocol is " + word;
            }
            if (!isTrusted(from)) {
                return "it comes from an address that proxy-trusted does not name";
            }
            int version = beginning instanceof ProxyHeader.Faulty faulty
                    ? faulty.version()
                    : beginning instanceof ProxyHeader.Partial partial
                            ? partial.version()
                            : beginning instanceof ProxyHeader.Whole whole ? whole.version() : 0;
            if (version == (demand == Demand.V1 ? 2 : demand == Demand.V2 ? 1 : -1)) {
                return "it is of version " + version + ", but proxy-protocol is " + word;
            }
            return beginning instanceof ProxyHeader.Faulty faulty ? "it has " + faulty.what() : null;
        }

        private boolean isTrusted(@Nullable SocketAddress from) {
            return from instanceof InetSocketAddress inet
                    && inet.getAddress() != null
                    && trusted.stream().anyMatch(range -> range.contains(inet.getAddress()));
        }

        @Override
        public void handlerRemoved(ChannelHandlerContext context) {
            ByteBuf left = kept;
            kept = null;
            if (left != null) {
                left.release();
            }
        }
    }
}
