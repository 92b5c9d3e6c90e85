package org.dunlin.core;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.dunlin.core.inspect.ClientView;
import org.dunlin.core.inspect.Explanation;
import org.dunlin.core.inspect.Fate;
import org.dunlin.core.inspect.GroupView;
import org.dunlin.core.inspect.SessionView;
import org.dunlin.core.inspect.SubscriptionView;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.routing.Match;
import org.dunlin.core.routing.Subscription;
import org.dunlin.core.session.Delivery;
import org.dunlin.core.session.InboundWindow;
import org.dunlin.core.session.Inspector;
import org.dunlin.core.session.Publishing;
import org.dunlin.core.session.Session;
import org.dunlin.core.session.Shard;
import org.dunlin.core.session.Shards;
import org.dunlin.core.spi.Connection;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
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
     * What those of these clients have subscribed to that have a session, by client identifier; of each at most so many.
     *
     * @param most for each client, 1 or more
     */
    public CompletionStage<Map<String, List<SubscriptionView>>> subscriptions(List<String> clientIds, int most) {
        return gather(clientIds, session -> subscriptions(session, most)).thenApply(found -> {
            Map<String, List<SubscriptionView>> inOrder = new LinkedHashMap<>();
            for (String clientId : clientIds) {
                inOrder.put(clientId, found.getOrDefault(clientId, List.of()));
            }
            return inOrder;
        });
    }

    /** One client with what bites; empty if it has no session. Of its subscriptions at most so many. */
    public CompletionStage<Optional<ClientView>> client(String clientId, int subscriptions) {
        return gather(List.of(clientId), session -> client(session, subscriptions))
                .thenApply(found -> Optional.ofNullable(found.get(clientId)));
    }

    private static ClientView client(Session session, int subscriptions) {
        Connection connection = session.connection();
        Session.Holder holder = session.holder();
        Delivery delivery = session.deliveryIfAny();
        InboundWindow inbound = session.inboundIfAny();
        QueueLimits queue = session.shard().shards().queueLimits();
        return new ClientView(
                view(session),
                subscriptions(session, subscriptions),
                holder == null ? List.of() : List.copyOf(holder.held()),
                connection != null && connection.isWritable(),
                delivery == null ? 0 : delivery.openFlows(),
                inbound == null ? 0 : inbound.waiting(),
                queue.maxMessages(),
                queue.maxBytes(),
                session.rights().receivesAll());
    }

    private static SessionView view(Session session) {
        Connection connection = session.connection();
        Delivery delivery = session.deliveryIfAny();
        InboundWindow inbound = session.inboundIfAny();
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
                delivery == null ? 0 : delivery.queuedMessages(),
                delivery == null ? 0 : delivery.queuedBytes(),
                delivery == null ? 0 : delivery.inflight(),
                session.receiveMaximum(),
                inbound == null ? 0 : inbound.open(),
                delivery == null ? 0 : delivery.replaying());
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
            all = all.thenCombine(on(shard, shard.inspector()::groupViews), (gathered, part) -> {
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

    // ---- who would get a message

    /** Who would get a message at this moment, who would not, and why; nothing is published by it. */
    public CompletionStage<Explanation> explain(Explanation.Question question) {
        Message message = new Message(
                0,
                question.publisher(),
                question.topic(),
                new byte[question.payloadBytes()],
                question.qos(),
                question.retain(),
                Message.NEVER,
                Message.NO_BYTES);
        CompletableFuture<String> refusal = refusal(message);
        CompletableFuture<Found> found =
                question.clientId() == null ? all(message, question.most()) : one(message, question.clientId());
        return refusal.thenCombine(
                found,
                (why, all) -> new Explanation(
                        why.isEmpty() ? null : why,
                        all.verdicts.subList(0, Math.min(question.most(), all.verdicts.size())),
                        all.more || all.verdicts.size() > question.most(),
                        all.nearest));
    }

    /** What the shards have said so far. */
    private record Found(List<Explanation.Verdict> verdicts, boolean more, List<String> nearest) {}

    /** Completes with "" if it would be taken from its publisher. */
    private CompletableFuture<String> refusal(Message message) {
        String general = generalRefusal(message);
        Shard shard = message.publisher().isEmpty() ? null : shards.find(message.publisher());
        if (!general.isEmpty() || shard == null) {
            return CompletableFuture.completedFuture(general);
        }
        return on(shard, () -> {
            Session session = shard.session(message.publisher());
            String no = session == null
                    ? null
                    : session.rights().refusesPublish(message.topic(), message.qos(), message.retain());
            return no == null ? "" : no;
        });
    }

    /** As {@code PublishFlow} has it, whoever the publisher is. */
    private String generalRefusal(Message message) {
        Limits limits = shards.limits();
        if (message.qos().value() > limits.maxQos().value()) {
            return "QoS above " + limits.maxQos().value() + "; see limits.max-qos";
        } else if (message.retain() && !limits.retainAvailable()) {
            return "nothing is retained; see limits.retain-available";
        } else if (message.topic().levelCount() > limits.maxTopicLevels()) {
            return "more than " + limits.maxTopicLevels() + " levels; see limits.max-topic-levels";
        } else if (Publishing.isReserved(message.topic())) {
            return "$SYS is the broker's own";
        } else if (shards.memory().isExhausted()) {
            return "memory is used up: publishers wait, then they are refused; see memory.budget";
        }
        return "";
    }

    private CompletableFuture<Found> all(Message message, int most) {
        Match match = shards.subscriptions().match(message.topic());
        List<CompletableFuture<Inspector.Part>> parts = new ArrayList<>();
        for (int i = 0; i < shards.count(); i++) {
            Shard shard = shards.shard(i);
            parts.add(on(shard, () -> shard.inspector().explain(message, match, most)));
        }
        return together(parts).thenCompose(all -> {
            List<Explanation.Verdict> verdicts = new ArrayList<>();
            List<Inspector.Group> groups = new ArrayList<>();
            boolean more = false;
            for (Inspector.Part part : all) {
                verdicts.addAll(part.verdicts());
                groups.addAll(part.groups());
                more |= part.more();
            }
            return withMembers(message, groups, new Found(verdicts, more, List.of()));
        });
    }

    private CompletableFuture<Found> one(Message message, String clientId) {
        Shard shard = shards.find(clientId);
        if (shard == null) {
            return CompletableFuture.completedFuture(new Found(List.of(), false, List.of()));
        }
        return on(shard, () -> shard.inspector().explain(message, clientId)).thenCompose(part -> {
            List<CompletableFuture<Optional<Inspector.Group>>> groups = new ArrayList<>();
            for (String filter : part.sharedFilters()) {
                Shard owner = shards.ofGroup(filter);
                groups.add(on(owner, () -> Optional.ofNullable(owner.inspector().explainGroup(message, filter))));
            }
            return together(groups)
                    .thenCompose(all -> withMembers(
                            message,
                            all.stream().flatMap(Optional::stream).toList(),
                            new Found(part.verdicts(), false, part.nearest())));
        });
    }

    /** Asks the members of groups whose turn it could be, each on its own shard. */
    private CompletableFuture<Found> withMembers(Message message, List<Inspector.Group> groups, Found others) {
        List<CompletableFuture<Explanation.Verdict>> verdicts = new ArrayList<>();
        for (Inspector.Group group : groups) {
            List<CompletableFuture<Inspector.Lent>> fates = new ArrayList<>();
            for (Inspector.Candidate each : group.candidates()) {
                fates.add(on(each.shard(), () -> each.shard().inspector().explainLoan(message, each)));
            }
            verdicts.add(together(fates).thenApply(all -> verdict(group, all)));
        }
        return together(verdicts).thenApply(all -> {
            List<Explanation.Verdict> more = new ArrayList<>(others.verdicts);
            more.addAll(all);
            return new Found(more, others.more, others.nearest);
        });
    }

    /** The first that does not send it back has it. */
    private static Explanation.Verdict verdict(Inspector.Group group, List<Inspector.Lent> fates) {
        List<Explanation.Member> members = new ArrayList<>();
        Fate outcome = null;
        Fate last = group.verdict().fate();
        for (int i = 0; i < fates.size(); i++) {
            Fate fate = fates.get(i).fate();
            String id = group.candidates().get(i).clientId();
            if (outcome != null) {
                members.add(new Explanation.Member(id, Fate.NOT_ITS_TURN, "another member is next"));
                continue;
            }
            outcome = fates.get(i).comesBack() ? null : fate;
            last = fate;
            members.add(new Explanation.Member(id, fate, why(fate)));
        }
        members.addAll(group.others());
        boolean waits = outcome == null
                && !fates.isEmpty()
                && group.verdict().qos() != Qos.AT_MOST_ONCE
                && group.others().stream().anyMatch(other -> other.fate() != Fate.NO_RIGHT);
        Fate fate = waits ? Fate.QUEUED : outcome == null ? last : outcome;
        return new Explanation.Verdict(
                group.verdict().receiver(),
                group.verdict().filters(),
                group.verdict().qos(),
                fate,
                waits
                        ? "no member is free that could take it; it waits with the group"
                        : fates.isEmpty() || fate.isReached() ? group.verdict().why() : "its turn: " + why(fate),
                members);
    }

    private static String why(Fate fate) {
        return switch (fate) {
            case SENT -> "it is next";
            case QUEUED -> "it is next, and it waits there until there is room in its window";
            case TOO_LARGE -> "larger than its Maximum Packet Size; another member is asked";
            case NO_RIGHT -> "it has no right to receive from this topic; another member is asked";
            case SLOW_CONSUMER -> "it is next, but takes less than it is sent: QoS 0 is lost";
            default -> "it is next, but " + fate;
        };
    }

    /** Their results in their order, without waiting. */
    private static <T> CompletableFuture<List<T>> together(List<CompletableFuture<T>> parts) {
        CompletableFuture<List<T>> all = CompletableFuture.completedFuture(new ArrayList<>(parts.size()));
        for (CompletableFuture<T> part : parts) {
            all = all.thenCombine(part, (before, next) -> {
                before.add(next);
                return before;
            });
        }
        return all;
    }
}
