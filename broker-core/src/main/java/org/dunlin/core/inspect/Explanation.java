package org.dunlin.core.inspect;

import java.util.List;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/**
 * Who would get a message at one moment, who would not, and why. Immutable; any thread.
 *
 * @param refusal why its publisher would not be let publish it; null if it would, and nobody gets it otherwise
 * @param verdicts as if it were published; those with several filters once. Each is told as if it were alone: who gets a copy of
 *     its own and one of a group may have room for one of them only
 * @param more whether there are more receivers than were asked for
 * @param nearest filters that do not match, if one client was asked about and none does
 */
public record Explanation(@Nullable String refusal, List<Verdict> verdicts, boolean more, List<String> nearest) {
    public Explanation {
        verdicts = List.copyOf(verdicts);
        nearest = List.copyOf(nearest);
    }

    /**
     * A message that is not published.
     *
     * @param publisher client identifier; "" for nobody in particular, whose rights are not asked about
     * @param clientId the one receiver to tell of; null for all
     * @param most receivers to tell of, 1 or more
     */
    public record Question(
            TopicName topic,
            String publisher,
            Qos qos,
            boolean retain,
            int payloadBytes,
            @Nullable String clientId,
            int most) {}

    /**
     * One receiver.
     *
     * @param receiver client identifier, or filter of a shared group with $share
     * @param filters of its subscriptions that match
     * @param qos with which it would get the message
     * @param why in words
     * @param members of a shared group; else empty
     */
    public record Verdict(String receiver, List<String> filters, Qos qos, Fate fate, String why, List<Member> members) {
        public Verdict {
            filters = List.copyOf(filters);
            members = List.copyOf(members);
        }
    }

    /** A member of a shared group: one of them is next. */
    public record Member(String clientId, Fate fate, String why) {}
}
