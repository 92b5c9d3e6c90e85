package org.dunlin.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.dunlin.server.net.Rig.Client;
import org.dunlin.server.net.Rig.Layer;
import org.dunlin.server.net.Rig.Probe;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What connections do when the memory budget gets small. */
class MemoryTest {
    private static Rig rig(Layer layer) throws Exception {
        return new Rig(Transport.best(), layer, probe -> packet -> {
            if (packet instanceof Connect connect) {
                probe.agree(connect.version());
            }
        });
    }

    private static void use(Rig rig, long bytes) {
        MemoryBudget.Account account = rig.memory.account(() -> 0);
        account.add(bytes);
    }

    @ParameterizedTest
    @EnumSource(Layer.class)
    void largePacket_whenMemoryIsUsedUp_isToldOfBeforeItIsThere(Layer layer) throws Exception {
        byte[] large = Rig.publishBytes(300_000, 7);
        AtomicInteger told = new AtomicInteger();
        try (Rig rig = rig(layer);
                Client client = rig.connect()) {
            client.send(Rig.connectBytes());
            Rig.await(
                    "CONNECT",
                    () -> !rig.probes.isEmpty() && rig.probe().packets.size() == 1);
            Probe probe = rig.probe();
            probe.run(() -> probe.whenAccumulating = () -> {
                told.incrementAndGet();
                probe.connection.holdInput();
            });
            use(rig, rig.memory.limitBytes());

            client.send(Arrays.copyOf(large, 200_000));
            Rig.await("the news", () -> told.get() > 0);
            assertEquals(1, probe.packets.size());
            use(rig, -rig.memory.limitBytes());
            probe.run(probe.connection::releaseInput);
            client.send(Arrays.copyOfRange(large, 200_000, large.length));

            Rig.await("the packet", () -> probe.packets.size() == 2);
            assertEquals(1, told.get());
        }
    }

    @ParameterizedTest
    @EnumSource(Layer.class)
    void slowReader_whileMemoryIsTight_hasASmallBuffer(Layer layer) throws Exception {
        try (Rig rig = rig(layer);
                Client client = rig.connect()) {
            use(rig, rig.memory.limitBytes() * 9 / 10);

            int written = writtenUntilFull(rig, client);

            assertTrue(written > 60 && written < 70, written + " messages of 1 KB");
        }
    }

    @ParameterizedTest
    @EnumSource(Layer.class)
    void buffersThatGrow_withinOneTask_makeMemoryTightAtOnce(Layer layer) throws Exception {
        try (Rig rig = rig(layer);
                Client client = rig.connect()) {
            rig.buffers = rig.memory.limitBytes() * 9 / 10; // nobody has looked since

            int written = writtenUntilFull(rig, client);

            assertTrue(written < 150, written + " messages of 1 KB");
        }
    }

    /** Messages of 1 KB that are sent to a client within one task. */
    private static int writtenUntilFull(Rig rig, Client client) throws Exception {
        byte[] payload = "x".repeat(1000).getBytes(StandardCharsets.UTF_8);
        Message message = new Message(
                1, "p", TopicName.of("t"), payload, Qos.AT_MOST_ONCE, false, Message.NEVER, Message.NO_BYTES);
        AtomicInteger written = new AtomicInteger(-1);
        client.send(Rig.connectBytes());
        Rig.await("CONNECT", () -> !rig.probes.isEmpty() && rig.probe().packets.size() == 1);
        Probe probe = rig.probe();
        probe.run(() -> {
            int count = 0;
            while (probe.connection.isWritable() && count < 1000) {
                probe.deliver(message);
                count++;
            }
            written.set(count);
        });
        Rig.await("the end of the writing", () -> written.get() >= 0);
        return written.get();
    }
}
