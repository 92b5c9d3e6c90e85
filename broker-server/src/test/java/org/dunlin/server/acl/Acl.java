package org.dunlin.server.acl;

import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;

/** ACL files in tests, and short questions about them. */
final class Acl {
    private Acl() {}

    static AclFile of(String... lines) {
        try {
            return AclFile.parse("acl", String.join("\n", lines).getBytes(StandardCharsets.UTF_8));
        } catch (ConfigException e) {
            throw new AssertionError(e.getMessage(), e);
        }
    }

    static List<String> faults(byte[] content) {
        return assertThrows(ConfigException.class, () -> AclFile.parse("acl", content)).faults().stream()
                .map(Object::toString)
                .toList();
    }

    static List<String> faults(String... lines) {
        return faults(String.join("\n", lines).getBytes(StandardCharsets.UTF_8));
    }

    static Rights rights(AclFile file, @Nullable String user) {
        return file.rights("id", user, null);
    }

    static boolean publishes(Rights rights, String topic) {
        return rights.refusesPublish(TopicName.of(topic), Qos.AT_MOST_ONCE, false) == null;
    }

    static boolean subscribes(Rights rights, String filter) {
        return rights.refusesSubscribe(TopicFilter.of(filter), Qos.AT_MOST_ONCE) == null;
    }

    static boolean receives(Rights rights, String topic) {
        return rights.mayReceive(TopicName.of(topic));
    }

    /** What may be done on a topic: any of "p", "s" and "r". */
    static String may(Rights rights, String topic) {
        return (publishes(rights, topic) ? "p" : "")
                + (subscribes(rights, topic) ? "s" : "")
                + (receives(rights, topic) ? "r" : "");
    }
}
