package org.dunlin.server.admin;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.dunlin.core.Broker;
import org.dunlin.core.routing.RetainedTree;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.dunlin.server.rest.ApiFault;
import org.dunlin.server.rest.Call;
import org.dunlin.server.rest.Endpoint;
import org.jspecify.annotations.Nullable;

/** Publishing, and what is retained. Workers' threads. */
final class MessagesApi {
    /** Of a payload, in a list. */
    private static final int SHOWN_BYTES = 200;
    /** Messages that one call deletes. */
    private static final int DELETED_MOST = 10_000;

    private final Broker broker;

    MessagesApi(Broker broker) {
        this.broker = broker;
    }

    /**
     * @param publisher client identifier; "" if the broker did
     * @param text the payload if it is text, or the beginning of it
     * @param base64 the payload if it is no text, or the beginning of it
     * @param whole whether that is all of it
     * @param expiresInSeconds null if it does not
     */
    record Retained(
            String topic,
            int qos,
            String publisher,
            int bytes,
            @Nullable String text,
            @Nullable String base64,
            boolean whole,
            @Nullable Long expiresInSeconds) {}

    /** @param next null if this is the end */
    record RetainedRows(List<Retained> items, @Nullable String next) {}

    /**
     * @param topic whole, whether or not something is retained there
     * @param message null if nothing is retained right there
     * @param hasMore whether there are topics below it
     */
    record Branch(String level, String topic, @Nullable Retained message, boolean hasMore) {}

    record Branches(List<Branch> items, @Nullable String next) {}

    /** Either text or base64, or neither for an empty payload. */
    record Publication(
            String topic,
            @Nullable String text,
            @Nullable String base64,
            @Nullable Integer qos,
            @Nullable Boolean retain,
            @Nullable Long expirySeconds) {}

    record Deletion(String filter, @Nullable Boolean dryRun) {}

    /**
     * @param matched messages that the filter means
     * @param deleted of them; 0 with dryRun
     * @param more whether there may be others: call again
     * @param examples topics of the first of them
     */
    record Deleted(int matched, int deleted, boolean more, List<String> examples) {}

    List<Endpoint> endpoints() {
        Endpoint.Parameter topic = Endpoint.Parameter.required("topic", "The topic name.");
        return List.of(
                Endpoint.read(
                        "api/v1/retained",
                        "Lists retained messages, in the order of their topics.",
                        List.of(
                                Endpoint.PAGE.get(0),
                                Endpoint.PAGE.get(1),
                                Endpoint.Parameter.text("filter", "A topic filter; # if it is not said.")),
                        RetainedRows.class,
                        this::retained),
                Endpoint.read(
                        "api/v1/retained/message",
                        "Shows the message that is retained at a topic.",
                        List.of(topic),
                        Retained.class,
                        this::message),
                Endpoint.change(
                        "DELETE",
                        "api/v1/retained/message",
                        "Deletes the message that is retained at a topic.",
                        List.of(topic),
                        null,
                        Endpoint.Done.class,
                        this::deleteOne),
                Endpoint.change(
                        "POST",
                        "api/v1/retained/delete",
                        "Deletes the retained messages under a filter, or with dryRun tells which they are.",
                        List.of(),
                        Deletion.class,
                        Deleted.class,
                        this::delete),
                Endpoint.read(
                        "api/v1/topics",
                        "Lists the levels below a topic at which something is retained, or further below.",
                        List.of(
                                Endpoint.PAGE.get(0),
                                Endpoint.PAGE.get(1),
                                Endpoint.Parameter.text(
                                        "parent",
                                        "Levels with slashes between; the top if not said, /a is below \"\".")),
                        Branches.class,
                        this::topics),
                Endpoint.change(
                        "POST",
                        "api/v1/publish",
                        "Publishes a message; with retain it stays. Answered when the store has it, if it is to.",
                        List.of(),
                        Publication.class,
                        Endpoint.Done.class,
                        this::publish));
    }

    private CompletionStage<RetainedRows> retained(Call call) throws ApiFault {
        int limit = call.limit();
        String text = call.text("filter");
        TopicFilter filter = filter(text.isEmpty() ? "#" : text);
        String after = call.text("after");
        RetainedTree.Cursor cursor = after.isEmpty()
                ? broker.retained().cursor(filter)
                : broker.retained().cursor(filter, topic(after));
        List<Message> found = new ArrayList<>();
        boolean more = true;
        while (more && found.size() < limit) {
            more = cursor.next(limit - found.size(), found::add);
        }
        String next = more ? found.get(found.size() - 1).topic().text() : null;
        return CompletableFuture.completedFuture(
                new RetainedRows(found.stream().map(this::begun).toList(), next));
    }

    private CompletionStage<Retained> message(Call call) throws ApiFault {
        Message message = broker.retained().get(topic(call.required("topic")));
        if (message == null) {
            throw ApiFault.notFound("nothing is retained at that topic");
        }
        return CompletableFuture.completedFuture(shown(message, Integer.MAX_VALUE));
    }

    private Retained begun(Message message) {
        return shown(message, SHOWN_BYTES);
    }

    private Retained shown(Message message, int most) {
        byte[] payload = message.payload();
        int length = Math.min(payload.length, most);
        String text = text(payload, length);
        return new Retained(
                message.topic().text(),
                message.qos().value(),
                message.publisher(),
                payload.length,
                text,
                text == null ? Base64.getEncoder().encodeToString(Arrays.copyOf(payload, length)) : null,
                length == payload.length,
                message.hasExpiry() ? message.remainingExpirySeconds(broker.nowMillis()) : null);
    }

    /** Null if it is no text. A character that is cut at the end does not make it none. */
    private static @Nullable String text(byte[] payload, int length) {
        int end = length;
        if (length < payload.length) {
            while (end > 0 && end > length - 4 && (payload[end] & 0xC0) == 0x80) {
                end--;
            }
        }
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(payload, 0, end))
                    .toString();
            return text.chars().anyMatch(c -> Character.isISOControl(c) && c != '\n' && c != '\t' && c != '\r')
                    ? null
                    : text;
        } catch (CharacterCodingException binary) {
            return null;
        }
    }

    private CompletionStage<Branches> topics(Call call) throws ApiFault {
        int limit = call.limit();
        String parent = call.request().parameter("parent");
        String after = call.request().parameter("after");
        List<RetainedTree.Branch> found = broker.retained().branches(parent, after, limit);
        List<Branch> items = new ArrayList<>();
        for (RetainedTree.Branch branch : found) {
            Message message = branch.message();
            items.add(new Branch(
                    branch.level(),
                    parent == null ? branch.level() : parent + "/" + branch.level(),
                    message == null ? null : begun(message),
                    branch.isParent()));
        }
        String next = found.size() < limit ? null : found.get(limit - 1).level();
        return CompletableFuture.completedFuture(new Branches(items, next));
    }

    private CompletionStage<Endpoint.Done> publish(Call call) throws ApiFault {
        Publication publication = call.body(Publication.class);
        if (publication.topic() == null || publication.text() != null && publication.base64() != null) {
            throw ApiFault.badRequest("topic is needed, and either text or base64");
        }
        TopicName topic = topic(publication.topic());
        if (publication.topic().startsWith("$SYS/")) {
            throw ApiFault.badRequest("topics under $SYS are the broker's own");
        }
        int qos = publication.qos() == null ? 0 : publication.qos();
        if (qos < 0 || qos > 2) {
            throw ApiFault.badRequest("qos is 0, 1 or 2");
        }
        Long expiry = publication.expirySeconds();
        if (expiry != null && (expiry < 1 || expiry > 4_294_967_295L)) {
            throw ApiFault.badRequest("expirySeconds is 1 to 4294967295");
        }
        boolean retain = Boolean.TRUE.equals(publication.retain());
        call.about("topic " + publication.topic() + (retain ? ", retained" : ""));
        return broker.publish(
                        topic,
                        payload(publication),
                        Qos.values()[qos],
                        retain,
                        expiry == null ? Message.NEVER : broker.nowMillis() + expiry * 1000)
                .thenApply(done -> new Endpoint.Done("published to " + publication.topic()));
    }

    private static byte[] payload(Publication publication) throws ApiFault {
        if (publication.text() != null) {
            return publication.text().getBytes(StandardCharsets.UTF_8);
        }
        try {
            return publication.base64() == null
                    ? new byte[0]
                    : Base64.getDecoder().decode(publication.base64());
        } catch (IllegalArgumentException malformed) {
            throw ApiFault.badRequest("base64 is none");
        }
    }

    private CompletionStage<Endpoint.Done> deleteOne(Call call) throws ApiFault {
        TopicName topic = topic(call.required("topic"));
        call.about("retained " + topic.text());
        if (broker.retained().get(topic) == null) {
            throw ApiFault.notFound("nothing is retained at that topic");
        }
        return broker.clearRetained(List.of(topic)).thenApply(done -> new Endpoint.Done("deleted " + topic.text()));
    }

    private CompletionStage<Deleted> delete(Call call) throws ApiFault {
        Deletion deletion = call.body(Deletion.class);
        if (deletion.filter() == null) {
            throw ApiFault.badRequest("filter is needed");
        }
        TopicFilter filter = filter(deletion.filter());
        boolean dry = Boolean.TRUE.equals(deletion.dryRun());
        call.about("retained messages under " + filter.text() + (dry ? ", dry run" : ""));
        RetainedTree.Cursor cursor = broker.retained().cursor(filter);
        List<TopicName> topics = new ArrayList<>();
        boolean more = true;
        while (more && topics.size() < DELETED_MOST) {
            more = cursor.next(DELETED_MOST - topics.size(), message -> topics.add(message.topic()));
        }
        boolean rest = more;
        List<String> examples = topics.stream().limit(20).map(TopicName::text).toList();
        return dry
                ? CompletableFuture.completedFuture(new Deleted(topics.size(), 0, rest, examples))
                : broker.clearRetained(topics)
                        .thenApply(done -> new Deleted(topics.size(), topics.size(), rest, examples));
    }

    private static TopicName topic(String text) throws ApiFault {
        try {
            return TopicName.of(text);
        } catch (IllegalArgumentException unfit) {
            throw ApiFault.badRequest("that is no topic name: " + unfit.getMessage());
        }
    }

    private static TopicFilter filter(String text) throws ApiFault {
        TopicFilter filter;
        try {
            filter = TopicFilter.of(text);
        } catch (IllegalArgumentException unfit) {
            throw ApiFault.badRequest("that is no topic filter: " + unfit.getMessage());
        }
        if (filter.isShared()) {
            throw ApiFault.badRequest("write the filter without $share");
        }
        return filter;
    }
}
