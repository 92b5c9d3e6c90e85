package org.dunlin.server.config;

import static org.dunlin.server.config.ValueType.choice;
import static org.dunlin.server.config.ValueType.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.dunlin.server.config.Config.AnonymousAccess;
import org.dunlin.server.config.Config.DeniedPublish;

/** What can be set of who gets in and what they may do. Any thread. */
final class AuthKeys {
    static final List<Key<?>> ALL = new ArrayList<>();

    static final Key<AnonymousAccess> ALLOW_ANONYMOUS = add(Key.of(
            "auth.allow-anonymous",
            choice(AnonymousAccess.class, Set.of()),
            AnonymousAccess.AUTO,
            "Whether clients without a user may connect; auto: on loopback listeners, without a password file."));

    static final Key<String> PASSWORD_FILE = add(Key.of(
            "auth.password-file",
            text("nothing, or a path of 1 to 1024 printable characters", Pattern.compile("[^\\p{Cntrl}]*")),
            "",
            "Users: lines USER:HASH, made by 'dunlin user' or mosquitto_passwd; watched; none if empty."));

    static final Key<String> ACL_FILE = add(Key.of(
            "auth.acl-file",
            text("nothing, or a path of 1 to 1024 printable characters", Pattern.compile("[^\\p{Cntrl}]*")),
            "",
            "Rights by topic, in the form of mosquitto's ACL file; watched; if empty, everything is allowed."));

    static final Key<DeniedPublish> DENIED_PUBLISH = add(Key.of(
            "auth.denied-publish",
            choice(DeniedPublish.class, Set.of()),
            DeniedPublish.DROP,
            "A PUBLISH without the right to it, from a client before MQTT 5 that cannot be told: drop it, or close."));

    private AuthKeys() {}

    private static <T> Key<T> add(Key<T> key) {
        ALL.add(key);
        return key;
    }
}
