package org.dunlin.server.acl;

import static org.dunlin.server.acl.Acl.may;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.Authorizer.Client;
import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AclAuthorizerTest {
    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void write() throws Exception {
        file = Files.writeString(folder.resolve("acl"), "topic read a\n");
    }

    private static Rights rights(AclAuthorizer authorizer, Authorizer.@Nullable Claims claims) {
        return authorizer.rights(new Client("c", null, claims));
    }

    @Test
    void changedFile_countsForWhoeverAsksThen_andIsToldOnce() throws Exception {
        Semaphore told = new Semaphore(0);
        try (AclAuthorizer authorizer = new AclAuthorizer(file, false)) {
            Rights before = rights(authorizer, null);
            authorizer.follow(told::release);
            Files.writeString(file, "topic write a\n");
            assertTrue(told.tryAcquire(30, TimeUnit.SECONDS));

            assertEquals("sr", may(before, "a"));
            assertEquals("p", may(rights(authorizer, null), "a"));
            assertEquals(0, told.availablePermits());
        }
    }

    @Test
    void faultyOrMissingFile_leavesTheRulesReadBefore() throws Exception {
        try (AclAuthorizer authorizer = new AclAuthorizer(file, false)) {
            AclFile before = authorizer.file();
            Files.writeString(file, "topic write a\ntopic\n");
            authorizer.look();
            assertSame(before, authorizer.file());
            Files.delete(file);
            authorizer.look();
            assertSame(before, authorizer.file());
            Files.writeString(file, "topic write a\n");
            authorizer.look();
            assertEquals("p", may(rights(authorizer, null), "a"));
        }
    }

    @Test
    void faultsOfTheFirstFile_areThrown() throws Exception {
        Files.writeString(file, "topic\nuser\n");
        ConfigException faulty = assertThrows(ConfigException.class, () -> new AclAuthorizer(file, false));
        assertEquals(2, faulty.faults().size());

        ConfigException missing =
                assertThrows(ConfigException.class, () -> new AclAuthorizer(folder.resolve("none"), false));
        assertEquals(
                folder.resolve("none") + ": there is no such ACL file; write one, or correct auth.acl-file",
                missing.getMessage());
    }

    @Test
    void withoutFile_everybodyMayDoEverything_butForWhatATokenLists() throws Exception {
        try (AclAuthorizer authorizer = new AclAuthorizer(null, true)) {
            List<TopicFilter> topics = List.of(TopicFilter.of("t/#"));
            Rights listed =
                    rights(authorizer, TokenRights.of(new TokenRights.Allowed(topics, List.of(), topics), List.of()));

            assertSame(Rights.ALL, rights(authorizer, null));
            assertSame(Rights.ALL, rights(authorizer, TokenRights.of(null, List.of("g"))));
            assertSame(Rights.ALL, authorizer.restored("c", "ann"));
            assertEquals("pr", may(listed, "t/1"));
            assertEquals("", may(listed, "u"));
            assertEquals(
                    "the token does not allow to publish to 'u'",
                    Objects.requireNonNull(listed.refusesPublish(TopicName.of("u"), Qos.AT_MOST_ONCE, false)));
        }
    }

    @Test
    void whoIsAway_hasTheRightsOfTheFile_orItsDenialsIfTokensMaySayMore() throws Exception {
        Files.writeString(file, "user ann\ntopic write will\ntopic deny secret\n");
        try (AclAuthorizer fileAlone = new AclAuthorizer(file, false);
                AclAuthorizer withTokens = new AclAuthorizer(file, true)) {
            assertEquals("p", may(fileAlone.restored("c", "ann"), "will"));
            assertEquals("", may(fileAlone.restored("c", "ann"), "other"));
            assertEquals("psr", may(withTokens.restored("c", "ann"), "other"));
            assertEquals("", may(withTokens.restored("c", "ann"), "secret"));
        }
    }

    /** Whoever comes back with equal rights has its subscriptions left as they are. */
    @Test
    void rightsOfOneClient_areEqual_untilTheFileOrItsTokenIsAnother() throws Exception {
        Files.writeString(file, "user ann\ntopic a\npattern read own/%c/#\n");
        try (AclAuthorizer authorizer = new AclAuthorizer(file, true)) {
            Authorizer.Claims token = TokenRights.of(
                    new TokenRights.Allowed(List.of(TopicFilter.of("t")), List.of(), List.of()), List.of());
            Rights ann = authorizer.rights(new Client("c", "ann", null));

            assertEquals(ann, authorizer.rights(new Client("c", "ann", null)));
            assertEquals(
                    ann.hashCode(),
                    authorizer.rights(new Client("c", "ann", null)).hashCode());
            assertNotEquals(ann, authorizer.rights(new Client("d", "ann", null)));
            assertNotEquals(ann, authorizer.rights(new Client("c", "ben", null)));
            assertNotEquals(ann, authorizer.rights(new Client("c", "ann", token)));
            assertNotEquals(ann, authorizer.restored("c", "ann"));
            assertEquals(
                    authorizer.rights(new Client("c", "ann", token)), authorizer.rights(new Client("c", "ann", token)));
            Files.writeString(file, "user ann\ntopic b\npattern read own/%c/#\n");
            authorizer.look();
            authorizer.look();
            assertNotEquals(ann, authorizer.rights(new Client("c", "ann", null)));
        }
    }

    @Test
    void claimsOfSomebodyElse_areNotTakenForRights() throws Exception {
        try (AclAuthorizer authorizer = new AclAuthorizer(file, true)) {
            Authorizer.Claims foreign = new Authorizer.Claims() {};
            assertThrows(IllegalArgumentException.class, () -> rights(authorizer, foreign));
        }
    }

    @Test
    void whoNobodyAskedWhoTheyAre_isWarnedOf() throws Exception {
        Files.writeString(file, "topic read a\nuser ann\ntopic write a\npattern read %c\n");
        try (AclAuthorizer authorizer = new AclAuthorizer(file, false)) {
            assertEquals(
                    List.of(
                            "Clients without a user name may connect (listeners tcp-1, ws-1); " + file
                                    + " allows them: 1 rule(s) before the first user, 0 of 'all', 1 pattern(s)",
                            file + " has rules for users, but nobody proves to be one: a client has the rights of"
                                    + " whatever user it names; configure auth.password-file"),
                    authorizer.warnings(List.of("ws-1", "tcp-1"), false));
            assertEquals(List.of(), authorizer.warnings(List.of(), true));
        }
        try (AclAuthorizer authorizer = new AclAuthorizer(null, false)) {
            assertEquals(List.of(), authorizer.warnings(List.of("tcp-1"), false));
        }
    }
}
