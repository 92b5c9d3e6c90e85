package org.dunlin.core.sim;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.dunlin.core.session.Publishing;
import org.dunlin.core.session.Shards;
import org.dunlin.core.session.ShardsProbe;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.Rights;
import org.jspecify.annotations.Nullable;

/**
 * The test's thread only. Takes clients the right to get some topics, or to subscribe to some filters, and gives it back, while
 * they are served.
 */
final class SimRights implements Authorizer {
    private static final StackWalker CALLER = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

    private static final String[] TOPICS = {"t/0", "t/1", "t/1/x", "s/0", "s/1", "r/c0", "r/c1"};

    private static final String[] FILTERS = {"t/0", "t/+", "t/1/#", "+/1/x", "r/#", "s/#", "s/0"};

    private final Random random;
    /** Topics by client identifier. */
    private final Map<String, Set<String>> denied = new HashMap<>();
    /** As the broker was told last, which counts from then on. */
    private final Map<String, Set<String>> told = new HashMap<>();

    private final Map<String, Set<String>> ever = new HashMap<>();
    /** Filters by client identifier. */
    private final Map<String, Set<String>> refused = new HashMap<>();

    private final Map<String, Set<String>> everRefused = new HashMap<>();

    SimRights(Random random) {
        this.random = random;
    }

    @Override
    public Rights rights(Client client) {
        Set<String> now = Set.copyOf(denied.getOrDefault(client.clientId(), Set.of()));
        // what is asked for a delayed message decides about that alone: the session may not have been settled anew yet
        if (CALLER.getCallerClass() != Publishing.class) {
            told.put(client.clientId(), now);
        }
        return new DeniedTopics(Set.of(), Set.copyOf(refused.getOrDefault(client.clientId(), Set.of())), now);
    }

    @Override
    public Rights restored(String clientId, @Nullable String userName) {
        return Rights.ALL; // asked about its will alone
    }

    /** Whether the broker knows that a client may not get it. */
    boolean isDenied(String clientId, String topic) {
        return told.getOrDefault(clientId, Set.of()).contains(topic);
    }

    /** Whether a client was ever without the right, so that it may miss a message. */
    boolean wasDenied(String clientId, String topic) {
        return ever.getOrDefault(clientId, Set.of()).contains(topic);
    }

    boolean wasDeniedToAnybody(String topic) {
        return ever.values().stream().anyMatch(topics -> topics.contains(topic));
    }

    /** Whether a client was ever without the right to subscribe to it, so that its subscription may have ended. */
    boolean wasRefused(String clientId, String pattern) {
        return everRefused.getOrDefault(clientId, Set.of()).contains(pattern);
    }

    boolean isDue() {
        return random.nextInt(3) == 0;
    }

    /** Changes what one client may do, and lets the broker ask anew. */
    void change(List<SimClient> clients, Shards shards) {
        String client = clients.get(random.nextInt(clients.size())).id;
        Set<String> topics = new HashSet<>();
        for (int n = random.nextInt(4); n > 0; n--) {
            topics.add(TOPICS[random.nextInt(TOPICS.length)]);
        }
        denied.put(client, topics);
        ever.computeIfAbsent(client, id -> new HashSet<>()).addAll(topics);
        Set<String> filters = new HashSet<>();
        for (int n = random.nextInt(6) - 3; n > 0; n--) {
            filters.add(FILTERS[random.nextInt(FILTERS.length)]);
        }
        refused.put(client, filters);
        everRefused.computeIfAbsent(client, id -> new HashSet<>()).addAll(filters);
        ShardsProbe.eachOnItsLoop(shards, shard -> shard.reviews().all(() -> {}));
    }
}
