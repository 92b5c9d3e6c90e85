package org.dunlin.server.net.tls;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.netty.channel.embedded.EmbeddedChannel;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.RejectedExecutionException;
import org.dunlin.server.net.Layer;
import org.junit.jupiter.api.Test;

/** Steps are computed when the test says so. */
class HandshakeQueueTest {
    private final Queue<Runnable> threads = new ArrayDeque<>();
    private final HandshakeQueue.Room room = new HandshakeQueue.Room(20);
    private final HandshakeQueue queue = new HandshakeQueue(threads::add, room, 16);
    private final List<String> computed = new ArrayList<>();

    private record Client(String name, EmbeddedChannel channel, HandshakeQueue.Steps steps) {}

    private Client client(HandshakeQueue of, String address) {
        HandshakeQueue.Steps steps = of.steps();
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.attr(Layer.PEER).set(new InetSocketAddress(address, 50_000));
        channel.pipeline().addLast(steps);
        return new Client(address, channel, steps);
    }

    private Client client(String address) {
        return client(queue, address);
    }

    private void begins(Client client) {
        client.steps.execute(() -> computed.add(client.name));
    }

    private void compute() {
        for (Runnable task = threads.poll(); task != null; task = threads.poll()) {
            task.run();
        }
    }

    @Test
    void addressesTakeTurns() {
        for (int i = 0; i < 3; i++) {
            begins(client("10.0.0.1"));
        }
        begins(client("10.0.0.2"));
        begins(client("2001:db8::1"));
        begins(client("2001:db8::2"));
        compute();
        assertEquals(List.of("10.0.0.1", "10.0.0.2", "2001:db8::1", "10.0.0.1", "2001:db8::2", "10.0.0.1"), computed);
    }

    @Test
    void crowdOfOneAddress_leavesRoomForOthers_andOfOneListener_forOtherListeners() {
        for (int i = 0; i < 8; i++) {
            begins(client("10.0.0.1"));
        }
        assertThrows(RejectedExecutionException.class, () -> begins(client("10.0.0.1")));
        for (int i = 0; i < 8; i++) {
            begins(client("10.1.0." + i));
        }
        assertThrows(RejectedExecutionException.class, () -> begins(client("10.2.0.1")));

        HandshakeQueue other = new HandshakeQueue(threads::add, room, 16);
        for (int i = 0; i < 4; i++) {
            begins(client(other, "10.0.0." + i));
        }
        assertThrows(RejectedExecutionException.class, () -> begins(client(other, "10.3.0.1")));
        compute();
        assertEquals(20, computed.size());
        assertDoesNotThrow(() -> begins(client("10.0.0.1")));
    }

    @Test
    void stepOfAClosedChannel_isNotComputed() {
        Client gone = client("10.0.0.1");
        Client there = client("10.0.0.2");
        begins(gone);
        begins(there);
        gone.channel.close();
        compute();
        assertEquals(List.of("10.0.0.2"), computed);
    }
}
