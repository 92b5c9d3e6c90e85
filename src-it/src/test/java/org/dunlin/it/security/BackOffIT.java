package org.dunlin.it.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.dunlin.it.Broker;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Two clients that fight for one client identifier, where each takeover after the first few has to wait. */
@Broker(settings = "limits.takeover-policy=back-off")
class BackOffIT {
    /** Takeovers that are nothing out of the ordinary yet. */
    private static final int FREE = 5;

    private static final long FIRST_WAIT_MILLIS = 250;
    /** From then on the broker begins to forget takeovers. */
    private static final long FORGOTTEN_MILLIS = 12_000;

    private static Connect connect(ProtocolVersion version, String id) {
        return Connect.builder(version, id)
                .cleanStart(true)
                .keepAliveSeconds(60)
                .build();
    }

    private static long millisSince(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanos);
    }

    /** It is sent away: v5 is told why. */
    private static void expectTakenOver(MqttSocket former, ProtocolVersion version) {
        if (version.isV5()) {
            former.expectDisconnect(ReasonCode.SESSION_TAKEN_OVER);
        } else {
            former.expectClosed();
        }
    }

    @ParameterizedTest
    @CsvSource({"MQTT_5, MQTT_5", "MQTT_3_1_1, MQTT_3_1_1", "MQTT_5, MQTT_3_1_1"})
    void newcomersWaitLongerAndLonger_andWhoIsThereIsServedMeanwhile(
            ProtocolVersion one, ProtocolVersion other, RunningBroker broker) {
        String id = "fight-" + one + "-" + other;
        MqttSocket there = broker.socket();
        ProtocolVersion spoken = one;
        there.connect(connect(spoken, id));
        long began = System.nanoTime();
        for (int i = 1; i <= FREE + 3; i++) {
            MqttSocket next = broker.socket();
            ProtocolVersion speaks = i % 2 == 0 ? one : other;
            long asked = System.nanoTime();
            next.speak(speaks).send(connect(speaks, id));
            if (i == FREE + 3) { // a second is enough for that on any machine
                there.send(Ping.REQUEST);
                there.receive(Ping.class);
                there.publish("fight/" + id, "served", Qos.AT_LEAST_ONCE);
            }
            assertEquals(ReasonCode.SUCCESS, next.receive(ConnAck.class).reason());
            long waited = millisSince(asked);
            long least = i <= FREE ? 0 : FIRST_WAIT_MILLIS << i - FREE - 1;
            assertTrue(
                    waited >= least || millisSince(began) >= FORGOTTEN_MILLIS,
                    "takeover " + i + " came after " + waited + " ms, not " + least);
            expectTakenOver(there, spoken);
            there.close();
            there = next;
            spoken = speaks;
        }
        there.publish("fight/" + id, "the last is in", Qos.AT_LEAST_ONCE);
        there.close();
    }
}
