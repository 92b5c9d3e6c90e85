package org.dunlin.it.soak;

import java.util.List;
import java.util.function.Consumer;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;

/** Several messages under way at once, each with its whole exchange. The socket's thread. */
final class Exchange {
    private Exchange() {}

    /**
     * Sends them in one go and completes them; nothing else may come meanwhile.
     *
     * @param messages all of the same QoS
     * @param alias topic alias that all have, 0 for none
     */
    static void publish(MqttSocket socket, List<Message> messages, int alias) {
        Qos qos = messages.get(0).qos();
        Packet[] packets = new Packet[messages.size()];
        int[] ids = new int[packets.length];
        for (int i = 0; i < packets.length; i++) {
            ids[i] = qos == Qos.AT_MOST_ONCE ? 0 : socket.nextId();
            packets[i] = new Publish(messages.get(i), ids[i], false, alias, List.of());
        }
        socket.send(packets);
        switch (qos) {
            case AT_MOST_ONCE -> {}
            case AT_LEAST_ONCE -> await(socket, PacketType.PUBACK, ids);
            case EXACTLY_ONCE -> {
                await(socket, PacketType.PUBREC, ids);
                for (int i = 0; i < packets.length; i++) {
                    packets[i] = new Ack(PacketType.PUBREL, ids[i]);
                }
                socket.send(packets);
                await(socket, PacketType.PUBCOMP, ids);
            }
        }
    }

    private static void await(MqttSocket socket, PacketType type, int[] ids) {
        for (int id : ids) {
            Ack ack = socket.receiveAck(type);
            if (ack.packetId() != id || ack.reason().isError()) {
                throw new AssertionError("expected " + type + " of packet identifier " + id + ", got " + ack);
            }
        }
    }

    /** Receives so many messages and completes each. */
    static void receive(MqttSocket socket, int count, Consumer<Message> messages) {
        int left = count;
        int open = 0;
        while (left > 0 || open > 0) {
            Packet packet = socket.receive();
            if (packet instanceof Publish publish) {
                left--;
                open += publish.message().qos() == Qos.EXACTLY_ONCE ? 1 : 0;
                messages.accept(publish.message());
            } else if (packet instanceof Ack ack && ack.type() == PacketType.PUBREL) {
                open--;
            }
            answer(socket, packet);
        }
    }

    /** Answers whatever has to be answered. */
    static void answer(MqttSocket socket, Packet packet) {
        if (packet instanceof Publish publish) {
            switch (publish.message().qos()) {
                case AT_MOST_ONCE -> {}
                case AT_LEAST_ONCE -> socket.send(new Ack(PacketType.PUBACK, publish.packetId()));
                case EXACTLY_ONCE -> socket.send(new Ack(PacketType.PUBREC, publish.packetId()));
            }
        } else if (packet instanceof Ack ack
                && ack.type() == PacketType.PUBREC
                && !ack.reason().isError()) {
            socket.send(new Ack(PacketType.PUBREL, ack.packetId()));
        } else if (packet instanceof Ack ack && ack.type() == PacketType.PUBREL) {
            socket.send(new Ack(PacketType.PUBCOMP, ack.packetId()));
        }
    }
}
