package org.dunlin.server.admin;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import org.dunlin.core.Inspection;
import org.dunlin.core.inspect.ClientView;
import org.dunlin.core.inspect.Explanation;
import org.dunlin.core.inspect.SessionView;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.dunlin.server.events.RecentEvents;
import org.dunlin.server.rest.ApiFault;
import org.dunlin.server.rest.Call;
import org.dunlin.server.rest.Endpoint;
import org.jspecify.annotations.Nullable;

/** Why things are as they are: who would get a message, and what is the matter with a client. Workers' threads. */
final class ExplainApi {
    private static final int RECEIVERS_MOST = 1000;
    private static final int SUBSCRIPTIONS_SHOWN = 100;
    private static final int EVENTS_SHOWN = 10;
    private static final long BYTES_MOST = 16 << 20;
    private static final String DELAYED = "$delayed/";

    private final Operations operations;

    ExplainApi(Operations operations) {
        this.operations = operations;
    }

    /**
     * @param summary one sentence
     * @param refusal why it would not be taken from its publisher; null if it would
     * @param note what is not told, or null
     * @param more whether there are more receivers
     * @param nearest filters of the client asked about that come nearest, if none matches
     */
    record Message(
            String topic,
            String summary,
            @Nullable String refusal,
            @Nullable String note,
            List<Receiver> receivers,
            boolean more,
            List<String> nearest) {}

    /**
     * @param receiver client identifier, or filter of a shared group
     * @param gets whether it has the message in the end, unless something else comes between
     * @param members of a shared group
     */
    record Receiver(
            String receiver,
            List<String> filters,
            int qos,
            boolean gets,
            String fate,
            String why,
            List<GroupMember> members) {
        static Receiver of(Explanation.Verdict verdict) {
            return new Receiver(
                    verdict.receiver(),
                    verdict.filters(),
                    verdict.qos().value(),
                    verdict.fate().isReached(),
                    verdict.fate().toString(),
                    verdict.why(),
                    verdict.members().stream()
                            .map(each ->
                                    new GroupMember(each.clientId(), each.fate().toString(), each.why()))
                            .toList());
        }
    }

    record GroupMember(String clientId, String fate, String why) {}

    /**
     * @param session null if there is none
     * @param queueShare of what may wait, 0 to 1
     * @param held why nothing is read from it now
     * @param writable whether it takes what it is sent
     * @param unanswered its own messages that are not acknowledged yet
     * @param lost messages that did not reach it, or were not taken from it, by reason
     * @param events the last ones, newest first
     * @param findings what stands out, with what to do about it
     */
    record Client(
            String clientId,
            SessionsApi.@Nullable Row session,
            List<SessionsApi.Subscription> subscriptions,
            double queueShare,
            List<String> held,
            boolean writable,
            int unanswered,
            boolean mayReceiveAll,
            Map<String, Long> lost,
            List<EventsApi.Row> events,
            List<String> findings) {}

    List<Endpoint> endpoints() {
        return List.of(
                Endpoint.read(
                        "api/v1/explain/message",
                        "Tells who would get a message at this moment, who would not and why; publishes nothing.",
                        List.of(
                                Endpoint.Parameter.required("topic", "Its topic."),
                                Endpoint.Parameter.text("client", "Tells of this receiver only."),
                                Endpoint.Parameter.text("from", "Client that would publish it: its rights are asked."),
                                Endpoint.Parameter.number("qos", "0, 1 or 2; 0 if it is not said."),
                                Endpoint.Parameter.flag("retain", "Whether it is to be retained."),
                                Endpoint.Parameter.number("bytes", "Length of its payload; 0 if it is not said.")),
                        Message.class,
                        this::message),
                Endpoint.read(
                        "api/v1/explain/client/{clientId}",
                        "Tells what is known of a client, what has happened to it, and what to do about it.",
                        List.of(Endpoint.Parameter.path("clientId", "Client identifier; a slash in it as %2F.")),
                        Client.class,
                        this::client));
    }

    // ---- a message

    private CompletionStage<Message> message(Call call) throws ApiFault {
        String topic = call.required("topic");
        String fault = TopicName.fault(topic);
        if (fault != null) {
            throw ApiFault.badRequest("the parameter topic is no topic name: " + fault);
        } else if (topic.startsWith(DELAYED)) {
            throw ApiFault.badRequest("what becomes of a delayed message is decided when it is due: name the topic"
                    + " behind $delayed/<seconds>/");
        }
        String client = call.text("client");
        Explanation.Question question = new Explanation.Question(
                TopicName.of(topic),
                call.text("from"),
                Qos.of((int) call.number("qos", 0, 0, 2)),
                call.flag("retain"),
                (int) call.number("bytes", 0, 0, BYTES_MOST),
                client.isEmpty() ? null : client,
                RECEIVERS_MOST);
        return inspection()
                .sessions(question.publisher().isEmpty() ? List.of() : List.of(question.publisher()))
                .thenCombine(
                        inspection().explain(question),
                        (from, told) -> new Message(
                                topic,
                                summary(told, client),
                                told.refusal(),
                                from.isEmpty() ? note(question.publisher()) : null,
                                told.verdicts().stream().map(Receiver::of).toList(),
                                told.more(),
                                told.nearest()));
    }

    private static String note(String publisher) {
        return publisher.isEmpty()
                ? "no publisher is named (from), so nobody's right to publish is asked about"
                : "the publisher has no session, so its rights are not known: 'dunlin acl explain' tells them";
    }

    private Inspection inspection() {
        return operations.broker().inspection();
    }

    private static String summary(Explanation told, String client) {
        if (told.refusal() != null) {
            return "it is not taken from its publisher, and nobody gets it: " + told.refusal();
        }
        if (told.verdicts().isEmpty()) {
            return client.isEmpty()
                    ? "nobody has subscribed to this topic"
                    : "this client has no session, or no subscription that matches";
        }
        long get = told.verdicts().stream()
                .filter(verdict -> verdict.fate().isReached())
                .count();
        return get + " of " + (told.more() ? "the first " : "")
                + told.verdicts().size() + " receivers that have subscribed to this topic get it";
    }

    // ---- a client

    private CompletionStage<Client> client(Call call) {
        String clientId = call.variable("clientId");
        List<RecentEvents.Event> events = operations.recent().of(clientId, EVENTS_SHOWN);
        return inspection().client(clientId, SUBSCRIPTIONS_SHOWN).thenApply(view -> client(clientId, view, events));
    }

    private Client client(String clientId, Optional<ClientView> view, List<RecentEvents.Event> events) {
        Map<String, Long> lost = new TreeMap<>();
        operations.drops().client(clientId).messages().forEach((why, count) -> lost.put(why.toString(), count));
        ClientView there = view.orElse(null);
        List<String> findings = new ArrayList<>();
        if (there == null) {
            findings.add(
                    events.isEmpty()
                            ? "nothing is known of this client identifier: it has no session, and nothing has happened to"
                                    + " it lately; look at its spelling, and at the refusals"
                            : "it has no session: see what has happened to it last");
        } else {
            findings.addAll(findings(there));
        }
        findings.addAll(happened(events));
        if (!lost.isEmpty()) {
            findings.add("messages were lost: " + lost + "; see 'dunlin drops'");
        }
        return new Client(
                clientId,
                there == null ? null : SessionsApi.Row.of(there.session()),
                there == null
                        ? List.of()
                        : there.subscriptions().stream()
                                .map(SessionsApi.Subscription::of)
                                .toList(),
                there == null ? 0 : queueShare(there),
                there == null ? List.of() : there.held(),
                there != null && there.writable(),
                there == null ? 0 : there.unanswered(),
                there != null && there.mayReceiveAll(),
                lost,
                events.stream().map(EventsApi.Row::of).toList(),
                findings);
    }

    private static double queueShare(ClientView there) {
        SessionView session = there.session();
        double share = Math.max(
                (double) session.queuedMessages() / there.queueMessagesMost(),
                (double) session.queuedBytes() / there.queueBytesMost());
        return Math.round(share * 1000) / 1000.0;
    }

    private static List<String> findings(ClientView there) {
        SessionView session = there.session();
        List<String> findings = new ArrayList<>();
        for (String why : there.held()) {
            findings.add("nothing is read from it now: " + why);
        }
        if (!session.connected()) {
            findings.add("it is away"
                    + (session.queuedMessages() > 0
                            ? "; " + session.queuedMessages() + " messages wait for it, until its session expires"
                            : ""));
        } else if (!there.writable()) {
            findings.add("it takes less than it is sent: QoS 0 is dropped and the rest waits; look at its network, and"
                    + " whether it reads");
        }
        if (session.connected() && there.open() >= session.receiveMaximum()) {
            findings.add(
                    "it has not acknowledged " + there.open() + " messages, as many as there may be: it gets nothing"
                            + " above QoS 0 until it does; its Receive Maximum or limits.max-inflight bounds that");
        }
        if (queueShare(there) >= 0.8) {
            findings.add("its queue is full to " + Math.round(100 * queueShare(there))
                    + " %; at the end of it queue.overflow decides what is lost");
        }
        if (session.connected() && session.subscriptions() == 0) {
            findings.add("it has subscribed to nothing, so it gets nothing");
        }
        if (there.subscriptions().stream().anyMatch(each -> each.guarded())) {
            findings.add(
                    "it may not receive all that its subscriptions match: 'dunlin acl explain' tells by which rule");
        }
        return findings;
    }

    private static List<String> happened(List<RecentEvents.Event> events) {
        List<String> findings = new ArrayList<>();
        if (events.stream().anyMatch(each -> each.kind() == RecentEvents.Kind.CONTESTED)) {
            findings.add("two clients use this client identifier and throw each other out: give each its own");
        }
        if (!events.isEmpty() && events.get(0).kind().isTrouble()) {
            RecentEvents.Event last = events.get(0);
            findings.add("the last that happened to it: " + last.kind() + ", " + last.reason() + ": " + last.detail());
        }
        long silent = events.stream()
                .filter(each -> each.reason().startsWith("Keep Alive timeout"))
                .count();
        if (silent > 1) {
            findings.add("it was silent for longer than its Keep Alive " + silent
                    + " times lately: look at its network, or raise its Keep Alive");
        }
        return findings;
    }
}
