package org.dunlin.core.sim;

import java.util.Set;
import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/** Any thread. Everything but some topics and filters, which are compared as text; nothing of them with "*". */
record DeniedTopics(Set<String> publish, Set<String> subscribe, Set<String> receive) implements Rights {
    static final String ALL = "*";

    static DeniedTopics publishing(String... topics) {
        return new DeniedTopics(Set.of(topics), Set.of(), Set.of());
    }

    static DeniedTopics subscribing(String... filters) {
        return new DeniedTopics(Set.of(), Set.of(filters), Set.of());
    }

    static DeniedTopics receiving(String... topics) {
        return new DeniedTopics(Set.of(), Set.of(), Set.of(topics));
    }

    @Override
    public @Nullable String refusesPublish(TopicName topic, Qos qos, boolean retain) {
        return publish.contains(ALL) || publish.contains(topic.text()) ? "no publishing to " + topic : null;
    }

    @Override
    public @Nullable String refusesSubscribe(TopicFilter filter, Qos qos) {
        return subscribe.contains(ALL) || subscribe.contains(filter.pattern()) ? "no subscribing to " + filter : null;
    }

    @Override
    public boolean receivesAllOf(TopicFilter filter) {
        return receive.stream().noneMatch(topic -> topic.equals(ALL) || filter.matches(TopicName.of(topic)));
    }

    @Override
    public boolean receivesAll() {
        return receive.isEmpty();
    }

    @Override
    public boolean mayReceive(TopicName topic) {
        return !receive.contains(ALL) && !receive.contains(topic.text());
    }
}
