package org.dunlin.core;

import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.spi.Authenticator;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.core.spi.Store;
import org.jspecify.annotations.Nullable;

/**
 * What a broker is made of.
 *
 * @param closesOnDeniedPublish whether a PUBLISH without the right to it ends a 3.x connection, which cannot be told otherwise;
 *     else it is dropped and counted
 * @param responseInformation prefix of topics for responses that a client gets if it asks [MQTT-3.1.2-28], or null
 */
public record BrokerSettings(
        Limits limits,
        QueueLimits queueLimits,
        MemoryBudget memory,
        Store store,
        Authenticator authenticator,
        Authorizer authorizer,
        boolean closesOnDeniedPublish,
        BrokerEvents events,
        @Nullable String responseInformation) {}
