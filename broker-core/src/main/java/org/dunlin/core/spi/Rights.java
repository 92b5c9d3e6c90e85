package org.dunlin.core.spi;

import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/**
 * What one client may do, as it was settled when it connected or when rights were last reviewed. Answers from memory, at
 * once, and always the same. Two that are equal give the same answers: where those of a client are equal to what they were,
 * nothing is settled anew. Any thread: a session asks on its shard, a shared group on its own.
 */
public interface Rights {
    /**
     * Whether it may publish. Asked for each PUBLISH; for wills and delayed messages when they come and when they are due, for
     * the latter with the topic behind {@code $delayed/<seconds>/}.
     *
     * @return null if it may; else why not, for the client and the log: which rule or file decides
     */
    @Nullable
    String refusesPublish(TopicName topic, Qos qos, boolean retain);

    /**
     * Whether it may subscribe. For a shared subscription the filter without "$share/name/" is what counts: {@link
     * TopicFilter#pattern()}.
     *
     * @return null if it may; else why not, for the client and the log: which rule or file decides
     */
    @Nullable
    String refusesSubscribe(TopicFilter filter, Qos qos);

    /** Whether every message that matches a filter may be delivered to it: then nobody asks for each one. */
    boolean receivesAllOf(TopicFilter filter);

    /** Whether {@link #mayReceive} is true for all topics. */
    boolean receivesAll();

    /** Whether a message of this topic may be delivered to it. */
    boolean mayReceive(TopicName topic);

    /** Everything. */
    Rights ALL = new Rights() {
        @Override
        public @Nullable String refusesPublish(TopicName topic, Qos qos, boolean retain) {
            return null;
        }

        @Override
        public @Nullable String refusesSubscribe(TopicFilter filter, Qos qos) {
            return null;
        }

        @Override
        public boolean receivesAllOf(TopicFilter filter) {
            return true;
        }

        @Override
        public boolean receivesAll() {
            return true;
        }

        @Override
        public boolean mayReceive(TopicName topic) {
            return true;
        }
    };
}
