package org.dunlin.mqtt.codec;

import static org.dunlin.mqtt.codec.ProtocolError.malformed;

import java.util.Arrays;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/**
 * Thread of the connection only. The topic names one connection has used: its topic aliases [MQTT-3.3.2-7], and the
 * latest names, so that a topic that repeats is neither decoded nor checked nor allocated again.
 */
final class InboundTopics {
    private static final int PAIR_BITS = 4;

    /** Longer names are not remembered, which bounds what an idle connection holds. */
    private static final int REMEMBERED_MAX = 256;

    /**
     * Bytes that the names of all aliases may have in any case, and that each alias adds: they stay as long as the
     * connection does, and no queue is charged for them.
     */
    private static final int ALIASED_BYTES = 256 * 1024;

    private static final int BYTES_OF_ALIAS = 1024;

    private @Nullable TopicName last;
    private @Nullable TopicName @Nullable [] recent;
    private @Nullable TopicName @Nullable [] aliases;
    private int aliasedBytes;

    /** The topic name in these bytes, which are not empty. */
    TopicName name(Frame in, int from, int to, boolean v5) {
        TopicName latest = last;
        if (latest != null && isIn(in, from, to, latest)) {
            return latest;
        }
        if (to - from > REMEMBERED_MAX) {
            return decode(in, from, to, v5);
        }
        int pair = 2 * (int) (in.fingerprint(from, to) >>> 64 - PAIR_BITS);
        @Nullable TopicName[] slots = recent;
        if (slots != null) {
            TopicName found = slots[pair];
            if (found == null || !isIn(in, from, to, found)) {
                found = slots[pair + 1];
            }
            if (found != null && isIn(in, from, to, found)) {
                last = found;
                return found;
            }
        }
        TopicName decoded = decode(in, from, to, v5);
        if (slots == null && latest != null) {
            slots = new @Nullable TopicName[2 << PAIR_BITS];
            recent = slots;
        }
        if (slots != null) {
            slots[pair + 1] = slots[pair]; // the older one of the two leaves
            slots[pair] = decoded;
        }
        last = decoded;
        return decoded;
    }

    private static boolean isIn(Frame in, int from, int to, TopicName name) {
        return name.utf8().length == to - from && in.matches(from, name.utf8());
    }

    private static TopicName decode(Frame in, int from, int to, boolean v5) {
        in.checkText(from, to, "Topic Name"); // [MQTT-3.3.2-1]
        if (in.hasWildcard(from, to)) { // [MQTT-3.3.2-2]
            String text = "Topic Name has a wildcard; only a topic filter may have wildcards";
            throw v5 ? new ProtocolError(ReasonCode.TOPIC_NAME_INVALID, text) : malformed(text);
        }
        return TopicName.ofChecked(in.text(from, to), in.bytes(from, to));
    }

    /** What the alias stands for, or null if it has not been set. */
    @Nullable
    TopicName aliased(int alias) {
        @Nullable TopicName[] names = aliases;
        return names == null || alias >= names.length ? null : names[alias];
    }

    /**
     * From now on the alias stands for that name.
     *
     * @param alias 1 to maximum
     * @throws ProtocolError if the names of all aliases would have too many bytes; then nothing has changed
     */
    void alias(int alias, TopicName name, int maximum) {
        @Nullable TopicName[] names = aliases;
        if (names == null) {
            names = new @Nullable TopicName[Math.min(maximum, Math.max(alias, 7)) + 1];
            aliases = names;
        } else if (alias >= names.length) {
            names = Arrays.copyOf(names, Math.min(maximum, Math.max(alias, 2 * names.length)) + 1);
            aliases = names;
        }
        TopicName before = names[alias];
        int bytes = aliasedBytes + name.utf8().length - (before == null ? 0 : before.utf8().length);
        if (bytes > Math.max(ALIASED_BYTES, BYTES_OF_ALIAS * maximum)) {
            throw new ProtocolError(
                    ReasonCode.QUOTA_EXCEEDED,
                    "The names that Topic Aliases stand for are longer than is kept here; see limits.topic-alias-maximum");
        }
        aliasedBytes = bytes;
        names[alias] = name;
    }
}
