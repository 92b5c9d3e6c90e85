package org.dunlin.server.acl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.dunlin.mqtt.Qos;
import org.dunlin.server.acl.Explanation.Question;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ExplanationTest {
    private static final AclFile FILE = Acl.of(
            "topic read news/#",
            "user ann",
            "topic readwrite plant/#",
            "topic deny plant/locked/#",
            "topic publish,qos=0 meter",
            "group ops",
            "member ann",
            "topic read plant/locked/door",
            "all",
            "topic read hello",
            "pattern write up/%c",
            "pattern deny private/%u/#");

    private static List<String> lines(@Nullable String user, String clientId, Action action, String topic) {
        return Explanation.of(
                        FILE, new Question(clientId, user, List.of("guests"), action, topic, Qos.AT_LEAST_ONCE, false))
                .lines();
    }

    @Test
    void allowed_namesTheRule() {
        assertEquals(
                List.of(
                        "allowed: user 'ann', client identifier 'c': publish to 'plant/x' with QoS 1",
                        "decided by acl:3: 'topic readwrite plant/#'",
                        "rules that count for it: 1 of 'group ops', 3 of 'user ann', 1 of 'all', 2 of 'patterns'",
                        "acl has no group 'guests'"),
                lines("ann", "c", Action.PUBLISH, "plant/x"));
    }

    @Test
    void denied_namesTheDenialAndWhatItWinsOver() {
        assertEquals(
                List.of(
                        "denied: user 'ann', client identifier 'c': receive 'plant/locked/door'",
                        "decided by acl:4: 'topic deny plant/locked/#'",
                        "a denial wins over acl:8: 'topic read plant/locked/door'",
                        "a denial wins over acl:3: 'topic readwrite plant/#'",
                        "rules that count for it: 1 of 'group ops', 3 of 'user ann', 1 of 'all', 2 of 'patterns'",
                        "acl has no group 'guests'"),
                lines("ann", "c", Action.RECEIVE, "plant/locked/door"));
    }

    @Test
    void subscription_tellsWhatIsNotDelivered_orWhatIsNotCovered() {
        assertTrue(lines("ann", "c", Action.SUBSCRIBE, "$share/g/plant/#")
                .contains("not everything will be delivered, because of acl:4: 'topic deny plant/locked/#'"));
        assertEquals(
                List.of(
                        "denied: user 'ann', client identifier 'c': subscribe to '#' with QoS 1",
                        "decided by no rule: no rule of acl allows user 'ann' to subscribe to all of '#'; add 'topic read"
                                + " #' below 'user ann'",
                        "only part of the filter is allowed by acl:8: 'topic read plant/locked/door'",
                        "only part of the filter is allowed by acl:3: 'topic readwrite plant/#'",
                        "only part of the filter is allowed by acl:10: 'topic read hello'"),
                lines("ann", "c", Action.SUBSCRIBE, "#").subList(0, 5));
    }

    @Test
    void limits_andUnusedPatterns_areTold() {
        assertTrue(lines("ann", "c", Action.PUBLISH, "meter")
                .contains("allowed with other limits only by acl:5: 'topic publish,qos=0 meter'"));
        List<String> odd = lines("a/b", "x/y", Action.PUBLISH, "up/x/y");
        assertTrue(
                odd.contains(
                        "pattern not used: acl:11: 'pattern write up/%c', since its client identifier has +, # or /"),
                odd.toString());
        assertTrue(
                odd.contains(
                        "pattern not filled in, denies all it could mean: acl:12: 'pattern deny private/%u/#', since"
                                + " its user name has +, # or /"),
                odd.toString());
        assertTrue(odd.contains("acl does not name user 'a/b'"), odd.toString());
    }

    @Test
    void delayedMessage_isAskedAboutByTheTopicBehindItsDelay() {
        Question question =
                new Question("c", "ann", List.of(), Action.PUBLISH, "$delayed/5/plant/x", Qos.AT_MOST_ONCE, false);
        assertTrue(Explanation.of(FILE, question).allowed());
    }

    /** What one rule after the other says is what the tree has answered. */
    @Test
    void decidingRule_agreesWithTheAnswer() {
        RandomRules random = new RandomRules();
        String[] words = {"read", "write", "readwrite", "deny", "publish", "deny,receive", "subscribe,qos=1"};
        int denied = 0;
        for (int n = 0; n < 3000; n++) {
            String[] lines = new String[8];
            for (int i = 0; i < lines.length; i++) {
                boolean pattern = random.random().nextInt(3) == 0;
                String word = words[random.random().nextInt(words.length)];
                lines[i] = (pattern ? "pattern " : "topic ") + word + " " + random.filter(pattern);
            }
            Action action = Action.values()[random.random().nextInt(3)];
            String topic = random.filter(false);
            Question question = new Question(
                    "7",
                    "user",
                    List.of(),
                    action,
                    topic,
                    Qos.of(random.random().nextInt(3)),
                    false);
            if (question.unfit() != null) {
                continue;
            }
            Explanation explanation = Explanation.of(Acl.of(lines), question);
            denied += explanation.allowed() ? 0 : 1;
            String about = String.join(";", lines) + " about " + question + ", seed " + random.seed;
            String second = explanation.lines().get(1);
            assertTrue(second.startsWith("decided by "), about + second);
            boolean byDenial = second.contains("deny");
            assertFalse(explanation.allowed() && byDenial, about + second);
            assertEquals(explanation.allowed() || byDenial, !second.startsWith("decided by no rule"), about + second);
        }
        assertTrue(denied > 100, denied + " denied");
    }
}
