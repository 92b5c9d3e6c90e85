package org.dunlin.core.routing;

/** Who stands behind a subscription: a session, a shared group, a sink within the process; later another node. */
public interface Receiver {
    /** Whether what it is owed must be in the store before the publisher is answered; the same for its whole life. */
    boolean durable();
}
