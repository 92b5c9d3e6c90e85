package org.dunlin.mqtt.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.codec.PacketDecoder.Role;
import org.dunlin.mqtt.codec.PublishWriter.Result;
import org.junit.jupiter.api.Test;

/**
 * Bursts by chance from one {@link PublishWriter} to many receivers: each reads what it was sent, nothing exceeds its
 * maximum, and nothing is left out that would have fitted.
 */
class PublishBurstTest {
    private static final int BURSTS = 1000;
    private static final int RECEIVERS = 8;
    private static final int[][] IDS = {{}, {}, {1}, {300, 268_435_455}};

    private final long seed = RandomPackets.seed();
    private final Random random = new Random(seed);
    private final PublishWriter writer = new PublishWriter();

    /** A receiver with the aliases it has been told. */
    private record Receiver(OutboundTerms terms, PacketDecoder decoder) {}

    @Test
    void write_bursts_eachReceiverReadsWhatItWasSent() {
        RandomPackets packets = new RandomPackets(seed);
        List<Message> messages = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            ProtocolVersion version = ProtocolVersion.values()[random.nextInt(3)];
            messages.add(((Publish) packets.packet(PacketType.PUBLISH, Role.CLIENT, version)).message());
        }
        int tooLarge = 0;
        for (int burst = 0; burst < BURSTS; burst++) {
            List<Receiver> receivers = new ArrayList<>();
            for (int i = 0; i < RECEIVERS; i++) {
                receivers.add(receiver());
            }
            for (int n = 1 + random.nextInt(4); n > 0; n--) {
                Message message = messages.get(random.nextInt(messages.size()));
                for (int i = random.nextInt(2 * RECEIVERS); i >= 0; i--) {
                    tooLarge += send(message, receivers.get(random.nextInt(RECEIVERS))) ? 0 : 1;
                }
            }
            if (random.nextBoolean()) {
                writer.forget();
            }
        }
        assertTrue(tooLarge > BURSTS, "packets around the maximum, seed " + seed);
    }

    private Receiver receiver() {
        ProtocolVersion version = ProtocolVersion.values()[random.nextInt(3)];
        long maximum = random.nextBoolean() ? Long.MAX_VALUE : 10 + random.nextInt(60);
        int aliases = random.nextInt(3);
        PacketDecoder decoder = new PacketDecoder(Role.CLIENT)
                .version(version)
                .topicAliasMaximum(aliases)
                .ingress(Packets.INGRESS)
                .maximumPacketSize((int) Math.min(maximum, Wire.PACKET_MAX));
        return new Receiver(new OutboundTerms(version, maximum, aliases), decoder);
    }

    /** @return whether it was not too large */
    private boolean send(Message message, Receiver to) {
        boolean v5 = to.terms.version().isV5();
        Qos qos = Qos.of(random.nextInt(3));
        boolean retain = random.nextBoolean();
        boolean dup = random.nextBoolean();
        int id = qos == Qos.AT_MOST_ONCE ? 0 : 1 + random.nextInt(65_535);
        int[] ids = IDS[random.nextInt(IDS.length)];
        long now = Packets.NOW + random.nextInt(100_000);
        ByteBuf out = Unpooled.buffer().writeInt(0);
        out.readerIndex(4);
        Result result = writer.write(out, to.terms, message, qos, retain, dup, id, ids, now);
        List<Integer> idList = new ArrayList<>();
        for (int one : v5 ? ids : new int[0]) {
            idList.add(one);
        }
        if (result == Result.TOO_LARGE) {
            assertEquals(0, out.readableBytes());
            Publish plain = new Publish(sent(message, qos, retain), id, dup, 0, idList);
            assertFalse(
                    new PacketEncoder()
                            .version(to.terms.version())
                            .maximumPacketSize(to.terms.maximumPacketSize())
                            .encode(plain, out),
                    () -> "it would have fitted, seed " + seed);
            return false;
        }
        if (result == Result.HEADER_WRITTEN) {
            out.writeBytes(message.payload());
        }
        assertTrue(out.readableBytes() <= to.terms.maximumPacketSize());
        Publish read = (Publish) to.decoder.decode(out);
        assertEquals(0, out.readableBytes());
        Message expected = new Message(
                0,
                "",
                message.topic(),
                message.payload(),
                qos,
                retain,
                v5 && message.hasExpiry() ? Packets.NOW + message.remainingExpirySeconds(now) * 1000 : Message.NEVER,
                v5 ? message.properties() : Message.NO_BYTES);
        Publish whole = new Publish(expected, id, dup && id != 0, read.topicAlias(), idList);
        assertEquals(Packets.describe(whole), Packets.describe(read), () -> "seed " + seed);
        return true;
    }

    private static Message sent(Message message, Qos qos, boolean retain) {
        return new Message(
                0,
                "",
                message.topic(),
                message.payload(),
                qos,
                retain,
                message.expiresAtMillis(),
                message.properties());
    }
}
