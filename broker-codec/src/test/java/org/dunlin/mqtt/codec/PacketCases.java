package org.dunlin.mqtt.codec;

import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.dunlin.mqtt.ReasonCode.MALFORMED_PACKET;
import static org.dunlin.mqtt.ReasonCode.PACKET_TOO_LARGE;
import static org.dunlin.mqtt.ReasonCode.PROTOCOL_ERROR;
import static org.dunlin.mqtt.ReasonCode.TOPIC_ALIAS_INVALID;
import static org.dunlin.mqtt.ReasonCode.TOPIC_NAME_INVALID;
import static org.dunlin.mqtt.ReasonCode.UNSUPPORTED_PROTOCOL_VERSION;
import static org.dunlin.mqtt.codec.PacketDecoder.Role.CLIENT;
import static org.dunlin.mqtt.codec.PacketDecoder.Role.SERVER;
import static org.dunlin.mqtt.codec.Packets.aPublish;
import static org.dunlin.mqtt.codec.Packets.frame;
import static org.dunlin.mqtt.codec.Packets.hex;
import static org.dunlin.mqtt.codec.Packets.join;
import static org.dunlin.mqtt.codec.Packets.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Auth;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.Subscribe.RetainHandling;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.UnsubAck;
import org.dunlin.mqtt.Unsubscribe;
import org.dunlin.mqtt.UserProperty;
import org.dunlin.mqtt.Will;
import org.dunlin.mqtt.codec.PacketDecoder.Role;
import org.jspecify.annotations.Nullable;

/**
 * The table of single packets that every test of the wire goes by: bytes, and the packet or the error they are. Any
 * thread.
 */
public final class PacketCases {
    private final List<Case> cases = new ArrayList<>();

    private PacketCases() {}

    /**
     * One packet on the wire.
     *
     * @param name what it shows, with the statement or the edge case
     * @param us the side that receives it
     * @param version of the open connection; null for a server that has seen nothing yet
     * @param packet what it is; null if it is an error, or if only its acceptance matters
     * @param error null if it is accepted
     * @param canonical whether an encoder writes these very bytes
     */
    public record Case(
            String name,
            Role us,
            @Nullable ProtocolVersion version,
            byte[] bytes,
            @Nullable Packet packet,
            @Nullable ReasonCode error,
            boolean canonical) {

        public boolean isGood() {
            return error == null;
        }

        /** The side that sends it. */
        public Role sender() {
            return us == SERVER ? CLIENT : SERVER;
        }

        /** As {@link Packets#decoder}, or a fresh one of a server. */
        public PacketDecoder decoder() {
            return version == null ? new PacketDecoder(SERVER).ingress(Packets.INGRESS) : Packets.decoder(us, version);
        }

        @Override
        public String toString() {
            return (version == null ? "CONNECT" : version.toString()) + " to " + us + ": " + name;
        }
    }

    public static List<Case> all() {
        PacketCases table = new PacketCases();
        table.framing();
        table.connect();
        table.connectErrors();
        table.will();
        table.connAck();
        table.publish();
        table.publishErrors();
        table.acks();
        table.subscribe();
        table.unsubscribe();
        table.disconnect();
        table.auth();
        table.strings();
        table.propertyMatrix();
        return table.cases;
    }

    private void good(String name, Role us, @Nullable ProtocolVersion version, byte[] bytes, Packet packet) {
        cases.add(new Case(name, us, version, bytes, packet, null, true));
    }

    /** Another form than an encoder writes. */
    private void read(String name, Role us, @Nullable ProtocolVersion version, byte[] bytes, Packet packet) {
        cases.add(new Case(name, us, version, bytes, packet, null, false));
    }

    private void accepted(String name, Role us, @Nullable ProtocolVersion version, byte[] bytes) {
        cases.add(new Case(name, us, version, bytes, null, null, false));
    }

    private void bad(String name, Role us, @Nullable ProtocolVersion version, ReasonCode error, byte[] bytes) {
        cases.add(new Case(name, us, version, bytes, null, error, false));
    }

    private void badAll(String name, Role us, ReasonCode error, byte[] bytes) {
        for (ProtocolVersion version : ProtocolVersion.values()) {
            bad(name, us, version, error, bytes);
        }
    }

    private void badV3(String name, Role us, ReasonCode error, byte[] bytes) {
        bad(name, us, MQTT_3_1, error, bytes);
        bad(name, us, MQTT_3_1_1, error, bytes);
    }

    private void framing() {
        badAll("E007 type 0", SERVER, MALFORMED_PACKET, hex("00 00"));
        badAll("E007 type 0 with flags", CLIENT, MALFORMED_PACKET, hex("0F 00"));
        badAll("E002 length of five bytes", SERVER, MALFORMED_PACKET, hex("30 FF FF FF FF 01"));
        badAll("E002 fourth byte says more", SERVER, MALFORMED_PACKET, hex("30 80 80 80 80"));
        badAll("E003 overlong length 0", SERVER, MALFORMED_PACKET, hex("C0 80 00"));
        badAll("E003 overlong length 1", SERVER, MALFORMED_PACKET, hex("30 81 80 00 00"));
        badAll("E003 overlong length in four bytes", SERVER, MALFORMED_PACKET, hex("30 85 80 80 00 00 01 61 00 62"));
        bad("E004 above the initial maximum", SERVER, null, PACKET_TOO_LARGE, hex("10 FD FF 03"));
        bad("E004 largest there is, header alone", SERVER, null, PACKET_TOO_LARGE, hex("10 FF FF FF 7F"));
        bad("E016 PUBLISH first", SERVER, null, PROTOCOL_ERROR, hex("30 03 00 01 61"));
        bad("E016 PINGREQ first", SERVER, null, PROTOCOL_ERROR, hex("C0 00"));
        bad("E016 AUTH first", SERVER, null, PROTOCOL_ERROR, hex("F0 00"));
        bad("E016 DISCONNECT first", SERVER, null, PROTOCOL_ERROR, hex("E0 00"));
        badAll("E018 second CONNECT", SERVER, PROTOCOL_ERROR, hex("10 0C 00 04", "'MQTT'", "04 02 00 00 00 00"));
        badAll("E007 CONNACK from a client", SERVER, PROTOCOL_ERROR, hex("20 02 00 00"));
        badAll("E007 SUBACK from a client", SERVER, PROTOCOL_ERROR, hex("90 03 00 01 00"));
        badAll("E007 UNSUBACK from a client", SERVER, PROTOCOL_ERROR, hex("B0 02 00 01"));
        badAll("E007 PINGRESP from a client", SERVER, PROTOCOL_ERROR, hex("D0 00"));
        badAll("CONNECT from a server", CLIENT, PROTOCOL_ERROR, hex("10 00"));
        badAll("SUBSCRIBE from a server", CLIENT, PROTOCOL_ERROR, hex("82 06 00 01 00 01 61 00"));
        badAll("UNSUBSCRIBE from a server", CLIENT, PROTOCOL_ERROR, hex("A2 05 00 01 00 01 61"));
        badAll("PINGREQ from a server", CLIENT, PROTOCOL_ERROR, hex("C0 00"));
        badV3("DISCONNECT from a 3.x server", CLIENT, PROTOCOL_ERROR, hex("E0 00"));
        badV3("E007 AUTH in 3.x", SERVER, PROTOCOL_ERROR, hex("F0 00"));
        badV3("AUTH in 3.x from a server", CLIENT, PROTOCOL_ERROR, hex("F0 00"));
        for (ProtocolVersion version : ProtocolVersion.values()) {
            good("3.12.4-1 PINGREQ", SERVER, version, hex("C0 00"), Ping.REQUEST);
            good("PINGRESP", CLIENT, version, hex("D0 00"), Ping.RESPONSE);
        }
        badAll("E013 PINGREQ with a body", SERVER, MALFORMED_PACKET, hex("C0 01 00"));
        badAll("PINGRESP with a body", CLIENT, MALFORMED_PACKET, hex("D0 01 00"));
    }

    private static byte[] connect(String... parts) {
        return frame(0x10, hex(parts));
    }

    private void connect() {
        good(
                "smallest of 3.1.1",
                SERVER,
                null,
                hex("10 0C 00 04", "'MQTT'", "04 02 00 3C 00 00"),
                Connect.builder(MQTT_3_1_1, "").keepAliveSeconds(60).build());
        good(
                "smallest of 5",
                SERVER,
                null,
                hex("10 0D 00 04", "'MQTT'", "05 02 00 00 00 00 00"),
                Connect.builder(MQTT_5, "").build());
        good(
                "3.1",
                SERVER,
                null,
                connect("00 06", "'MQIsdp'", "03 02 00 0A 00 01", "'c'"),
                Connect.builder(MQTT_3_1, "c").keepAliveSeconds(10).build());
        read(
                "bridge bit with 3.1",
                SERVER,
                null,
                connect("00 06", "'MQIsdp'", "83 02 00 0A 00 01", "'c'"),
                Connect.builder(MQTT_3_1, "c").keepAliveSeconds(10).build());
        read(
                "bridge bit with 3.1.1",
                SERVER,
                null,
                connect("00 04", "'MQTT'", "84 00 00 00 00 01", "'c'"),
                Connect.builder(MQTT_3_1_1, "c").cleanStart(false).build());
        good(
                "3.1.2-22 user name and password in 3.1.1",
                SERVER,
                null,
                connect("00 04", "'MQTT'", "04 C2 FF FF 00 01", "'c'", "00 01", "'u'", "00 02 00 FF"),
                Connect.builder(MQTT_3_1_1, "c")
                        .keepAliveSeconds(65_535)
                        .userName("u")
                        .password(hex("00 FF"))
                        .build());
        good(
                "E023 password without user name in 5, E024 binary",
                SERVER,
                null,
                connect("00 04", "'MQTT'", "05 42 00 00 00 00 01", "'c'", "00 03 ED A0 80"),
                Connect.builder(MQTT_5, "c").password(hex("ED A0 80")).build());
        good(
                "empty user name and password",
                SERVER,
                null,
                connect("00 04", "'MQTT'", "05 C2 00 00 00 00 01", "'c'", "00 00 00 00"),
                Connect.builder(MQTT_5, "c").userName("").password(new byte[0]).build());
        good(
                "all properties",
                SERVER,
                null,
                connect(
                        "00 04",
                        "'MQTT'",
                        "05 00 00 05 29 11 FF FF FF FF 21 00 01 27 FF FF FF FF 22 FF FF 19 01 17 00 15 00 01",
                        "'m'",
                        "16 00 02 00 01 26 00 01",
                        "'a'",
                        "00 01",
                        "'b'",
                        "26 00 00 00 00 00 01",
                        "'c'"),
                Connect.builder(MQTT_5, "c")
                        .cleanStart(false)
                        .keepAliveSeconds(5)
                        .sessionExpirySeconds(Connect.NO_EXPIRY)
                        .receiveMaximum(1)
                        .maximumPacketSize(0xFFFF_FFFFL)
                        .topicAliasMaximum(65_535)
                        .requestResponseInformation(true)
                        .requestProblemInformation(false)
                        .authentication("m", hex("00 01"))
                        .userProperties(List.of(new UserProperty("a", "b"), new UserProperty("", "")))
                        .build());
        read(
                "3.1 where the length wins over the flags: no user name",
                SERVER,
                null,
                connect("00 06", "'MQIsdp'", "03 C2 00 0A 00 01", "'c'"),
                Connect.builder(MQTT_3_1, "c").keepAliveSeconds(10).build());
        read(
                "3.1 where the length wins over the flags: no password",
                SERVER,
                null,
                connect("00 06", "'MQIsdp'", "03 C2 00 0A 00 01", "'c'", "00 01", "'u'"),
                Connect.builder(MQTT_3_1, "c")
                        .keepAliveSeconds(10)
                        .userName("u")
                        .build());
        read(
                "properties that say the default",
                SERVER,
                null,
                connect("00 04", "'MQTT'", "05 02 00 00 0F 11 00 00 00 00 21 FF FF 22 00 00 17 01 19 00 00 00"),
                Connect.builder(MQTT_5, "").build());
    }

    private void connectErrors() {
        ReasonCode version = UNSUPPORTED_PROTOCOL_VERSION;
        for (String level : List.of("00", "02", "03", "06", "7F", "80", "83", "85", "FF")) {
            bad("E021 MQTT level " + level, SERVER, null, version, connect("00 04", "'MQTT'", level, "02 00 00 00 00"));
        }
        bad("E021 MQIsdp level 4", SERVER, null, version, connect("00 06", "'MQIsdp'", "04 02 00 00 00 00"));
        for (String name : List.of("MQTTX", "mqtt", "MQT", "MQIsdP", "")) {
            byte[] body = join(text(name), hex("04 02 00 00 00 00"));
            bad("E021 name '" + name + "'", SERVER, null, version, frame(0x10, body));
        }
        bad("name ill-formed", SERVER, null, MALFORMED_PACKET, connect("00 02 C0 80 04 02 00 00 00 00"));
        for (String flags : List.of("03", "0A", "12", "1A", "22", "2A", "1E", "3E", "DE", "FF")) {
            for (String head : List.of("04", "05")) {
                String properties = head.equals("05") ? "00" : "";
                byte[] bytes = connect("00 04", "'MQTT'", head, flags, "00 00", properties, "00 00 00 00 00 00 00 00");
                bad("E022 flags " + flags + " level " + head, SERVER, null, MALFORMED_PACKET, bytes);
            }
        }
        bad(
                "E023 password without user name in 3.1.1",
                SERVER,
                null,
                MALFORMED_PACKET,
                connect("00 04", "'MQTT'", "04 42 00 00 00 01", "'c'", "00 01 00"));
        bad(
                "3.1.2-17 user name missing",
                SERVER,
                null,
                MALFORMED_PACKET,
                connect("00 04", "'MQTT'", "04 82 00 00 00 00"));
        bad(
                "3.1.2-19 password missing",
                SERVER,
                null,
                MALFORMED_PACKET,
                connect("00 04", "'MQTT'", "05 42 00 00 00 00 00"));
        bad(
                "half a user name in 3.1",
                SERVER,
                null,
                MALFORMED_PACKET,
                connect("00 06", "'MQIsdp'", "03 82 00 00 00 00 00 02", "'u'"));
        bad("3.1.2-9 will missing", SERVER, null, MALFORMED_PACKET, connect("00 04", "'MQTT'", "04 06 00 00 00 00"));
        bad(
                "3.1.2-16 user name unannounced",
                SERVER,
                null,
                MALFORMED_PACKET,
                connect("00 04", "'MQTT'", "04 02 00 00 00 00 00 00"));
        bad(
                "3.1.2-18 password unannounced",
                SERVER,
                null,
                MALFORMED_PACKET,
                connect("00 04", "'MQTT'", "05 82 00 00 00 00 00 00 00 00 00"));
        bad(
                "3.1.3-3 no client identifier",
                SERVER,
                null,
                MALFORMED_PACKET,
                connect("00 04", "'MQTT'", "05 02 00 00 00"));
        bad("empty CONNECT", SERVER, null, MALFORMED_PACKET, hex("10 00"));
        bad(
                "E006 CONNECT with flags",
                SERVER,
                null,
                MALFORMED_PACKET,
                hex("11 0C 00 04", "'MQTT'", "04 02 00 00 00 00"));
        bad("no property length", SERVER, null, MALFORMED_PACKET, connect("00 04", "'MQTT'", "05 02 00 00"));
        connectPropertyErrors();
    }

    private void connectPropertyErrors() {
        Map<String, ReasonCode> properties = new LinkedHashMap<>();
        properties.put("21 00 00", PROTOCOL_ERROR);
        properties.put("27 00 00 00 00", PROTOCOL_ERROR);
        properties.put("17 02", PROTOCOL_ERROR);
        properties.put("19 FF", PROTOCOL_ERROR);
        properties.put("16 00 00", PROTOCOL_ERROR);
        properties.put("11 00 00 00", MALFORMED_PACKET);
        properties.put("15 00 05 61", MALFORMED_PACKET);
        properties.put("26 00 01 61", MALFORMED_PACKET);
        properties.put("91 00 00 00 00 00", MALFORMED_PACKET);
        properties.put("80", MALFORMED_PACKET);
        properties.put("A6 80 80 80 01", MALFORMED_PACKET);
        properties.forEach((property, error) -> {
            byte[] bytes = hex(property);
            bad(
                    "E025 CONNECT property " + property,
                    SERVER,
                    null,
                    error,
                    frame(0x10, join(hex("00 04", "'MQTT'", "05 02 00 00", lengthOf(bytes)), bytes, hex("00 00"))));
        });
        bad(
                "E005 property length past the end",
                SERVER,
                null,
                MALFORMED_PACKET,
                connect("00 04", "'MQTT'", "05 02 00 00 7F 11 00 00 00 00 00 00"));
        bad(
                "E003 overlong property length",
                SERVER,
                null,
                MALFORMED_PACKET,
                connect("00 04", "'MQTT'", "05 02 00 00 80 00 00 00"));
    }

    private static String lengthOf(byte[] bytes) {
        return String.format("%02X", bytes.length);
    }

    private void will() {
        good(
                "will of 3.1.1, QoS 2 retained",
                SERVER,
                null,
                connect("00 04", "'MQTT'", "04 36 00 00 00 01", "'c'", "00 01", "'w'", "00 02 00 FF"),
                Connect.builder(MQTT_3_1_1, "c")
                        .will(new Will(
                                TopicName.of("w"), hex("00 FF"), Qos.EXACTLY_ONCE, true, Message.NO_BYTES, -1, 0))
                        .build());
        good(
                "will with empty payload",
                SERVER,
                null,
                connect("00 06", "'MQIsdp'", "03 06 00 00 00 01", "'c'", "00 01", "'w'", "00 00"),
                Connect.builder(MQTT_3_1, "c")
                        .will(new Will(
                                TopicName.of("w"), new byte[0], Qos.AT_MOST_ONCE, false, Message.NO_BYTES, -1, 0))
                        .build());
        good(
                "E068 will properties",
                SERVER,
                null,
                connect(
                        "00 04",
                        "'MQTT'",
                        "05 0E 00 00 00 00 01",
                        "'c'",
                        "17 18 00 00 00 05 02 00 00 00 00 01 01 03 00 01",
                        "'t'",
                        "26 00 01",
                        "'b'",
                        "00 01",
                        "'a'",
                        "00 01",
                        "'w'",
                        "00 01",
                        "'p'"),
                Connect.builder(MQTT_5, "c")
                        .will(new Will(
                                TopicName.of("w"),
                                hex("'p'"),
                                Qos.AT_LEAST_ONCE,
                                false,
                                hex("01 01 03 00 01", "'t'", "26 00 01", "'b'", "00 01", "'a'"),
                                0,
                                5))
                        .build());
        bad("E070 wildcard in the will topic", SERVER, null, TOPIC_NAME_INVALID, withWill("", "w/#"));
        bad("E070 + in the will topic", SERVER, null, TOPIC_NAME_INVALID, withWill("", "+"));
        bad("E070 empty will topic", SERVER, null, TOPIC_NAME_INVALID, withWill("", ""));
        bad(
                "E070 wildcard in the will topic of 3.1.1",
                SERVER,
                null,
                MALFORMED_PACKET,
                connect("00 04", "'MQTT'", "04 06 00 00 00 00 00 01", "'#'", "00 00"));
        bad("E084 wildcard in the will's response topic", SERVER, null, PROTOCOL_ERROR, withWill("08 00 01 23", "w"));
        bad("will's response topic empty", SERVER, null, PROTOCOL_ERROR, withWill("08 00 00", "w"));
        bad("will's payload format 2", SERVER, null, PROTOCOL_ERROR, withWill("01 02", "w"));
    }

    private static byte[] withWill(String properties, String topic) {
        byte[] bytes = hex(properties);
        return frame(
                0x10,
                join(hex("00 04", "'MQTT'", "05 06 00 00 00 00 00", lengthOf(bytes)), bytes, text(topic), text("p")));
    }

    private void connAck() {
        good("smallest", CLIENT, MQTT_5, hex("20 03 00 00 00"), new ConnAck(false, ReasonCode.SUCCESS));
        good("session present", CLIENT, MQTT_5, hex("20 03 01 00 00"), new ConnAck(true, ReasonCode.SUCCESS));
        good(
                "E021 refusal of a version",
                CLIENT,
                MQTT_5,
                hex("20 03 00 84 00"),
                new ConnAck(false, UNSUPPORTED_PROTOCOL_VERSION));
        good("E033 of 3.1.1", CLIENT, MQTT_3_1_1, hex("20 02 01 00"), new ConnAck(true, ReasonCode.SUCCESS));
        good("E184 of 3.1", CLIENT, MQTT_3_1, hex("20 02 00 00"), new ConnAck(false, ReasonCode.SUCCESS));
        read("3.1 with a reserved byte", CLIENT, MQTT_3_1, hex("20 02 55 00"), new ConnAck(false, ReasonCode.SUCCESS));
        ReasonCode[] v3 = {
            ReasonCode.SUCCESS,
            UNSUPPORTED_PROTOCOL_VERSION,
            ReasonCode.CLIENT_IDENTIFIER_NOT_VALID,
            ReasonCode.SERVER_UNAVAILABLE,
            ReasonCode.BAD_USER_NAME_OR_PASSWORD,
            ReasonCode.NOT_AUTHORIZED
        };
        for (int code = 0; code < v3.length; code++) {
            byte[] bytes = {0x20, 2, 0, (byte) code};
            good("E183 return code " + code, CLIENT, MQTT_3_1_1, bytes, new ConnAck(false, v3[code]));
        }
        badV3("return code 6", CLIENT, PROTOCOL_ERROR, hex("20 02 00 06"));
        badV3("three bytes in 3.x", CLIENT, MALFORMED_PACKET, hex("20 03 00 00 00"));
        bad("3.2.2-1 reserved bit", CLIENT, MQTT_5, MALFORMED_PACKET, hex("20 03 02 00 00"));
        bad("3.2.2-1 reserved bit of 3.1.1", CLIENT, MQTT_3_1_1, MALFORMED_PACKET, hex("20 02 80 00"));
        bad("3.2.2-6 session present with a failure", CLIENT, MQTT_5, PROTOCOL_ERROR, hex("20 03 01 87 00"));
        bad("3.2.2-4 likewise in 3.1.1", CLIENT, MQTT_3_1_1, PROTOCOL_ERROR, hex("20 02 01 05"));
        bad("3.2.2-8 code of another packet", CLIENT, MQTT_5, PROTOCOL_ERROR, hex("20 03 00 8E 00"));
        bad("no property length", CLIENT, MQTT_5, MALFORMED_PACKET, hex("20 02 00 00"));
        bad("Maximum QoS 2", CLIENT, MQTT_5, PROTOCOL_ERROR, hex("20 05 00 00 02 24 02"));
        good(
                "E034 all properties",
                CLIENT,
                MQTT_5,
                frame(
                        0x20,
                        hex(
                                "01 00 3E 11 00 00 00 0A 21 00 14 24 01 25 00 27 00 00 01 00 12 00 02",
                                "'id'",
                                "22 00 05 28 00 29 00 2A 00 13 00 1E 1A 00 01",
                                "'r'",
                                "1C 00 01",
                                "'s'",
                                "15 00 01",
                                "'m'",
                                "16 00 01 00 1F 00 02",
                                "'ok'",
                                "26 00 01",
                                "'k'",
                                "00 01",
                                "'v'")),
                new ConnAck(
                        true,
                        ReasonCode.SUCCESS,
                        new ConnAck.Properties(
                                10L,
                                20,
                                1,
                                true,
                                256L,
                                "id",
                                5,
                                "ok",
                                List.of(new UserProperty("k", "v")),
                                true,
                                true,
                                true,
                                30,
                                "r",
                                "s",
                                "m",
                                new byte[1])));
    }

    private void publish() {
        for (ProtocolVersion version : ProtocolVersion.values()) {
            String none = version == MQTT_5 ? "00" : "";
            for (Role us : Role.values()) {
                good(
                        "QoS 0",
                        us,
                        version,
                        frame(0x30, hex("00 01", "'a'", none, "'pay'")),
                        aPublish("a").payload("pay").build());
                good(
                        "no payload, retained",
                        us,
                        version,
                        frame(0x31, hex("00 01", "'a'", none)),
                        aPublish("a").retain().build());
                good(
                        "QoS 1",
                        us,
                        version,
                        frame(0x32, hex("00 03", "'a/b'", "00 01", none, "00")),
                        aPublish("a/b").qos1(1).payload(new byte[1]).build());
                good(
                        "QoS 1 repeated",
                        us,
                        version,
                        frame(0x3A, hex("00 03", "'a/b'", "FF FF", none)),
                        aPublish("a/b").qos1(65_535).dup().build());
                good(
                        "QoS 2",
                        us,
                        version,
                        frame(0x35, hex("00 01", "'/'", "01 00", none, "'x'")),
                        aPublish("/").qos2(256).retain().payload("x").build());
                good(
                        "E098 a topic that only looks shared",
                        us,
                        version,
                        frame(0x30, hex("00 08", "'$share/g'", none)),
                        aPublish("$share/g").build());
            }
        }
        read(
                "DUP with QoS 0 of 3.1",
                SERVER,
                MQTT_3_1,
                frame(0x38, hex("00 01", "'a'")),
                aPublish("a").build());
        good(
                "E086 properties in their order",
                SERVER,
                MQTT_5,
                frame(
                        0x30,
                        hex(
                                "00 01",
                                "'a'",
                                "17 02 00 00 00 3C 26 00 01 62 00 00 01 00 09 00 00 26 00 01 61 00 01 31",
                                "'p'")),
                aPublish("a")
                        .expirySeconds(60)
                        .user("b", "")
                        .property(hex("01 00"))
                        .property(hex("09 00 00"))
                        .user("a", "1")
                        .payload("p")
                        .build());
        read(
                "E086 with others between them",
                SERVER,
                MQTT_5,
                frame(0x30, hex("00 01", "'a'", "13 01 01 23 00 01 03 00 01 78 02 00 00 00 01 26 00 00 00 00", "'p'")),
                aPublish("a")
                        .expirySeconds(1)
                        .alias(1)
                        .property(hex("01 01"))
                        .contentType("x")
                        .user("", "")
                        .payload("p")
                        .build());
        good(
                "largest expiry",
                SERVER,
                MQTT_5,
                frame(0x30, hex("00 01", "'a'", "05 02 FF FF FF FF")),
                aPublish("a").expirySeconds(0xFFFF_FFFFL).build());
        good(
                "expiry 0",
                SERVER,
                MQTT_5,
                frame(0x30, hex("00 01", "'a'", "05 02 00 00 00 00")),
                aPublish("a").expirySeconds(0).build());
        good(
                "E080 alias",
                SERVER,
                MQTT_5,
                frame(0x30, hex("00 01", "'a'", "03 23 00 0A")),
                aPublish("a").alias(10).build());
        good(
                "E143 subscription identifiers from a server",
                CLIENT,
                MQTT_5,
                frame(0x30, hex("00 01", "'a'", "0E 0B 01 0B 01 0B FF FF FF 7F 26 00 00 00 00")),
                aPublish("a").subscriptionIds(1, 1, 268_435_455).user("", "").build());
        good(
                "topic of 65,535 bytes",
                SERVER,
                MQTT_5,
                frame(0x30, join(text("x".repeat(65_535)), hex("00"))),
                aPublish("x".repeat(65_535)).build());
    }

    private void publishErrors() {
        for (String first : List.of("36", "37", "3E", "3F")) {
            badAll("E076 QoS 3: " + first, SERVER, MALFORMED_PACKET, hex(first, "06 00 01 61 00 01 00"));
        }
        bad("E077 DUP with QoS 0", SERVER, MQTT_5, MALFORMED_PACKET, hex("38 04 00 01 61 00"));
        bad("E077 DUP with QoS 0", SERVER, MQTT_3_1_1, MALFORMED_PACKET, hex("39 03 00 01 61"));
        badV3("E078 packet identifier 0", SERVER, PROTOCOL_ERROR, hex("32 05 00 01 61 00 00"));
        bad("E078 packet identifier 0", SERVER, MQTT_5, PROTOCOL_ERROR, hex("34 06 00 01 61 00 00 00"));
        badAll("packet identifier missing", SERVER, MALFORMED_PACKET, hex("32 03 00 01 61"));
        badAll("topic cut off", SERVER, MALFORMED_PACKET, hex("30 03 00 02 61"));
        badAll("half a topic length", SERVER, MALFORMED_PACKET, hex("30 01 00"));
        badAll("nothing", SERVER, MALFORMED_PACKET, hex("30 00"));
        for (String topic : List.of("#", "+", "a/+/b", "a#", "+a")) {
            byte[] body = join(text(topic), hex("00"));
            bad("E079 topic " + topic, SERVER, MQTT_5, TOPIC_NAME_INVALID, frame(0x30, body));
            bad("E079 topic " + topic, CLIENT, MQTT_5, TOPIC_NAME_INVALID, frame(0x30, body));
            badV3("E079 topic " + topic, SERVER, MALFORMED_PACKET, frame(0x30, body));
        }
        bad("E079 empty topic, no alias", SERVER, MQTT_5, PROTOCOL_ERROR, hex("30 03 00 00 00"));
        badV3("E079 empty topic", SERVER, MALFORMED_PACKET, hex("30 02 00 00"));
        bad("E080 alias not set", SERVER, MQTT_5, PROTOCOL_ERROR, hex("30 06 00 00 03 23 00 01"));
        bad("E080 alias 0", SERVER, MQTT_5, TOPIC_ALIAS_INVALID, hex("30 07 00 01 61 03 23 00 00"));
        bad("E080 alias above the maximum", SERVER, MQTT_5, TOPIC_ALIAS_INVALID, hex("30 07 00 01 61 03 23 00 0B"));
        bad("E080 the same with an empty topic", SERVER, MQTT_5, TOPIC_ALIAS_INVALID, hex("30 06 00 00 03 23 FF FF"));
        bad("subscription identifier 0", CLIENT, MQTT_5, PROTOCOL_ERROR, hex("30 06 00 01 61 02 0B 00"));
        bad(
                "E003 overlong subscription identifier",
                CLIENT,
                MQTT_5,
                MALFORMED_PACKET,
                hex("30 07 00 01 61 03 0B 81 00"));
        bad(
                "E084 wildcard in the response topic",
                SERVER,
                MQTT_5,
                PROTOCOL_ERROR,
                hex("30 09 00 01 61 05 08 00 02 61 2B"));
        bad("empty response topic", SERVER, MQTT_5, PROTOCOL_ERROR, hex("30 07 00 01 61 03 08 00 00"));
        bad("E085 payload format 2", SERVER, MQTT_5, PROTOCOL_ERROR, hex("30 06 00 01 61 02 01 02"));
        bad("E005 property length past the end", SERVER, MQTT_5, MALFORMED_PACKET, hex("30 05 00 01 61 02 01"));
        bad("E005 property past its length", SERVER, MQTT_5, MALFORMED_PACKET, hex("30 08 00 01 61 02 02 00 00 00"));
        bad("no property length", SERVER, MQTT_5, MALFORMED_PACKET, hex("30 03 00 01 61"));
        bad("property length of five bytes", SERVER, MQTT_5, MALFORMED_PACKET, hex("30 08 00 01 61 80 80 80 80 01"));
    }

    private void acks() {
        for (PacketType type : List.of(PacketType.PUBACK, PacketType.PUBREC, PacketType.PUBREL, PacketType.PUBCOMP)) {
            int first = type.value() << 4 | type.flags();
            for (Role us : Role.values()) {
                for (ProtocolVersion version : ProtocolVersion.values()) {
                    good(type + " short", us, version, frame(first, hex("12 34")), new Ack(type, 0x1234));
                    bad(type + " of one byte", us, version, MALFORMED_PACKET, frame(first, hex("00")));
                    bad(type + " empty", us, version, MALFORMED_PACKET, frame(first, hex("")));
                    bad(type + " identifier 0", us, version, PROTOCOL_ERROR, frame(first, hex("00 00")));
                    bad("2.1.3-1 flags of " + type, us, version, MALFORMED_PACKET, frame(first ^ 1, hex("00 01")));
                    bad("2.1.3-1 flags of " + type, us, version, MALFORMED_PACKET, frame(first ^ 2, hex("00 01")));
                }
                badV3(type + " of three bytes in 3.x", us, MALFORMED_PACKET, frame(first, hex("00 01 00")));
                ackOfV5(type, first, us);
            }
        }
        read("E184 PUBREL with DUP in 3.1", SERVER, MQTT_3_1, hex("6A 02 00 01"), new Ack(PacketType.PUBREL, 1));
        bad("PUBREL with DUP in 3.1.1", SERVER, MQTT_3_1_1, MALFORMED_PACKET, hex("6A 02 00 01"));
        bad("PUBREL with DUP in 5", SERVER, MQTT_5, MALFORMED_PACKET, hex("6A 02 00 01"));
    }

    private void ackOfV5(PacketType type, int first, Role us) {
        List<UserProperty> user = List.of(new UserProperty("k", "v"));
        read("E014 " + type + " with code 0", us, MQTT_5, frame(first, hex("00 01 00")), new Ack(type, 1));
        read("E014 " + type + " in full", us, MQTT_5, frame(first, hex("00 01 00 00")), new Ack(type, 1));
        bad(type + " left over", us, MQTT_5, MALFORMED_PACKET, frame(first, hex("00 01 00 00 00")));
        bad(type + " properties cut", us, MQTT_5, MALFORMED_PACKET, frame(first, hex("00 01 00 04 1F 00 05 61")));
        for (int code = 0; code < 256; code++) {
            ReasonCode reason = ReasonCode.of(code);
            byte[] bytes = frame(first, new byte[] {0, 1, (byte) code});
            if (reason == null || !reason.allowedIn(type)) {
                bad("3.4.2-1 " + type + " code " + code, us, MQTT_5, PROTOCOL_ERROR, bytes);
            } else if (code > 0) {
                good("E014 " + type + " code " + code, us, MQTT_5, bytes, new Ack(type, 1, reason));
            }
        }
        good(
                type + " with all",
                us,
                MQTT_5,
                frame(first, hex("00 01 00 0C 1F 00 02", "'no'", "26 00 01", "'k'", "00 01", "'v'")),
                new Ack(type, 1, ReasonCode.SUCCESS, "no", user));
    }

    private void subscribe() {
        good(
                "one filter",
                SERVER,
                MQTT_5,
                frame(0x82, hex("00 01 00 00 01", "'#'", "01")),
                new Subscribe(1, 0, List.of(new Subscribe.Entry("#", Qos.AT_LEAST_ONCE)), List.of()));
        good(
                "all options, identifier, user property",
                SERVER,
                MQTT_5,
                frame(0x82, hex("FF FF 09 0B 80 01 26 00 01", "'k'", "00 00 00 03", "'a/b'", "2E 00 01", "'+'", "10")),
                new Subscribe(
                        65_535,
                        128,
                        List.of(
                                new Subscribe.Entry("a/b", Qos.EXACTLY_ONCE, true, true, RetainHandling.DO_NOT_SEND),
                                new Subscribe.Entry("+", Qos.AT_MOST_ONCE, false, false, RetainHandling.SEND_IF_NEW)),
                        List.of(new UserProperty("k", ""))));
        for (ProtocolVersion v3 : List.of(MQTT_3_1, MQTT_3_1_1)) {
            good(
                    "two filters",
                    SERVER,
                    v3,
                    frame(0x82, hex("00 01 00 01", "'a'", "02 00 01", "'b'", "00")),
                    new Subscribe(
                            1,
                            0,
                            List.of(
                                    new Subscribe.Entry("a", Qos.EXACTLY_ONCE),
                                    new Subscribe.Entry("b", Qos.AT_MOST_ONCE)),
                            List.of()));
        }
        accepted(
                "E137 filters that are none are the core's business",
                SERVER,
                MQTT_5,
                frame(0x82, hex("00 01 00 00 02", "'a#'", "00 00 00 00")));
        accepted("E157 shared", SERVER, MQTT_5, frame(0x82, hex("00 01 00 00 0A", "'$share/g/a'", "02")));
        accepted("No Local on $sharex", SERVER, MQTT_5, frame(0x82, hex("00 01 00 00 09", "'$sharex/a'", "04")));
        accepted("E184 DUP in 3.1", SERVER, MQTT_3_1, frame(0x8A, hex("00 01 00 01", "'a'", "00")));
        bad("DUP in 3.1.1", SERVER, MQTT_3_1_1, MALFORMED_PACKET, frame(0x8A, hex("00 01 00 01", "'a'", "00")));
        badAll("E006 flags 0", SERVER, MALFORMED_PACKET, frame(0x80, hex("00 01 00 00 01", "'a'", "00")));
        bad(
                "E158 No Local on a shared one",
                SERVER,
                MQTT_5,
                PROTOCOL_ERROR,
                frame(0x82, hex("00 01 00 00 0A", "'$share/g/a'", "04")));
        bad("E135 no filter", SERVER, MQTT_5, PROTOCOL_ERROR, hex("82 03 00 01 00"));
        badV3("E135 no filter", SERVER, PROTOCOL_ERROR, hex("82 02 00 01"));
        bad("E078 identifier 0", SERVER, MQTT_5, PROTOCOL_ERROR, frame(0x82, hex("00 00 00 00 01", "'a'", "00")));
        badV3("E078 identifier 0", SERVER, PROTOCOL_ERROR, frame(0x82, hex("00 00 00 01", "'a'", "00")));
        badV3("no options", SERVER, MALFORMED_PACKET, frame(0x82, hex("00 01 00 01", "'a'")));
        bad("no options", SERVER, MQTT_5, MALFORMED_PACKET, frame(0x82, hex("00 01 00 00 01", "'a'")));
        for (int options = 0; options < 256; options++) {
            byte[] tail = {(byte) options};
            String name = "E136 options " + options;
            if (options > 2) {
                badV3(name, SERVER, MALFORMED_PACKET, frame(0x82, join(hex("00 01 00 01", "'a'"), tail)));
            }
            byte[] v5 = frame(0x82, join(hex("00 01 00 00 01", "'a'"), tail));
            if (options > 0x3F) {
                bad(name, SERVER, MQTT_5, MALFORMED_PACKET, v5);
            } else if ((options & 3) == 3 || options >= 0x30) {
                bad(name, SERVER, MQTT_5, PROTOCOL_ERROR, v5);
            } else {
                accepted(name, SERVER, MQTT_5, v5);
            }
        }
        bad(
                "E142 subscription identifier 0",
                SERVER,
                MQTT_5,
                PROTOCOL_ERROR,
                frame(0x82, hex("00 01 02 0B 00 00 01", "'a'", "00")));
        subAck();
    }

    private void subAck() {
        good(
                "E138 codes in order",
                CLIENT,
                MQTT_5,
                frame(0x90, hex("00 01 00 02 87 00")),
                new SubAck(1, List.of(ReasonCode.GRANTED_QOS_2, ReasonCode.NOT_AUTHORIZED, ReasonCode.SUCCESS)));
        good(
                "SUBACK with all",
                CLIENT,
                MQTT_5,
                frame(0x90, hex("00 01 0C 1F 00 02", "'no'", "26 00 01", "'k'", "00 01", "'v'", "80")),
                new SubAck(1, List.of(ReasonCode.UNSPECIFIED_ERROR), "no", List.of(new UserProperty("k", "v"))));
        for (ProtocolVersion v3 : List.of(MQTT_3_1, MQTT_3_1_1)) {
            good(
                    "SUBACK",
                    CLIENT,
                    v3,
                    frame(0x90, hex("00 01 00 01 02 80")),
                    new SubAck(
                            1,
                            List.of(
                                    ReasonCode.SUCCESS,
                                    ReasonCode.GRANTED_QOS_1,
                                    ReasonCode.GRANTED_QOS_2,
                                    ReasonCode.UNSPECIFIED_ERROR)));
        }
        badV3("3.9.3-2 code of 5", CLIENT, PROTOCOL_ERROR, frame(0x90, hex("00 01 87")));
        badV3("SUBACK without code", CLIENT, PROTOCOL_ERROR, frame(0x90, hex("00 01")));
        bad("SUBACK without code", CLIENT, MQTT_5, PROTOCOL_ERROR, frame(0x90, hex("00 01 00")));
        bad("3.9.3-2 code of another packet", CLIENT, MQTT_5, PROTOCOL_ERROR, frame(0x90, hex("00 01 00 11")));
        badAll("SUBACK identifier 0", CLIENT, PROTOCOL_ERROR, frame(0x90, hex("00 00 00 00")));
    }

    private void unsubscribe() {
        good(
                "two filters",
                SERVER,
                MQTT_5,
                frame(0xA2, hex("00 01 00 00 01", "'#'", "00 00")),
                new Unsubscribe(1, List.of("#", ""), List.of()));
        good(
                "user property",
                SERVER,
                MQTT_5,
                frame(0xA2, hex("00 01 07 26 00 01", "'k'", "00 01", "'v'", "00 01", "'#'")),
                new Unsubscribe(1, List.of("#"), List.of(new UserProperty("k", "v"))));
        for (ProtocolVersion v3 : List.of(MQTT_3_1, MQTT_3_1_1)) {
            good(
                    "two filters",
                    SERVER,
                    v3,
                    frame(0xA2, hex("00 01 00 01", "'a'", "00 01", "'b'")),
                    new Unsubscribe(1, List.of("a", "b"), List.of()));
            good("UNSUBACK", CLIENT, v3, hex("B0 02 00 07"), new UnsubAck(7, List.of()));
        }
        accepted("E184 DUP in 3.1", SERVER, MQTT_3_1, frame(0xAA, hex("00 01 00 01", "'a'")));
        bad("DUP in 5", SERVER, MQTT_5, MALFORMED_PACKET, frame(0xAA, hex("00 01 00 00 01", "'a'")));
        badAll("E006 flags 0", SERVER, MALFORMED_PACKET, frame(0xA0, hex("00 01 00 00 01", "'a'")));
        bad("E135 no filter", SERVER, MQTT_5, PROTOCOL_ERROR, hex("A2 03 00 01 00"));
        badV3("E135 no filter", SERVER, PROTOCOL_ERROR, hex("A2 02 00 01"));
        badAll("E078 identifier 0", SERVER, PROTOCOL_ERROR, frame(0xA2, hex("00 00 00 00 01", "'a'")));
        badAll("filter cut off", SERVER, MALFORMED_PACKET, frame(0xA2, hex("00 01 00 09", "'a'")));
        good(
                "E147 UNSUBACK codes",
                CLIENT,
                MQTT_5,
                frame(0xB0, hex("00 01 00 00 11")),
                new UnsubAck(1, List.of(ReasonCode.SUCCESS, ReasonCode.NO_SUBSCRIPTION_EXISTED)));
        bad("UNSUBACK without code", CLIENT, MQTT_5, PROTOCOL_ERROR, frame(0xB0, hex("00 01 00")));
        bad("3.11.3-2 code of another packet", CLIENT, MQTT_5, PROTOCOL_ERROR, frame(0xB0, hex("00 01 00 97")));
        badV3("UNSUBACK with codes in 3.x", CLIENT, MALFORMED_PACKET, frame(0xB0, hex("00 01 00")));
    }

    private void disconnect() {
        for (ProtocolVersion version : ProtocolVersion.values()) {
            good("E015 empty", SERVER, version, hex("E0 00"), new Disconnect(ReasonCode.SUCCESS));
        }
        good("empty from a server", CLIENT, MQTT_5, hex("E0 00"), new Disconnect(ReasonCode.SUCCESS));
        good("E015 code alone", SERVER, MQTT_5, hex("E0 01 04"), new Disconnect(ReasonCode.DISCONNECT_WITH_WILL));
        read("code 0 alone", SERVER, MQTT_5, hex("E0 01 00"), new Disconnect(ReasonCode.SUCCESS));
        read("code 4 in full", SERVER, MQTT_5, hex("E0 02 04 00"), new Disconnect(ReasonCode.DISCONNECT_WITH_WILL));
        badV3("with a body in 3.x", SERVER, MALFORMED_PACKET, hex("E0 01 00"));
        badAll("E006 flags", SERVER, MALFORMED_PACKET, hex("E1 00"));
        bad("left over", SERVER, MQTT_5, MALFORMED_PACKET, hex("E0 03 00 00 00"));
        List<Integer> ofClients =
                List.of(0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99);
        List<Integer> ofServers = List.of(
                0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97,
                0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2);
        for (int code = 0; code < 256; code++) {
            byte[] bytes = {(byte) 0xE0, 1, (byte) code};
            for (Role us : Role.values()) {
                String name = "E055 3.14.2-1 code " + code;
                if ((us == SERVER ? ofClients : ofServers).contains(code)) {
                    accepted(name, us, MQTT_5, bytes);
                } else {
                    bad(name, us, MQTT_5, PROTOCOL_ERROR, bytes);
                }
            }
        }
        good(
                "E049 session expiry",
                SERVER,
                MQTT_5,
                frame(0xE0, hex("00 11 11 FF FF FF FF 1F 00 02", "'ok'", "26 00 01", "'k'", "00 01", "'v'")),
                new Disconnect(ReasonCode.SUCCESS, Connect.NO_EXPIRY, "ok", null, List.of(new UserProperty("k", "v"))));
        good(
                "E052 server reference",
                CLIENT,
                MQTT_5,
                frame(0xE0, hex("9C 0A 1C 00 01", "'h'", "1F 00 03", "'why'")),
                new Disconnect(ReasonCode.USE_ANOTHER_SERVER, null, "why", "h", List.of()));
        bad(
                "3.14.2-2 session expiry from a server",
                CLIENT,
                MQTT_5,
                PROTOCOL_ERROR,
                frame(0xE0, hex("00 05 11 00 00 00 00")));
        bad(
                "server reference from a client",
                SERVER,
                MQTT_5,
                PROTOCOL_ERROR,
                frame(0xE0, hex("00 04 1C 00 01", "'h'")));
    }

    private void auth() {
        for (Role us : Role.values()) {
            good(
                    "continue",
                    us,
                    MQTT_5,
                    frame(0xF0, hex("18 08 15 00 01", "'m'", "16 00 01 00")),
                    new Auth(ReasonCode.CONTINUE_AUTHENTICATION, "m", new byte[1]));
            bad("AUTH without method", us, MQTT_5, PROTOCOL_ERROR, frame(0xF0, hex("18 00")));
            bad("AUTH empty: no method", us, MQTT_5, PROTOCOL_ERROR, hex("F0 00"));
            bad("AUTH of a code alone", us, MQTT_5, MALFORMED_PACKET, hex("F0 01 18"));
            bad("E006 AUTH with flags", us, MQTT_5, MALFORMED_PACKET, hex("F1 00"));
            bad("3.15.2-1 unknown code", us, MQTT_5, PROTOCOL_ERROR, frame(0xF0, hex("01 04 15 00 01", "'m'")));
        }
        good(
                "E174 re-authenticate",
                SERVER,
                MQTT_5,
                frame(0xF0, hex("19 0A 15 00 01", "'m'", "1F 00 03", "'why'")),
                new Auth(ReasonCode.RE_AUTHENTICATE, "m", null, "why", List.of()));
        good(
                "success",
                CLIENT,
                MQTT_5,
                frame(0xF0, hex("00 04 15 00 01", "'m'")),
                new Auth(ReasonCode.SUCCESS, "m", null));
        bad("E175 success from a client", SERVER, MQTT_5, PROTOCOL_ERROR, frame(0xF0, hex("00 04 15 00 01", "'m'")));
        bad(
                "E175 re-authenticate from a server",
                CLIENT,
                MQTT_5,
                PROTOCOL_ERROR,
                frame(0xF0, hex("19 04 15 00 01", "'m'")));
    }

    /** Every string of every packet with every fault and every oddity. */
    private void strings() {
        Map<String, byte[]> faults = new LinkedHashMap<>();
        faults.put("U+0000", hex("61 00 62"));
        faults.put("only U+0000", hex("00"));
        faults.put("U+0000 after eight", hex("61 61 61 61 61 61 61 61 61 61 00 61 61 61 61 61 61 61"));
        faults.put("surrogate D800", hex("ED A0 80"));
        faults.put("surrogate DFFF", hex("61 ED BF BF"));
        faults.put("surrogate pair", hex("ED A0 BD ED B8 80"));
        faults.put("overlong slash", hex("C0 AF"));
        faults.put("overlong U+0000", hex("C0 80"));
        faults.put("overlong C1", hex("C1 BF"));
        faults.put("overlong of three", hex("E0 80 80"));
        faults.put("overlong of three, largest", hex("E0 9F BF"));
        faults.put("overlong of four", hex("F0 8F BF BF"));
        faults.put("above U+10FFFF", hex("F4 90 80 80"));
        faults.put("F5", hex("F5 80 80 80"));
        faults.put("FF", hex("FF"));
        faults.put("lone continuation", hex("61 80"));
        faults.put("cut off after one of two", hex("61 C3"));
        faults.put("cut off after two of three", hex("E2 82"));
        faults.put("cut off after three of four", hex("61 61 61 61 61 F0 9F 98"));
        faults.put("continuation missing", hex("E2 28 A1"));
        faults.put("third missing", hex("E2 82 28"));
        faults.put("fourth missing", hex("F0 9F 98 28"));
        Map<String, byte[]> oddities = new LinkedHashMap<>();
        oddities.put("E011 BOM", hex("EF BB BF 61"));
        oddities.put("E010 controls", hex("01 1F 7F C2 80 C2 9F"));
        oddities.put("E010 non-characters", hex("EF B7 90 EF BF BE EF BF BF F0 9F BF BE"));
        oddities.put("bounds", hex("C2 80 DF BF E0 A0 80 ED 9F BF EE 80 80 F0 90 80 80 F4 8F BF BF"));
        oddities.put("E012 not normalized", hex("65 CC 81 C3 A9"));
        oddities.put("long", hex("'" + "é".repeat(100) + "'"));
        for (Field field : stringFields()) {
            faults.forEach((name, bytes) -> bad(
                    "E008 E009 " + name + " in " + field.name,
                    field.us,
                    field.version,
                    MALFORMED_PACKET,
                    field.packet.apply(string(bytes))));
            oddities.forEach((name, bytes) ->
                    accepted(name + " in " + field.name, field.us, field.version, field.packet.apply(string(bytes))));
        }
    }

    private static byte[] string(byte[] utf8) {
        return join(new byte[] {(byte) (utf8.length >> 8), (byte) utf8.length}, utf8);
    }

    private record Field(String name, Role us, @Nullable ProtocolVersion version, UnaryOperator<byte[]> packet) {}

    private static List<Field> stringFields() {
        List<Field> fields = new ArrayList<>();
        fields.add(new Field(
                "client identifier",
                SERVER,
                null,
                s -> frame(0x10, join(hex("00 04", "'MQTT'", "05 02 00 00 00"), s))));
        fields.add(new Field(
                "client identifier of 3.1",
                SERVER,
                null,
                s -> frame(0x10, join(hex("00 06", "'MQIsdp'", "03 02 00 00"), s))));
        fields.add(new Field(
                "will topic",
                SERVER,
                null,
                s -> frame(0x10, join(hex("00 04", "'MQTT'", "05 06 00 00 00 00 00 00"), s, hex("00 00")))));
        fields.add(new Field(
                "user name", SERVER, null, s -> frame(0x10, join(hex("00 04", "'MQTT'", "04 82 00 00 00 00"), s))));
        fields.add(new Field(
                "will content type",
                SERVER,
                null,
                s -> frame(
                        0x10,
                        join(
                                hex("00 04", "'MQTT'", "05 06 00 00 00 00 00"),
                                block("03", s),
                                hex("00 01", "'w'", "00 00")))));
        for (Place place : places()) {
            for (int id : new int[] {0x03, 0x08, 0x12, 0x15, 0x1A, 0x1C, 0x1F}) {
                if (place.allowed.contains(id)
                        && !(place.name.equals("AUTH") && id == 0x15)
                        && !place.other.contains(id)) {
                    fields.add(new Field(
                            "property " + id + " of " + place.name,
                            place.us,
                            place.version,
                            s -> place.packet.apply(join(new byte[] {(byte) id}, s))));
                }
            }
            fields.add(new Field(
                    "user property name of " + place.name,
                    place.us,
                    place.version,
                    s -> place.packet.apply(join(hex("26"), s, hex("00 00")))));
            fields.add(new Field(
                    "user property value of " + place.name,
                    place.us,
                    place.version,
                    s -> place.packet.apply(join(hex("26 00 00"), s))));
        }
        for (ProtocolVersion version : ProtocolVersion.values()) {
            byte[] none = version == MQTT_5 ? new byte[1] : new byte[0];
            fields.add(new Field("topic", SERVER, version, s -> frame(0x30, join(s, none))));
            fields.add(new Field(
                    "topic filter", SERVER, version, s -> frame(0x82, join(hex("00 01"), none, s, hex("00")))));
            fields.add(new Field(
                    "filter of UNSUBSCRIBE", SERVER, version, s -> frame(0xA2, join(hex("00 01"), none, s))));
        }
        return fields;
    }

    private static byte[] block(String id, byte[] value) {
        byte[] property = join(hex(id), value);
        byte[] packet = frame(0, property);
        return Arrays.copyOfRange(packet, 1, packet.length);
    }

    private record Place(
            String name,
            Role us,
            @Nullable ProtocolVersion version,
            List<Integer> allowed,
            List<Integer> other,
            UnaryOperator<byte[]> packet) {}

    private static UnaryOperator<byte[]> around(int first, byte[] before, byte[] after) {
        return properties -> {
            byte[] packet = frame(0, properties);
            byte[] block = Arrays.copyOfRange(packet, 1, packet.length);
            return frame(first, join(before, block, after));
        };
    }

    /** The packets with properties by section 2.2.2.2: which they may have, and which only from the other side. */
    private static List<Place> places() {
        List<Place> places = new ArrayList<>();
        List<Integer> none = List.of();
        places.add(new Place(
                "CONNECT",
                SERVER,
                null,
                List.of(0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27),
                none,
                around(0x10, hex("00 04", "'MQTT'", "05 02 00 00"), hex("00 00"))));
        places.add(new Place(
                "will",
                SERVER,
                null,
                List.of(0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26),
                none,
                around(0x10, hex("00 04", "'MQTT'", "05 06 00 00 00 00 00"), hex("00 01", "'w'", "00 00"))));
        places.add(new Place(
                "CONNACK",
                CLIENT,
                MQTT_5,
                List.of(
                        0x11, 0x12, 0x13, 0x15, 0x16, 0x1A, 0x1C, 0x1F, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29,
                        0x2A),
                none,
                around(0x20, hex("00 00"), hex(""))));
        List<Integer> publish = List.of(0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x23, 0x26);
        places.add(new Place(
                "PUBLISH to a server",
                SERVER,
                MQTT_5,
                publish,
                List.of(0x0B),
                around(0x30, hex("00 01", "'a'"), hex(""))));
        places.add(new Place(
                "PUBLISH to a client", CLIENT, MQTT_5, publish, none, around(0x30, hex("00 01", "'a'"), hex(""))));
        List<Integer> ack = List.of(0x1F, 0x26);
        for (int first : new int[] {0x40, 0x50, 0x62, 0x70}) {
            places.add(new Place("ack " + first, SERVER, MQTT_5, ack, none, around(first, hex("00 01 00"), hex(""))));
        }
        places.add(new Place(
                "SUBSCRIBE",
                SERVER,
                MQTT_5,
                List.of(0x0B, 0x26),
                none,
                around(0x82, hex("00 01"), hex("00 01", "'a'", "00"))));
        places.add(new Place("SUBACK", CLIENT, MQTT_5, ack, none, around(0x90, hex("00 01"), hex("00"))));
        places.add(new Place(
                "UNSUBSCRIBE", SERVER, MQTT_5, List.of(0x26), none, around(0xA2, hex("00 01"), hex("00 01", "'a'"))));
        places.add(new Place("UNSUBACK", CLIENT, MQTT_5, ack, none, around(0xB0, hex("00 01"), hex("00"))));
        List<Integer> disconnect = List.of(0x11, 0x1C, 0x1F, 0x26);
        places.add(new Place(
                "DISCONNECT to a server", SERVER, MQTT_5, disconnect, List.of(0x1C), around(0xE0, hex("00"), hex(""))));
        places.add(new Place(
                "DISCONNECT to a client", CLIENT, MQTT_5, disconnect, List.of(0x11), around(0xE0, hex("00"), hex(""))));
        UnaryOperator<byte[]> auth = around(0xF0, hex("18"), hex(""));
        places.add(new Place(
                "AUTH",
                SERVER,
                MQTT_5,
                List.of(0x15, 0x16, 0x1F, 0x26),
                none,
                p -> auth.apply(join(hex("15 00 01 6D"), p))));
        return places;
    }

    private static final Map<Integer, String> LEGAL_VALUE = Map.ofEntries(
            Map.entry(0x01, "01"),
            Map.entry(0x02, "00 00 00 01"),
            Map.entry(0x03, "00 01 61"),
            Map.entry(0x08, "00 01 61"),
            Map.entry(0x09, "00 01 00"),
            Map.entry(0x0B, "01"),
            Map.entry(0x11, "00 00 00 01"),
            Map.entry(0x12, "00 01 61"),
            Map.entry(0x13, "00 01"),
            Map.entry(0x15, "00 01 61"),
            Map.entry(0x16, "00 01 00"),
            Map.entry(0x17, "01"),
            Map.entry(0x18, "00 00 00 01"),
            Map.entry(0x19, "01"),
            Map.entry(0x1A, "00 01 61"),
            Map.entry(0x1C, "00 01 61"),
            Map.entry(0x1F, "00 01 61"),
            Map.entry(0x21, "00 01"),
            Map.entry(0x22, "00 01"),
            Map.entry(0x23, "00 01"),
            Map.entry(0x24, "01"),
            Map.entry(0x25, "01"),
            Map.entry(0x26, "00 01 61 00 01 62"),
            Map.entry(0x27, "00 00 00 01"),
            Map.entry(0x28, "01"),
            Map.entry(0x29, "01"),
            Map.entry(0x2A, "01"));

    /** E026: each identifier in each packet; E025: each once and twice. */
    private void propertyMatrix() {
        for (Place place : places()) {
            for (int id = 0; id < 0x80; id++) {
                String value = LEGAL_VALUE.get(id);
                byte[] property = hex(String.format("%02X", id), value == null ? "00" : value);
                String name = String.format("property %02X in %s", id, place.name);
                if (!place.allowed.contains(id)) {
                    bad("E026 " + name, place.us, place.version, MALFORMED_PACKET, place.packet.apply(property));
                    continue;
                }
                if (place.other.contains(id)) {
                    bad("E083 " + name, place.us, place.version, PROTOCOL_ERROR, place.packet.apply(property));
                    continue;
                }
                boolean given = place.name.equals("AUTH") && id == 0x15;
                byte[] needed = id == 0x16 && !place.name.equals("AUTH") ? hex("15 00 01", "'m'") : new byte[0];
                if (!given) {
                    accepted(name, place.us, place.version, place.packet.apply(join(needed, property)));
                }
                byte[] twice = place.packet.apply(join(needed, property, property));
                if (id == 0x26 || id == 0x0B && place.name.startsWith("PUBLISH")) {
                    accepted(name + " twice", place.us, place.version, twice);
                } else {
                    bad("E025 " + name + " twice", place.us, place.version, PROTOCOL_ERROR, twice);
                }
            }
            bad(
                    "E026 unknown identifier of two bytes in " + place.name,
                    place.us,
                    place.version,
                    MALFORMED_PACKET,
                    place.packet.apply(hex("81 01 00")));
        }
    }
}
