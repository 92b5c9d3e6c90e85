package org.dunlin.server.net;

import io.netty.channel.IoHandlerFactory;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.kqueue.KQueue;
import io.netty.channel.kqueue.KQueueIoHandler;
import io.netty.channel.kqueue.KQueueServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.util.ArrayList;
import java.util.List;

/**
 * Any thread. The ways to the operating system's sockets, best first. io_uring is not among them: a channel has to move
 * from one event loop to another, which it has not been shown to do there.
 */
public enum Transport {
    EPOLL("epoll") {
        @Override
        public boolean isAvailable() {
            return Epoll.isAvailable();
        }

        @Override
        public IoHandlerFactory ioHandlers() {
            return EpollIoHandler.newFactory();
        }

        @Override
        public ServerSocketChannel serverChannel() {
            return new EpollServerSocketChannel();
        }
    },

    KQUEUE("kqueue") {
        @Override
        public boolean isAvailable() {
            return KQueue.isAvailable();
        }

        @Override
        public IoHandlerFactory ioHandlers() {
            return KQueueIoHandler.newFactory();
        }

        @Override
        public ServerSocketChannel serverChannel() {
            return new KQueueServerSocketChannel();
        }
    },

    NIO("nio") {
        @Override
        public boolean isAvailable() {
            return true;
        }

        @Override
        public IoHandlerFactory ioHandlers() {
            return NioIoHandler.newFactory();
        }

        @Override
        public ServerSocketChannel serverChannel() {
            return new NioServerSocketChannel();
        }
    };

    private final String label;

    Transport(String label) {
        this.label = label;
    }

    /** Whether its native library, if it needs one, is there and loads on this machine. */
    public abstract boolean isAvailable();

    /** For the loops that its channels live on. */
    public abstract IoHandlerFactory ioHandlers();

    public abstract ServerSocketChannel serverChannel();

    /** The best that is available here. */
    public static Transport best() {
        return available().get(0);
    }

    /** All that are available here, best first; never empty. */
    public static List<Transport> available() {
        List<Transport> found = new ArrayList<>();
        for (Transport transport : values()) {
            if (transport.isAvailable()) {
                found.add(transport);
            }
        }
        return found;
    }

    /** As people say it: "epoll". */
    @Override
    public String toString() {
        return label;
    }
}
