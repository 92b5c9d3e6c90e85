package org.dunlin.server.acl;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Filters, topics and rules over an alphabet so small that they often meet. */
final class RandomRules {
    private static final String[] LEVELS = {"a", "b", "", "$s"};

    final long seed = Long.getLong("dunlin.seed", System.nanoTime());
    private final Random random = new Random(seed);

    /** The seed is printed, and can be set with -Ddunlin.seed. */
    RandomRules() {
        System.out.println("dunlin.seed=" + seed);
    }

    Random random() {
        return random;
    }

    /** All topics of up to three levels over the alphabet and a letter that is in no filter; with the empty one, which no packet has. */
    static List<String[]> allTopics() {
        List<String[]> topics = new ArrayList<>();
        String[] letters = {"a", "b", "", "$s", "z", "user", "dev-7"};
        for (String one : letters) {
            topics.add(new String[] {one});
            for (String two : letters) {
                topics.add(new String[] {one, two});
                for (String three : letters) {
                    topics.add(new String[] {one, two, three});
                    topics.add(new String[] {one, two, three, "z"});
                }
            }
        }
        return topics;
    }

    /** Of up to three levels; with names in it if it may be a pattern. */
    String filter(boolean pattern) {
        while (true) {
            StringBuilder text = new StringBuilder();
            int levels = 1 + random.nextInt(3);
            for (int i = 0; i < levels; i++) {
                text.append(i == 0 ? "" : "/");
                int kind = random.nextInt(pattern ? 8 : 6);
                if (kind == 0) {
                    text.append('+');
                } else if (kind == 1) {
                    text.append('#');
                    break;
                } else if (kind < 6) {
                    text.append(LEVELS[random.nextInt(LEVELS.length)]);
                } else {
                    text.append(kind == 6 ? "%u" : "dev-%c");
                }
            }
            if (!text.isEmpty()) {
                return text.toString();
            }
        }
    }

    Rule rule(int line, Rule.Kind kind) {
        int permits = 1 + random.nextInt(Permits.ALL);
        return new Rule(line, kind, "x", random.nextInt(3) == 0, permits, filter(kind == Rule.Kind.PATTERN));
    }

    List<Rule> rules(Rule.Kind kind) {
        List<Rule> rules = new ArrayList<>();
        int count = random.nextInt(12);
        for (int i = 0; i < count; i++) {
            rules.add(rule(i + 1, kind));
        }
        return rules;
    }
}
