package org.dunlin.server.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import org.dunlin.mqtt.Auth;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.dunlin.server.share.AddressBlock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The test's thread only. Who is traced, what is shown of packets, and what is not. */
class TraceTest {
    private static final String PEER = "10.1.2.3:4000";

    private int changes;
    private final Traces traces = new Traces(() -> changes++);

    private Trace start(Target target) {
        Trace trace = traces.start(target, Trace.Payload.HEAD, true);
        assertNotNull(trace);
        return trace;
    }

    private static Message message(String topic, String payload) {
        return new Message(
                1,
                "writer",
                TopicName.of(topic),
                payload.getBytes(StandardCharsets.UTF_8),
                Qos.AT_LEAST_ONCE,
                false,
                Message.NEVER,
                Message.NO_BYTES);
    }

    private static TracedPacket next(Trace trace) {
        TracedPacket packet = trace.peek();
        assertNotNull(packet);
        trace.remove();
        return packet;
    }

    // ---- who

    @Test
    void nobodyTraces_thereIsNoTap() {
        assertNull(traces.tap(PEER, "c"));
        Trace trace = start(new Target.Client("c"));
        assertNotNull(traces.tap(PEER, "c"));
        assertNull(traces.tap(PEER, "d"));
        assertNull(traces.tap(PEER, null));
        traces.end(trace);
        assertNull(traces.tap(PEER, "c"));
        assertEquals(2, changes);
    }

    @Test
    void address_isKnownBeforeTheClientIs() {
        AddressBlock block = AddressBlock.parse("10.1.0.0/16");
        assertNotNull(block);
        Trace trace = start(new Target.Address(block));
        assertNull(traces.tap("10.2.0.1:1", null));
        Tap.opened(traces.tap(PEER, null), "tcp");
        assertEquals("opened", next(trace).packet());
    }

    @Test
    void topic_showsPublishOfEverybody_andNothingElse() {
        Trace trace = start(new Target.Topic(TopicFilter.of("a/+")));
        Tap tap = traces.tap(PEER, "c");
        assertNotNull(tap);
        Tap.received(tap, Ping.REQUEST);
        Tap.received(tap, new Publish(message("b", "no"), 1, false));
        Tap.sent(tap, message("a/b", "yes"), Qos.AT_MOST_ONCE, false, false, 0, new int[] {7});
        Tap.closed(tap, "reset");

        TracedPacket only = next(trace);
        assertEquals("out", only.direction());
        assertEquals(List.of("qos 0"), only.flags());
        assertEquals(List.of("Subscription Identifier: 7"), only.details());
        assertNull(only.packetId());
        assertNull(trace.peek());
    }

    @Test
    void traces_areFew() {
        List<Trace> all = IntStream.range(0, Traces.MOST)
                .mapToObj(i -> start(new Target.Client("c" + i)))
                .toList();
        assertNull(traces.start(new Target.Client("more"), Trace.Payload.NONE, true));
        traces.end(all.get(3));
        start(new Target.Client("more"));
    }

    // ---- bounds

    @Test
    void readerThatTakesNothing_isToldHowManyItMisses() {
        Trace trace = start(new Target.Client("c"));
        Tap tap = traces.tap(PEER, "c");
        for (int i = 0; i < Trace.PACKETS_MOST + 12; i++) {
            Tap.received(tap, Ping.REQUEST);
        }
        assertEquals(12, trace.leftOut());
        assertEquals(Trace.PACKETS_MOST, trace.waiting());
        assertEquals(0, next(trace).leftOut());
        Tap.received(tap, Ping.REQUEST);
        for (int i = 1; i < Trace.PACKETS_MOST; i++) {
            assertEquals(0, next(trace).leftOut());
        }
        assertEquals(12, next(trace).leftOut());
        assertEquals(0, trace.leftOut());
    }

    @Test
    void largePackets_areBoundedByTheirBytes() {
        Trace trace = traces.start(new Target.Client("c"), Trace.Payload.FULL, true);
        assertNotNull(trace);
        Tap tap = traces.tap(PEER, "c");
        Publish large = new Publish(message("t", "x".repeat(1_000_000)), 1, false);
        for (int i = 0; i < 200; i++) {
            Tap.received(tap, large);
        }
        assertTrue(trace.leftOut() > 0);
        assertTrue((long) trace.waiting() * 2 * (64 << 10) <= Trace.BYTES_MOST + 2 * (65 << 10));
        assertEquals(64 << 10, String.valueOf(next(trace).payload()).length());
    }

    @Test
    void longLists_areCut() {
        List<Subscribe.Entry> entries = IntStream.range(0, 1000)
                .mapToObj(i -> new Subscribe.Entry("f/" + i + "x".repeat(5000), Qos.AT_MOST_ONCE))
                .toList();
        TracedPacket packet = shown(new Subscribe(5, 0, entries, List.of()));
        assertTrue(packet.details().contains("and 950 more"));
        assertTrue(packet.weight() < 100_000);
    }

    // ---- what

    private TracedPacket shown(Packet packet) {
        Trace trace = start(new Target.Client("c"));
        Tap.received(traces.tap(PEER, "c"), packet);
        traces.end(trace);
        return next(trace);
    }

    private static Connect connect(@Nullable String user) {
        return Connect.builder(ProtocolVersion.MQTT_5, "c")
                .userName(user)
                .password("hunter2".getBytes(StandardCharsets.UTF_8))
                .authentication("X", "proof".getBytes(StandardCharsets.UTF_8))
                .build();
    }

    @Test
    void secrets_areNotShown() {
        for (String user : List.of("a.b.c", "x".repeat(65), "eyJh.eyJz.sig-_")) {
            TracedPacket packet = shown(connect(user));
            assertFalse(
                    packet.toString().contains("hunter2") || packet.toString().contains("proof"));
            assertTrue(packet.details().contains("User Name: (not shown)"), packet::toString);
        }
        assertTrue(shown(connect("anna")).details().contains("User Name: anna"));
        TracedPacket auth =
                shown(new Auth(ReasonCode.CONTINUE_AUTHENTICATION, "X", "proof".getBytes(StandardCharsets.UTF_8)));
        assertEquals(List.of("Authentication Method: X", "Authentication Data: (not shown)"), auth.details());
        assertFalse(shown(new ConnAck(false, ReasonCode.SUCCESS)).toString().contains("Authentication"));
    }

    @Test
    void userNames_thatAreTokensHere_areNotShown() {
        Trace trace = traces.start(new Target.Client("c"), Trace.Payload.HEAD, false);
        assertNotNull(trace);
        Tap.received(traces.tap(PEER, "c"), connect("anna"));
        assertTrue(next(trace).details().contains("User Name: (not shown)"));
    }

    @Test
    void payload_isText_upToAWholeCharacter_orHexadecimal() {
        assertEquals("aä", PayloadText.text("aä".getBytes(StandardCharsets.UTF_8), 64));
        assertEquals("a", PayloadText.text("aä".getBytes(StandardCharsets.UTF_8), 2));
        assertNull(PayloadText.text(new byte[] {'a', (byte) 0xC3}, 64));
        assertNull(PayloadText.text(new byte[] {'a', 0x1B}, 64));
        assertEquals("611b", PayloadText.hex(new byte[] {'a', 0x1B, 0x00}, 2));
    }

    @Test
    void propertiesOfMessages_areNamed() {
        byte[] wire = {
            0x01,
            1,
            0x03,
            0,
            4,
            't',
            'e',
            'x',
            't',
            0x08,
            0,
            1,
            'r',
            0x09,
            0,
            2,
            1,
            (byte) 0xFF,
            0x26,
            0,
            1,
            'k',
            0,
            1,
            'v'
        };
        Message with =
                new Message(1, "w", TopicName.of("t"), Message.NO_BYTES, Qos.AT_MOST_ONCE, true, Message.NEVER, wire);
        assertEquals(
                List.of(
                        "Payload Format Indicator: 1",
                        "Content Type: text",
                        "Response Topic: r",
                        "Correlation Data: 01ff",
                        "User Property: k=v"),
                shown(new Publish(with, 0, false)).details());
    }
}
