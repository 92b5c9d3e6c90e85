package org.dunlin.server.acl;

import org.dunlin.core.spi.Authenticator.Identity;
import org.dunlin.core.spi.Authorizer;

/**
 * Somebody who has logged in to the dashboard with the right to change everything, and speaks MQTT from there: may do everything, as
 * it may through the rest of the admin port. Any thread.
 */
public record Operator() implements Authorizer.Claims {
    /** What connections from the dashboard have in place of a listener's name; none can be configured with this one. */
    public static final String LISTENER = "(admin)";

    private static final String SOURCE = "operator";

    /** Who it is, for whoever lets it in. */
    public static Identity identity() {
        return new Identity(null, SOURCE, new Operator(), Identity.WITHOUT_END);
    }
}
