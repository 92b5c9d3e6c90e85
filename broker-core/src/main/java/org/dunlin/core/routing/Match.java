package org.dunlin.core.routing;

import java.util.Arrays;
import org.dunlin.mqtt.TopicName;

/** The routes that a topic had when it was matched, each once and in no particular order. Immutable. Any thread. */
public final class Match {
    static final Route[] NO_ROUTES = {};

    private final TopicName topic;
    private final Route[] routes;
    private final Generations.Branch branch;

    Match(TopicName topic, Route[] routes, Generations.Branch branch) {
        this.topic = topic;
        this.routes = routes;
        this.branch = branch;
    }

    public TopicName topic() {
        return topic;
    }

    public int size() {
        return routes.length;
    }

    /** @param i from 0 to {@link #size()} - 1 */
    public Route route(int i) {
        return routes[i];
    }

    Generations.Branch branch() {
        return branch;
    }

    @Override
    public String toString() {
        return topic + " -> " + Arrays.toString(routes);
    }
}
