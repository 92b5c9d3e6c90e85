package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.client;
import static org.dunlin.it.conformance.Parties.expectConnectRefused;
import static org.dunlin.it.conformance.Parties.expectNothingOn;
import static org.dunlin.it.conformance.Parties.subscriber;
import static org.dunlin.it.conformance.Parties.unique;
import static org.dunlin.it.conformance.RawPacket.CLEAN;
import static org.dunlin.it.conformance.RawPacket.USER_NAME;
import static org.dunlin.it.conformance.RawPacket.WILL;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** UTF-8 strings wherever they stand: 1.5.4 and 1.5.7 of v5, 1.5.3 of 3.1.1. */
@Broker
class Utf8StringIT {
    private static final String NUL = "610062";

    private static final List<String> ILL_FORMED = List.of(
            "eda080", // surrogate U+D800
            "edbfbf", // surrogate U+DFFF
            "eda0bdedb880", // a surrogate pair, CESU-8
            "c080", // U+0000 in two bytes
            "c0af", // "/" in two bytes
            "e08080", // U+0000 in three
            "f0808080", // U+0000 in four
            "f4908080", // U+110000
            "f5808080", // U+140000
            "ff",
            "80", // a continuation alone
            "6180", // a continuation after a whole character
            "c3", // cut off after one of two bytes
            "e282", // two of three
            "f09f98", // three of four
            "e28261"); // a letter where a continuation has to be

    private static byte[] octets(String hex) {
        return HexFormat.of().parseHex(hex);
    }

    private static List<String> badStrings() {
        List<String> bad = new ArrayList<>(ILL_FORMED);
        bad.add(NUL);
        return bad;
    }

    /** Name of the place, and the CONNECT with the bytes there. */
    private static Map<String, Function<byte[], RawPacket>> connects(ProtocolVersion version) {
        Map<String, Function<byte[], RawPacket>> places = new LinkedHashMap<>();
        places.put("client identifier", bad -> RawPacket.connect(version, CLEAN).binary(bad));
        places.put(
                "will topic",
                bad -> RawPacket.connect(version, CLEAN | WILL)
                        .utf8(unique("utf"))
                        .properties(version, RawPacket.part())
                        .binary(bad)
                        .utf8("will"));
        places.put(
                "user name",
                bad -> RawPacket.connect(version, CLEAN | USER_NAME)
                        .utf8(unique("utf"))
                        .binary(bad));
        if (version.isV5()) {
            places.put(
                    "authentication method",
                    bad -> withProperty(RawPacket.part().u8(0x15).binary(bad)));
            places.put(
                    "user property name",
                    bad -> withProperty(RawPacket.part().u8(0x26).binary(bad).utf8("v")));
            places.put(
                    "user property value",
                    bad -> withProperty(RawPacket.part().u8(0x26).utf8("n").binary(bad)));
            places.put(
                    "will content type",
                    bad -> withWillProperty(RawPacket.part().u8(0x03).binary(bad)));
            places.put(
                    "will response topic",
                    bad -> withWillProperty(RawPacket.part().u8(0x08).binary(bad)));
            places.put(
                    "will user property name",
                    bad -> withWillProperty(
                            RawPacket.part().u8(0x26).binary(bad).utf8("v")));
            places.put(
                    "will user property value",
                    bad -> withWillProperty(RawPacket.part().u8(0x26).utf8("n").binary(bad)));
        }
        return places;
    }

    private static RawPacket withProperty(RawPacket property) {
        return RawPacket.connect(ProtocolVersion.MQTT_5, CLEAN, property).utf8(unique("utf"));
    }

    private static RawPacket withWillProperty(RawPacket property) {
        return RawPacket.connect(ProtocolVersion.MQTT_5, CLEAN | WILL)
                .utf8(unique("utf"))
                .properties(property)
                .utf8("will/topic")
                .utf8("will");
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {
                "MQTT-1.5.4-1",
                "MQTT-1.5.4-2",
                "MQTT-1.5.7-1",
                "MQTT-3.1.3-4",
                "MQTT-3.1.3-11",
                "MQTT-3.1.3-12",
                "MQTT-3.1.4-1"
            },
            v3 = {"MQTT-1.5.3-1", "MQTT-1.5.3-2", "MQTT-3.1.3-4", "MQTT-3.1.3-10", "MQTT-3.1.3-11", "MQTT-3.1.4-1"},
            edge = {"E008", "E009"})
    void connect_withBadString_isRefusedAsMalformed(ProtocolVersion version, RunningBroker broker) {
        connects(version).forEach((place, connect) -> {
            for (String bad : badStrings()) {
                try (MqttSocket socket = broker.socket().speak(version)) {
                    socket.send(connect.apply(octets(bad)).bytes());
                    expectConnectRefused(socket, version, ReasonCode.MALFORMED_PACKET);
                } catch (AssertionError e) {
                    throw new AssertionError(place + " " + bad, e);
                }
            }
        });
    }

    private static Map<String, Function<byte[], RawPacket>> packets(ProtocolVersion version, String prefix) {
        RawPacket none = RawPacket.part();
        Map<String, Function<byte[], RawPacket>> places = new LinkedHashMap<>();
        places.put(
                "topic of PUBLISH",
                bad -> RawPacket.of(0x30)
                        .binary(RawPacket.part()
                                .bytes((prefix + "/").getBytes(StandardCharsets.UTF_8))
                                .bytes(bad)
                                .bytes())
                        .properties(version, none)
                        .hex("62616421"));
        places.put(
                "filter of SUBSCRIBE",
                bad -> RawPacket.of(0x82)
                        .u16(7)
                        .properties(version, none)
                        .binary(bad)
                        .u8(0));
        places.put(
                "filter of UNSUBSCRIBE",
                bad -> RawPacket.of(0xA2).u16(7).properties(version, none).binary(bad));
        if (version.isV5()) {
            places.put(
                    "content type",
                    bad -> publish(prefix, RawPacket.part().u8(0x03).binary(bad)));
            places.put(
                    "response topic",
                    bad -> publish(prefix, RawPacket.part().u8(0x08).binary(bad)));
            places.put(
                    "user property name",
                    bad -> publish(prefix, RawPacket.part().u8(0x26).binary(bad).utf8("v")));
            places.put(
                    "user property value",
                    bad -> publish(prefix, RawPacket.part().u8(0x26).utf8("n").binary(bad)));
            places.put(
                    "user property of SUBSCRIBE",
                    bad -> RawPacket.of(0x82)
                            .u16(7)
                            .properties(RawPacket.part().u8(0x26).utf8("n").binary(bad))
                            .utf8(prefix + "/x")
                            .u8(0));
            places.put(
                    "user property of UNSUBSCRIBE",
                    bad -> RawPacket.of(0xA2)
                            .u16(7)
                            .properties(RawPacket.part().u8(0x26).binary(bad).utf8("v"))
                            .utf8(prefix + "/x"));
            places.put(
                    "reason string of PUBACK",
                    bad -> RawPacket.of(0x40)
                            .u16(7)
                            .u8(0)
                            .properties(RawPacket.part().u8(0x1F).binary(bad)));
            places.put(
                    "reason string of DISCONNECT",
                    bad -> RawPacket.of(0xE0)
                            .u8(0)
                            .properties(RawPacket.part().u8(0x1F).binary(bad)));
            places.put(
                    "user property of DISCONNECT",
                    bad -> RawPacket.of(0xE0)
                            .u8(0)
                            .properties(RawPacket.part().u8(0x26).utf8("n").binary(bad)));
        }
        return places;
    }

    private static RawPacket publish(String prefix, RawPacket property) {
        return RawPacket.of(0x30).utf8(prefix + "/x").properties(property).hex("62616421");
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-1.5.4-1", "MQTT-1.5.4-2", "MQTT-1.5.7-1", "MQTT-3.3.2-1", "MQTT-3.3.2-13", "MQTT-3.3.2-19"},
            v3 = {"MQTT-1.5.3-1", "MQTT-1.5.3-2", "MQTT-3.3.2-1"},
            edge = {"E008", "E009"})
    void packet_withBadString_endsTheConnectionAndIsNotForwarded(ProtocolVersion version, RunningBroker broker) {
        String prefix = unique("utf");
        try (MqttSocket subscriber = subscriber(broker, version, prefix + "/#", Qos.AT_MOST_ONCE)) {
            packets(version, prefix).forEach((place, packet) -> {
                for (String bad : badStrings()) {
                    try (MqttSocket socket = client(broker, version)) {
                        socket.send(packet.apply(octets(bad)).bytes());
                        socket.expectDisconnect(ReasonCode.MALFORMED_PACKET);
                    } catch (AssertionError e) {
                        throw new AssertionError(place + " " + bad, e);
                    }
                }
            });
            expectNothingOn(broker, subscriber, prefix + "/x");
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-1.5.4-3"},
            v3 = {"MQTT-1.5.3-3"},
            edge = {"E011"})
    void byteOrderMark_isACharacterOfTheTopic(ProtocolVersion version, RunningBroker broker) {
        String name = unique("bom");
        String marked = "\uFEFF" + name;
        try (MqttSocket withMark = subscriber(broker, version, marked, Qos.AT_MOST_ONCE);
                MqttSocket without = subscriber(broker, version, name, Qos.AT_MOST_ONCE);
                MqttSocket publisher = client(broker, version)) {
            publisher.publish(name, "plain", Qos.AT_LEAST_ONCE).publish(marked, "marked", Qos.AT_LEAST_ONCE);
            RawFrame.Publish received = RawFrame.read(withMark).publish(version);
            assertEquals("marked", received.payload());
            assertEquals(
                    "efbbbf" + HexFormat.of().formatHex(name.getBytes(StandardCharsets.UTF_8)), received.topicHex());
            without.expectPublish(name, "plain");
            without.expectNothing();
            withMark.expectNothing();
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E012"})
    void topics_areNotNormalized(ProtocolVersion version, RunningBroker broker) {
        String prefix = unique("nf");
        String composed = prefix + "/\u00E9";
        String decomposed = prefix + "/e\u0301";
        try (MqttSocket first = subscriber(broker, version, composed, Qos.AT_MOST_ONCE);
                MqttSocket second = subscriber(broker, version, decomposed, Qos.AT_MOST_ONCE);
                MqttSocket publisher = client(broker, version)) {
            publisher.publish(composed, "nfc", Qos.AT_LEAST_ONCE).publish(decomposed, "nfd", Qos.AT_LEAST_ONCE);
            RawFrame.Publish nfc = RawFrame.read(first).publish(version);
            assertEquals("nfc", nfc.payload());
            assertEquals(true, nfc.topicHex().endsWith("2fc3a9"), nfc.topicHex());
            RawFrame.Publish nfd = RawFrame.read(second).publish(version);
            assertEquals("nfd", nfd.payload());
            assertEquals(true, nfd.topicHex().endsWith("2f65cc81"), nfd.topicHex());
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E010"})
    void controlAndNonCharacters_arePassedOn(ProtocolVersion version, RunningBroker broker) {
        String prefix = unique("ctl");
        String[] letters = {
            "\u0001", "\u001F", "\u007F", "\u0080", "\u009F", "\uFDD0", "\uFFFE", "\uFFFF", "\uD83F\uDFFE"
        };
        try (MqttSocket subscriber = subscriber(broker, version, prefix + "/#", Qos.AT_MOST_ONCE);
                MqttSocket publisher = client(broker, version)) {
            for (String letter : letters) {
                String topic = prefix + "/" + letter;
                subscriber.subscribe(topic, Qos.AT_MOST_ONCE);
                publisher.publish(topic, "x", Qos.AT_MOST_ONCE);
                assertEquals(topic, RawFrame.read(subscriber).publish(version).topic());
            }
            subscriber.expectNothing();
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-1.5.4-1"},
            v3 = {"MQTT-1.5.3-1"})
    void wellFormedStrings_ofAllLengthsPass(ProtocolVersion version, RunningBroker broker) {
        String prefix = unique("utf");
        // The first and the last code point of each length, and those around the surrogates.
        int[] points = {0x20, 0x7E, 0xA0, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFD, 0x10000, 0x10FFFD};
        try (MqttSocket subscriber = subscriber(broker, version, prefix + "/+", Qos.AT_MOST_ONCE);
                MqttSocket publisher = client(broker, version)) {
            for (int point : points) {
                String topic = prefix + "/" + Character.toString(point);
                publisher.publish(topic, "x", Qos.AT_MOST_ONCE);
                assertEquals(topic, RawFrame.read(subscriber).publish(version).topic());
            }
        }
    }
}
