package org.dunlin.server.trace;

import java.util.ArrayList;
import java.util.List;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.jspecify.annotations.Nullable;

/**
 * Shows what one connection receives and sends to those who trace it. On the thread of the connection's loop only. Where it is
 * null, as it is unless somebody traces, nothing is done.
 */
public final class Tap {
    private final Trace[] all;
    private final Trace[] byTopic;
    private final String peer;
    private final @Nullable String clientId;

    private Tap(List<Trace> all, List<Trace> byTopic, String peer, @Nullable String clientId) {
        this.all = all.toArray(Trace[]::new);
        this.byTopic = byTopic.toArray(Trace[]::new);
        this.peer = peer;
        this.clientId = clientId;
    }

    static @Nullable Tap of(Trace[] running, String peer, @Nullable String clientId) {
        List<Trace> all = new ArrayList<>();
        List<Trace> byTopic = new ArrayList<>();
        for (Trace trace : running) {
            if (trace.target() instanceof Target.Topic) {
                byTopic.add(trace);
            } else if (trace.target().isAllOf(peer, clientId)) {
                all.add(trace);
            }
        }
        return all.isEmpty() && byTopic.isEmpty() ? null : new Tap(all, byTopic, peer, clientId);
    }

    /** The connection is there, without a packet yet. */
    public static void opened(@Nullable Tap tap, String listener) {
        if (tap != null) {
            tap.note("opened", "listener: " + listener);
        }
    }

    /** @param cause a word for people, or null */
    public static void closed(@Nullable Tap tap, @Nullable String cause) {
        if (tap != null) {
            tap.note("closed", cause);
        }
    }

    /** What the client has sent is no packet, or not one that may come. */
    public static void malformed(@Nullable Tap tap, ReasonCode reason, String detail) {
        if (tap != null) {
            for (Trace trace : tap.all) {
                trace.add((bytes, names) -> new PacketText(tap.peer, tap.clientId, "in")
                        .reason(reason.toString())
                        .detail(detail)
                        .build("malformed"));
            }
        }
    }

    private void note(String what, @Nullable String detail) {
        for (Trace trace : all) {
            trace.add((bytes, names) ->
                    new PacketText(peer, clientId, "-").detail(detail).build(what));
        }
    }

    /** From the client. */
    public static void received(@Nullable Tap tap, Packet packet) {
        if (tap != null) {
            tap.show("in", packet);
        }
    }

    /** To the client. */
    public static void sent(@Nullable Tap tap, Packet packet) {
        if (tap != null) {
            tap.show("out", packet);
        }
    }

    /** To the client: PUBACK, PUBREC, PUBREL or PUBCOMP. */
    public static void sent(@Nullable Tap tap, PacketType type, int packetId, ReasonCode reason) {
        if (tap != null && tap.all.length > 0) {
            tap.show("out", new Ack(type, packetId, reason));
        }
    }

    /** To the client: PUBLISH. */
    public static void sent(
            @Nullable Tap tap,
            Message message,
            Qos qos,
            boolean retain,
            boolean dup,
            int packetId,
            int[] subscriptionIds) {
        if (tap != null) {
            tap.show(message, qos, retain, dup, packetId, subscriptionIds);
        }
    }

    private void show(Message message, Qos qos, boolean retain, boolean dup, int packetId, int[] subscriptionIds) {
        for (Trace trace : all) {
            show(trace, message, qos, retain, dup, packetId, subscriptionIds);
        }
        for (Trace trace : byTopic) {
            if (trace.target().isMessageTo(message.topic())) {
                show(trace, message, qos, retain, dup, packetId, subscriptionIds);
            }
        }
    }

    private void show(
            Trace trace, Message message, Qos qos, boolean retain, boolean dup, int packetId, int[] subscriptionIds) {
        trace.add((bytes, names) -> new PacketText(peer, clientId, "out")
                .subscriptionIds(subscriptionIds)
                .publish(message, qos, retain, dup, packetId, bytes));
    }

    private void show(String direction, Packet packet) {
        for (Trace trace : all) {
            show(trace, direction, packet);
        }
        if (packet instanceof Publish publish) {
            for (Trace trace : byTopic) {
                if (trace.target().isMessageTo(publish.message().topic())) {
                    show(trace, direction, packet);
                }
            }
        }
    }

    private void show(Trace trace, String direction, Packet packet) {
        trace.add((bytes, names) -> new PacketText(peer, clientId, direction).of(packet, bytes, names));
    }
}
