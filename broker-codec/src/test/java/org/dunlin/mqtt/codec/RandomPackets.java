package org.dunlin.mqtt.codec;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Auth;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.UnsubAck;
import org.dunlin.mqtt.Unsubscribe;
import org.dunlin.mqtt.UserProperty;
import org.dunlin.mqtt.Will;
import org.dunlin.mqtt.codec.PacketDecoder.Role;
import org.jspecify.annotations.Nullable;

/** Valid packets by chance, the same for the same seed. Not thread safe. */
public final class RandomPackets {
    private static final String[] CHARACTERS = {
        "a", "Z", "0", "/", " ", "$", "é", "€", "😀", "\u0001", "\uFEFF", "\uFFFF"
    };

    private final Random random;

    public RandomPackets(long seed) {
        random = new Random(seed);
    }

    /** The seed of a test: that of {@code -Ddunlin.seed}, or a new one. */
    public static long seed() {
        return Long.getLong("dunlin.seed", System.nanoTime());
    }

    /** The packets that this side may send in that version. */
    public static List<PacketType> types(Role sender, ProtocolVersion version) {
        List<PacketType> types = new ArrayList<>();
        for (PacketType type : PacketType.values()) {
            boolean may = switch (type) {
                case CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ -> sender == Role.CLIENT;
                case CONNACK, SUBACK, UNSUBACK, PINGRESP -> sender == Role.SERVER;
                case DISCONNECT -> sender == Role.CLIENT || version.isV5();
                case AUTH -> version.isV5();
                default -> true;
            };
            if (may) {
                types.add(type);
            }
        }
        return types;
    }

    public Packet packet(PacketType type, Role sender, ProtocolVersion version) {
        boolean v5 = version.isV5();
        return switch (type) {
            case CONNECT -> connect(version);
            case CONNACK -> connAck(version);
            case PUBLISH -> publish(sender, v5);
            case PUBACK, PUBREC, PUBREL, PUBCOMP ->
                v5 ? new Ack(type, id(), reason(type), maybe(this::text), users()) : new Ack(type, id());
            case SUBSCRIBE -> new Subscribe(id(), v5 ? below(3) * 70_000 : 0, entries(v5), v5 ? users() : List.of());
            case SUBACK ->
                v5
                        ? new SubAck(id(), reasons(type), maybe(this::text), users())
                        : new SubAck(id(), many(() -> ReasonCode.granted(Qos.of(below(3)))));
            case UNSUBSCRIBE -> new Unsubscribe(id(), many(this::text), v5 ? users() : List.of());
            case UNSUBACK ->
                v5 ? new UnsubAck(id(), reasons(type), maybe(this::text), users()) : new UnsubAck(id(), List.of());
            case PINGREQ -> Ping.REQUEST;
            case PINGRESP -> Ping.RESPONSE;
            case DISCONNECT -> disconnect(sender, v5);
            case AUTH ->
                new Auth(ReasonCode.CONTINUE_AUTHENTICATION, text(), maybe(this::bytes), maybe(this::text), users());
        };
    }

    private Connect connect(ProtocolVersion version) {
        boolean named = random.nextBoolean();
        Connect.Builder connect = Connect.builder(version, text())
                .cleanStart(random.nextBoolean())
                .keepAliveSeconds(below(65_536))
                .userName(named ? text() : null)
                .password(named && random.nextBoolean() ? bytes() : null);
        boolean v5 = version.isV5();
        if (random.nextBoolean()) {
            connect.will(new Will(
                    topic(),
                    bytes(),
                    Qos.of(below(3)),
                    random.nextBoolean(),
                    v5 ? passedThrough() : new byte[0],
                    v5 && random.nextBoolean() ? random.nextInt() & 0xFFFF_FFFFL : -1,
                    v5 && random.nextBoolean() ? random.nextInt() & 0xFFFF_FFFFL : 0));
        }
        if (v5) {
            String method = maybe(this::text);
            connect.sessionExpirySeconds(random.nextInt() & 0xFFFF_FFFFL)
                    .receiveMaximum(1 + below(65_535))
                    .maximumPacketSize(random.nextBoolean() ? Long.MAX_VALUE : 1 + below(1_000_000))
                    .topicAliasMaximum(below(65_536))
                    .requestProblemInformation(random.nextBoolean())
                    .requestResponseInformation(random.nextBoolean())
                    .authentication(method, method == null ? null : maybe(this::bytes))
                    .userProperties(users());
        }
        return connect.build();
    }

    private ConnAck connAck(ProtocolVersion version) {
        if (!version.isV5()) {
            boolean present = random.nextBoolean() && version == ProtocolVersion.MQTT_3_1_1;
            return present
                    ? new ConnAck(true, ReasonCode.SUCCESS)
                    : new ConnAck(
                            false,
                            random.nextBoolean() ? ReasonCode.NOT_AUTHORIZED : ReasonCode.CLIENT_IDENTIFIER_NOT_VALID);
        }
        ReasonCode reason = reason(PacketType.CONNACK);
        String method = maybe(this::text);
        return new ConnAck(
                !reason.isError() && random.nextBoolean(),
                reason,
                new ConnAck.Properties(
                        maybe(() -> random.nextInt() & 0xFFFF_FFFFL),
                        maybe(() -> 1 + below(65_535)),
                        maybe(() -> below(2)),
                        random.nextBoolean(),
                        maybe(() -> 1L + below(1_000_000)),
                        maybe(this::text),
                        maybe(() -> below(65_536)),
                        maybe(this::text),
                        users(),
                        random.nextBoolean(),
                        random.nextBoolean(),
                        random.nextBoolean(),
                        maybe(() -> below(65_536)),
                        maybe(this::text),
                        maybe(this::text),
                        method,
                        method == null ? null : maybe(this::bytes)));
    }

    private Packet publish(Role sender, boolean v5) {
        Packets.PublishBuilder publish = Packets.aPublish(topic().text()).payload(bytes());
        int qos = below(3);
        if (qos == 1) {
            publish.qos1(id());
        } else if (qos == 2) {
            publish.qos2(id());
        }
        if (qos > 0 && random.nextBoolean()) {
            publish.dup();
        }
        if (random.nextBoolean()) {
            publish.retain();
        }
        if (v5) {
            publish.property(passedThrough());
            if (random.nextBoolean()) {
                publish.expirySeconds(random.nextInt() & 0xFFFF_FFFFL);
            }
            publish.alias(below(11));
            if (sender == Role.SERVER && random.nextBoolean()) {
                publish.subscriptionIds(1 + below(268_435_455), 1 + below(100));
            }
        }
        return publish.build();
    }

    private Disconnect disconnect(Role sender, boolean v5) {
        if (!v5) {
            return new Disconnect(ReasonCode.SUCCESS);
        }
        boolean client = sender == Role.CLIENT;
        return new Disconnect(
                random.nextBoolean() ? ReasonCode.SUCCESS : ReasonCode.PROTOCOL_ERROR,
                client ? maybe(() -> random.nextInt() & 0xFFFF_FFFFL) : null,
                maybe(this::text),
                client ? null : maybe(this::text),
                users());
    }

    private List<Subscribe.Entry> entries(boolean v5) {
        return many(() -> v5
                ? new Subscribe.Entry(
                        text(),
                        Qos.of(below(3)),
                        random.nextBoolean(),
                        random.nextBoolean(),
                        Subscribe.RetainHandling.values()[below(3)])
                : new Subscribe.Entry(text(), Qos.of(below(3))));
    }

    private ReasonCode reason(PacketType type) {
        while (true) {
            ReasonCode reason = ReasonCode.values()[below(ReasonCode.values().length)];
            if (reason.allowedIn(type)) {
                return reason;
            }
        }
    }

    private List<ReasonCode> reasons(PacketType type) {
        return many(() -> reason(type));
    }

    private byte[] passedThrough() {
        byte[] all = new byte[0];
        if (random.nextBoolean()) {
            all = Packets.join(all, new byte[] {1, (byte) below(2)});
        }
        for (UserProperty user : users()) {
            all = Packets.join(all, Packets.hex("26"), Packets.text(user.name()), Packets.text(user.value()));
        }
        if (random.nextBoolean()) {
            all = Packets.join(all, Packets.hex("08"), Packets.text(topic().text()));
        }
        return all;
    }

    private List<UserProperty> users() {
        return random.nextInt(3) > 0 ? List.of() : many(() -> new UserProperty(text(), text()));
    }

    private TopicName topic() {
        return TopicName.of("t" + text());
    }

    private String text() {
        StringBuilder text = new StringBuilder();
        int length = random.nextInt(50) == 0 ? below(300) : below(12);
        for (int i = 0; i < length; i++) {
            text.append(CHARACTERS[below(CHARACTERS.length)]);
        }
        return text.toString();
    }

    private byte[] bytes() {
        byte[] bytes = new byte[random.nextInt(50) == 0 ? below(20_000) : below(20)];
        random.nextBytes(bytes);
        return bytes;
    }

    private int id() {
        return 1 + below(65_535);
    }

    private int below(int bound) {
        return random.nextInt(bound);
    }

    private <T> @Nullable T maybe(Supplier<T> value) {
        return random.nextBoolean() ? value.get() : null;
    }

    private <T> List<T> many(Supplier<T> value) {
        List<T> values = new ArrayList<>();
        for (int i = below(4); i >= 0; i--) {
            values.add(value.get());
        }
        return values;
    }
}
