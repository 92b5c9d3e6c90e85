package org.dunlin.core.spi;

import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/** Decides what a client may do. Called on any loop's thread for each PUBLISH and filter: it answers from memory, at once. */
public interface Authorizer {
    boolean mayPublish(Client client, TopicName topic, Qos qos, boolean retain);

    /** For a shared subscription the filter without "$share/name/" is what counts: {@link TopicFilter#pattern()}. */
    boolean maySubscribe(Client client, TopicFilter filter, Qos qos);

    /** Who asks. */
    record Client(String clientId, @Nullable String userName, String peer, String listener) {}

    /** Everybody may do everything. */
    Authorizer ALL = new Authorizer() {
        @Override
        public boolean mayPublish(Client client, TopicName topic, Qos qos, boolean retain) {
            return true;
        }

        @Override
        public boolean maySubscribe(Client client, TopicFilter filter, Qos qos) {
            return true;
        }
    };
}
