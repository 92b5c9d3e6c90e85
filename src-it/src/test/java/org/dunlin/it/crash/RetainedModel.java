package org.dunlin.it.crash;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One thread. What stands retained, by what was sent and acknowledged; each topic has one publisher. */
final class RetainedModel {
    private final Map<String, List<Publication>> topics = new HashMap<>();
    private final Map<String, Integer> readers = new HashMap<>();

    void sent(Publication message) {
        topics.computeIfAbsent(message.key.topic(), topic -> new ArrayList<>()).add(message);
    }

    void reading(String reader, int at) {
        readers.put(reader, at);
    }

    /** The topics that have a value for certain, whatever of the unacknowledged was done. */
    Set<String> certain() {
        Set<String> certain = new HashSet<>();
        topics.forEach((topic, messages) -> {
            if (isCertain(messages)) {
                certain.add(topic);
            }
        });
        return certain;
    }

    private static boolean isCertain(List<Publication> messages) {
        for (int i = messages.size() - 1; i >= 0; i--) {
            Publication message = messages.get(i);
            if (message.how.empty()) {
                return false;
            }
            if (message.acknowledgedAt != Publication.NEVER) {
                return true;
            }
        }
        return false;
    }

    void check(Event.RetainedRead read, List<Violation> into) {
        int begun = readers.getOrDefault(read.reader(), 0);
        for (Map.Entry<String, List<Publication>> topic : topics.entrySet()) {
            MessageKey value = read.values().get(topic.getKey());
            if (value != null || read.complete()) {
                String fault = fault(topic.getValue(), value, begun);
                if (fault != null) {
                    into.add(new Violation(
                            Violation.Kind.RETAINED, topic.getKey() + " as " + read.reader() + " read it: " + fault));
                }
            }
        }
        for (Map.Entry<String, MessageKey> value : read.values().entrySet()) {
            if (!topics.containsKey(value.getKey())) {
                into.add(new Violation(Violation.Kind.RETAINED, "was never published: " + value.getValue()));
            }
        }
    }

    /** @param begun the reader has got what stood there then, or something later */
    private static @Nullable String fault(List<Publication> messages, @Nullable MessageKey value, int begun) {
        int settled = messages.size() - 1; // the last one acknowledged before
        while (settled >= 0 && messages.get(settled).acknowledgedAt > begun) {
            settled--;
        }
        boolean mayBeNone = settled < 0;
        for (int i = Math.max(0, settled); i < messages.size(); i++) {
            Publication message = messages.get(i);
            if (value != null && message.key.equals(value)) {
                return null;
            }
            mayBeNone |= message.how.empty();
        }
        if (value == null && mayBeNone) {
            return null;
        }
        String last = settled < 0
                ? "nothing"
                : "#" + messages.get(settled).key.number()
                        + (messages.get(settled).how.empty() ? ", which clears" : "");
        return "got " + (value == null ? "nothing" : value) + "; last acknowledged is " + last + ", last sent #"
                + messages.get(messages.size() - 1).key.number();
    }
}
