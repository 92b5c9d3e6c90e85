package org.dunlin.server.trace;

import java.net.InetAddress;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.dunlin.server.share.AddressBlock;
import org.jspecify.annotations.Nullable;

/** Whose packets are to be seen. Immutable; any thread. */
public sealed interface Target {
    /**
     * Whether all packets of a connection are meant.
     *
     * @param peer like "127.0.0.1:53211"
     * @param clientId null as long as it is not known
     */
    boolean isAllOf(String peer, @Nullable String clientId);

    /** Whether messages to that topic are meant, whoever sends or gets them. */
    boolean isMessageTo(TopicName topic);

    /** One client identifier, on whichever connection. */
    record Client(String clientId) implements Target {
        @Override
        public boolean isAllOf(String peer, @Nullable String other) {
            return clientId.equals(other);
        }

        @Override
        public boolean isMessageTo(TopicName topic) {
            return false;
        }
    }

    /** All connections from some addresses, from their first byte on. */
    record Address(AddressBlock block) implements Target {
        @Override
        public boolean isAllOf(String peer, @Nullable String clientId) {
            InetAddress address = AddressBlock.ofPeer(peer);
            return address != null && block.contains(address);
        }

        @Override
        public boolean isMessageTo(TopicName topic) {
            return false;
        }
    }

    /** Every PUBLISH to the topics of a filter. */
    record Topic(TopicFilter filter) implements Target {
        @Override
        public boolean isAllOf(String peer, @Nullable String clientId) {
            return false;
        }

        @Override
        public boolean isMessageTo(TopicName topic) {
            return filter.matches(topic);
        }
    }
}
