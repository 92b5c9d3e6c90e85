package org.dunlin.mqtt.codec;

import java.util.HashMap;
import java.util.Map;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/**
 * Thread of the connection only, but for those without topic aliases, which never change and which any number of connections
 * may share. How a receiver takes a PUBLISH, and the topic aliases it has been told: the first topics that are longer than an
 * alias get them, and keep them as long as the connection lives [MQTT-3.3.2-7].
 */
public final class OutboundTerms {
    /** What an alias adds to a packet at most: its property, and a second byte of the property length. */
    private static final int ALIAS_BYTES_MAX = 4;

    /** By version: for receivers that have named neither a size nor a number of aliases, as most do. */
    private static final OutboundTerms[] PLAIN = plain();

    private final ProtocolVersion version;
    private final long maximumPacketSize;
    private final int topicAliasMaximum;
    private @Nullable Map<TopicName, Integer> aliases;
    private @Nullable TopicName latest;
    private int latestAlias;

    /**
     * @param maximumPacketSize the receiver's, in bytes; {@link Long#MAX_VALUE} if it named none
     * @param topicAliasMaximum how many aliases to use: the receiver's maximum [MQTT-3.1.2-26], or less to bound what a
     *     connection holds; ignored for 3.x
     */
    public OutboundTerms(ProtocolVersion version, long maximumPacketSize, int topicAliasMaximum) {
        this.version = version;
        this.maximumPacketSize = maximumPacketSize;
        this.topicAliasMaximum = version.isV5() ? topicAliasMaximum : 0;
    }

    /** As the constructor, but the same for all receivers to which it makes no difference. */
    public static OutboundTerms of(ProtocolVersion version, long maximumPacketSize, int topicAliasMaximum) {
        return maximumPacketSize == Long.MAX_VALUE && (topicAliasMaximum == 0 || !version.isV5())
                ? PLAIN[version.ordinal()]
                : new OutboundTerms(version, maximumPacketSize, topicAliasMaximum);
    }

    private static OutboundTerms[] plain() {
        ProtocolVersion[] versions = ProtocolVersion.values();
        OutboundTerms[] plain = new OutboundTerms[versions.length];
        for (ProtocolVersion version : versions) {
            plain[version.ordinal()] = new OutboundTerms(version, Long.MAX_VALUE, 0);
        }
        return plain;
    }

    public ProtocolVersion version() {
        return version;
    }

    public long maximumPacketSize() {
        return maximumPacketSize;
    }

    public int topicAliasMaximum() {
        return topicAliasMaximum;
    }

    /** Whether it may have an alias, which never makes a packet larger than the name does. */
    boolean mayAlias(TopicName topic) {
        return topicAliasMaximum != 0 && topic.utf8().length > ALIAS_BYTES_MAX;
    }

    /** The alias that the receiver knows for it, or 0. */
    int aliasOf(TopicName topic) {
        if (topic == latest) {
            return latestAlias;
        }
        Map<TopicName, Integer> known = aliases;
        Integer alias = known == null ? null : known.get(topic);
        if (alias == null) {
            return 0;
        }
        latest = topic;
        latestAlias = alias;
        return alias;
    }

    /** An alias not in use yet, or 0. */
    int freeAlias() {
        Map<TopicName, Integer> known = aliases;
        int used = known == null ? 0 : known.size();
        return used < topicAliasMaximum ? used + 1 : 0;
    }

    /** The receiver has been told of the alias from {@link #freeAlias()}. */
    void told(TopicName topic, int alias) {
        Map<TopicName, Integer> known = aliases;
        if (known == null) {
            known = new HashMap<>();
            aliases = known;
        }
        known.put(topic, alias);
    }
}
