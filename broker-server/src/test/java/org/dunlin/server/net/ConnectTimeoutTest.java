package org.dunlin.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Ping;
import org.dunlin.server.net.Rig.Client;
import org.dunlin.server.net.Rig.Layer;
import org.dunlin.server.net.Rig.Probe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whose time it is until CONNACK: the client's while it is expected to send, the broker's while it decides. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ConnectTimeoutTest {
    private static Rig rig(long timeoutMillis) throws Exception {
        return new Rig(
                Transport.best(),
                Layer.PLAIN,
                Rig.Setting.of(ChannelMoveTest.limits(timeoutMillis)).maxConnections(10),
                probe -> packet -> probe.connection.holdInput());
    }

    private static void awaitMillis(long since, long millis) {
        Rig.await("the time", () -> System.nanoTime() - since > TimeUnit.MILLISECONDS.toNanos(millis));
    }

    /** The client takes half of its time, then the broker three quarters of its own. */
    @Test
    void timeOfTheBroker_isNotTheClients() throws Exception {
        long timeout = 4000;
        try (Rig rig = rig(timeout);
                Client client = rig.connect()) {
            long began = System.nanoTime();
            Probe probe = rig.probe();
            awaitMillis(began, timeout / 2);
            client.send(Rig.connectBytes());
            Rig.await("CONNECT", () -> probe.packets.size() == 1);
            awaitMillis(began, timeout * 5 / 4);
            assertEquals(0, probe.closed, () -> "cut: " + probe.cause);
            probe.run(() -> {
                probe.agree(((Connect) probe.packets.element()).version());
                probe.connection.send(Ping.RESPONSE);
                probe.connection.releaseInput();
            });
            assertEquals((byte) 0xd0, client.read(2)[0]);
        }
    }

    @Test
    void brokerThatNeverDecides_cutsAllTheSame() throws Exception {
        try (Rig rig = rig(300);
                Client client = rig.connect()) {
            client.send(Rig.connectBytes());
            Probe probe = rig.probe();
            Rig.await("closed", () -> probe.closed == 1);
            assertEquals("timeout: not admitted within 300 ms", probe.cause);
        }
    }

    /** As in an exchange whose next step the client owes: what it had used of its time before stays used. */
    @Test
    void clientThatOwesTheNextStep_hasTheRestOfItsTimeAlone() throws Exception {
        long timeout = 2000;
        try (Rig rig = rig(timeout);
                Client client = rig.connect()) {
            long began = System.nanoTime();
            Probe probe = rig.probe();
            awaitMillis(began, timeout / 2);
            client.send(Rig.connectBytes());
            Rig.await("CONNECT", () -> probe.packets.size() == 1);
            awaitMillis(began, timeout);
            probe.run(probe.connection::releaseInput);
            Rig.await("closed", () -> probe.closed == 1);
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
            assertEquals("timeout: not admitted within 2000 ms", probe.cause);
            assertTrue(millis >= timeout * 5 / 4, () -> "cut after " + millis + " ms");
        }
    }
}
