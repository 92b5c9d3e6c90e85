package org.dunlin.server.acl;

import java.util.Locale;

/** What a rule speaks of. Any thread. */
public enum Action {
    PUBLISH,
    /** To have a subscription, whatever comes of it. */
    SUBSCRIBE,
    /** To be sent messages, whichever subscription they match. */
    RECEIVE;

    /** As it stands in an ACL file. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
