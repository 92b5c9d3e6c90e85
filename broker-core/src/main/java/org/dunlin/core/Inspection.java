package org.dunlin.core;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.dunlin.core.inspect.GroupView;
import org.dunlin.core.inspect.SessionView;
import org.dunlin.core.inspect.SubscriptionView;
import org.dunlin.core.routing.Subscription;
import org.dunlin.core.session.Delivery;
import org.dunlin.core.session.Session;
import org.dunlin.core.session.Shard;
import org.dunlin.core.session.Shards;
import org.dunlin.core.spi.Connection;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Will;

/**
 * What operators may look at and end. Any thread but a loop. Loops are asked for a few sessions at a time, so that no question
 * holds up their clients; answers are of the moment at which each loop was asked.
 */
public final class Inspection {
    /** Sessions that a loop describes before others have their turn. */
    private static final int AT_ONCE = 128;

    private static final String ENDED_BY_OPERATOR = "an operator has ended the session";

    private final Shards shards;

    Inspection(Shards shards) {
        this.shards = shards;
    }

    /**
     * Client identifiers with a session, in their order as UTF-16. Looks at all of them: some 10 ms for 100,000.
     *
     * @param after the last of the former page, or ""
     * @param max 1 or more
     */
    public List<String> clientIds(String after, int max, Predicate<String> wanted) {
        return shards.clientIds(after, max, wanted);
    }

    /** Those of these clients that have a session, in that order. */
    public CompletionStage<List<SessionView>> sessions(List<String> clientIds) {
        return gather(clientIds, Inspection::view).thenApply(found -> {
            List<SessionView> views = new ArrayList<>(found.size());
            for (String clientId : clientIds) {
                SessionView view = found.get(clientId);
                if (view != null) {
                    views.add(view);
                }
            }
            return views;
        });
    }

    /**
     * What those of these clients have subscribed to that have a session, in that order; of each at most so many.
     *
     * @param most for each client, 1 or more
     */
    public CompletionStage<List<SubscriptionView>> subscriptions(List<String> clientIds, int most) {
        return gather(clientIds, session -> subscriptions(session, most)).thenApply(found -> {
            List<SubscriptionView> views = new ArrayList<>();
            for (String clientId : clientIds) {
                views.addAll(found.getOrDefault(clientId, List.of()));
            }
            return views;
        });
    }

    private static SessionView view(Session session) {
        Connection connection = session.connection();
        Delivery delivery = session.delivery();
        Will will = session.will();
        // from the store's clock to the time of day
        long wall = System.currentTimeMillis() - session.shard().loop().nowMillis();
        return new SessionView(
                session.clientId(),
                session.userName(),
                session.version(),
                connection != null,
                connection == null ? null : connection.peer(),
                connection == null ? null : connection.listener(),
                session.sinceMillis() == 0 ? 0 : session.sinceMillis() + wall,
                session.durable(),
                session.expirySeconds(),
                session.expiresAtMillis() == Message.NEVER ? Long.MAX_VALUE : session.expiresAtMillis() + wall,
                will == null ? null : will.topic().text(),
                session.subscriptionCount(),
                delivery.queuedMessages(),
                delivery.queuedBytes(),
                delivery.inflight(),
                delivery.receiveMaximum(),
                session.inbound().open(),
                delivery.replaying());
    }

    private static List<SubscriptionView> subscriptions(Session session, int most) {
        List<SubscriptionView> views = new ArrayList<>();
        for (Subscription each : session.subscriptions()) {
            if (views.size() == most) {
                break;
            }
            views.add(new SubscriptionView(
                    session.clientId(),
                    each.filter().text(),
                    each.qos(),
                    each.noLocal(),
                    each.retainAsPublished(),
                    each.subscriptionIds().length == 0 ? 0 : each.subscriptionIds()[0],
                    each.guard() != null));
        }
        return views;
    }

    private <T> CompletionStage<Map<String, T>> gather(List<String> clientIds, Function<Session, T> question) {
        Map<Shard, List<String>> byShard = new HashMap<>();
        for (String clientId : clientIds) {
            Shard shard = shards.find(clientId);
            if (shard != null) {
                byShard.computeIfAbsent(shard, each -> new ArrayList<>()).add(clientId);
            }
        }
        CompletionStage<Map<String, T>> all = CompletableFuture.completedFuture(new HashMap<>());
        for (Map.Entry<Shard, List<String>> each : byShard.entrySet()) {
            Shard shard = each.getKey();
            List<String> ids = each.getValue();
            for (int from = 0; from < ids.size(); from += AT_ONCE) {
                List<String> some = ids.subList(from, Math.min(from + AT_ONCE, ids.size()));
                all = all.thenCombine(on(shard, () -> answers(shard, some, question)), (gathered, part) -> {
                    gathered.putAll(part);
                    return gathered;
                });
            }
        }
        return all;
    }

    private static <T> Map<String, T> answers(Shard shard, List<String> clientIds, Function<Session, T> question) {
        Map<String, T> answers = new HashMap<>();
        for (String clientId : clientIds) {
            Session session = shard.session(clientId);
            if (session != null) {
                answers.put(clientId, question.apply(session));
            }
        }
        return answers;
    }

    private static <T> CompletableFuture<T> on(Shard shard, Supplier<T> task) {
        return CompletableFuture.supplyAsync(task, runnable -> shard.loop().execute(runnable));
    }

    /** All shared groups, in the order of their filters. */
    public CompletionStage<List<GroupView>> groups() {
        CompletionStage<List<GroupView>> all = CompletableFuture.completedFuture(new ArrayList<>());
        for (int i = 0; i < shards.count(); i++) {
            Shard shard = shards.shard(i);
            all = all.thenCombine(on(shard, shard::groupViews), (gathered, part) -> {
                gathered.addAll(part);
                return gathered;
            });
        }
        return all.thenApply(groups -> {
            groups.sort((a, b) -> a.filter().compareTo(b.filter()));
            return groups;
        });
    }

    /**
     * Sends a client away with 0x98; its session stays as long as it may.
     *
     * @return completes with whether it was connected
     */
    public CompletionStage<Boolean> disconnect(String clientId, String why) {
        Shard shard = shards.find(clientId);
        if (shard == null) {
            return CompletableFuture.completedFuture(false);
        }
        return on(shard, () -> {
            Session session = shard.session(clientId);
            if (session == null || !session.isConnected()) {
                return false;
            }
            session.evict(ReasonCode.ADMINISTRATIVE_ACTION, why);
            return true;
        });
    }

    /**
     * Ends a session with all that waits in it, which is counted as lost; its client, if it is there, is sent away with 0x98.
     *
     * @return completes with whether there was one
     */
    public CompletionStage<Boolean> end(String clientId) {
        Shard shard = shards.find(clientId);
        if (shard == null) {
            return CompletableFuture.completedFuture(false);
        }
        return on(shard, () -> shard.end(clientId, ReasonCode.ADMINISTRATIVE_ACTION, ENDED_BY_OPERATOR));
    }
}
