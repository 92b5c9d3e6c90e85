package org.dunlin.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.dunlin.server.net.Rig.Client;
import org.dunlin.server.net.Rig.Layer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a loop does in one turn is bounded, whatever one client asks of it. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class TurnTest {
    private static final int SHOUTED = 50_000;

    static Stream<Arguments> transportsAndLayers() {
        return Transport.available().stream()
                .flatMap(transport ->
                        Stream.of(Layer.PLAIN, Layer.TLS_WEBSOCKET).map(layer -> Arguments.of(transport, layer)));
    }

    /** Each packet takes the loop a millisecond, and as many are there as take it most of a minute. */
    @ParameterizedTest
    @MethodSource("transportsAndLayers")
    void clientThatShouts_letsOthersOfItsLoopHaveTheirTurn_andIsHeardInOrder(Transport transport, Layer layer)
            throws Exception {
        AtomicBoolean slow = new AtomicBoolean(true);
        AtomicInteger heard = new AtomicInteger();
        AtomicInteger misordered = new AtomicInteger();
        try (Rig rig = new Rig(transport, layer, probe -> packet -> {
            if (packet instanceof Publish publish && publish.message().payload().length == Integer.BYTES) {
                if (ByteBuffer.wrap(publish.message().payload()).getInt() != heard.getAndIncrement()) {
                    misordered.incrementAndGet();
                }
                long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(1);
                while (slow.get() && System.nanoTime() < until) {
                    Thread.onSpinWait();
                }
            } else {
                Rig.echo(probe).accept(packet);
            }
        })) {
            List<Client> clients = List.of(rig.connect(), rig.connect(), rig.connect());
            for (Client client : clients) {
                client.send(Rig.connectBytes());
            }
            Rig.await("all probes", () -> rig.probes.size() == clients.size());
            FutureTask<Void> shouting = new FutureTask<>(() -> shout(clients.get(0)), null);
            new Thread(shouting).start();
            Rig.await("the first", () -> heard.get() > 0);
            byte[] word = Rig.publishBytes(100, 1);
            for (Client quiet : clients.subList(1, clients.size())) { // at least one of them has the same loop
                quiet.send(word);
                assertEquals(word.length, quiet.read(word.length).length);
            }
            assertTrue(heard.get() < SHOUTED, "all was heard before: nobody had to wait");
            slow.set(false);
            shouting.get();
            Rig.await("all that was shouted", () -> heard.get() == SHOUTED);
            assertEquals(0, misordered.get());
            for (Client client : clients) {
                client.close();
            }
            Rig.await("the ends", () -> rig.probes.stream().allMatch(probe -> probe.closed == 1));
        }
    }

    private static void shout(Client client) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int i = 0; i < SHOUTED; i++) {
            Message message = new Message(
                    0,
                    "",
                    TopicName.of("t"),
                    ByteBuffer.allocate(Integer.BYTES).putInt(i).array(),
                    Qos.AT_MOST_ONCE,
                    false,
                    Message.NEVER,
                    Message.NO_BYTES);
            all.writeBytes(Rig.bytes(new Publish(message, 0, false)));
        }
        try {
            client.send(all.toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
