package org.dunlin.server.acl;

import static org.dunlin.server.acl.Acl.may;
import static org.dunlin.server.acl.Acl.publishes;
import static org.dunlin.server.acl.Acl.subscribes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.dunlin.server.config.ConfigException;
import org.junit.jupiter.api.Test;

/** conf/acl.example does what its comments say. */
class ExampleTest {
    private final AclFile file;

    ExampleTest() throws ConfigException {
        file = AclFile.read(Path.of("..", "conf", "acl.example"));
    }

    @Test
    void example_hasNoFaultsAndNoWarnings() {
        assertEquals(List.of(), file.warnings());
    }

    @Test
    void everybody_readsWhatIsPublic() {
        Rights nobody = file.rights("c", null, null);
        assertTrue(subscribes(nobody, "public/#"));
        assertEquals("sr", may(nobody, "$SYS/broker/uptime"));
        assertEquals("", may(nobody, "plant/x"));
        assertEquals("psr", may(nobody, "clients/c/x"));
        assertEquals("", may(nobody, "clients/d/x"));
        assertEquals("", may(nobody, "devices/ann/commands/x"));
        assertEquals("sr", may(file.rights("c", "zoe", null), "public/x"));
    }

    @Test
    void ann_hasHerPlantButNotItsKeys() {
        Rights ann = file.rights("c", "ann", null);
        assertEquals("psr", may(ann, "plant/x"));
        assertEquals("", may(ann, "plant/keys/x"));
        assertNull(ann.refusesPublish(TopicName.of("meters/ann/1"), Qos.AT_LEAST_ONCE, false));
        assertFalse(publishes(ann, "meters/ben/1"));
        assertEquals("sr", may(ann, "alarms/x"));
        assertEquals("p", may(ann, "devices/ann/state/x"));
        assertEquals("sr", may(ann, "devices/ann/commands/x"));
    }

    @Test
    void othersOfTheGroup_haveItsRules_andTheMonitorReadsAll() {
        assertEquals("sr", may(file.rights("c", "carl gustav", null), "alarms/x"));
        Rights monitor = file.rights("c", "monitor", null);
        assertTrue(subscribes(monitor, "#"));
        assertTrue(subscribes(monitor, "$SYS/#"));
        assertFalse(publishes(monitor, "public/x"));
    }
}
