package org.dunlin.server.acl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RuleTreeTest {
    private static final Names FIT = new Names("7", "user");
    private static final Names NOBODY = new Names("7", null);
    private static final Names UNFIT = new Names("x/y", "user");
    private static final Names WILD = new Names("7", "+");

    /** Rules looked at one by one. */
    private static int plainly(List<Rule> rules, String[] asked, Names names) {
        int found = 0;
        for (Rule rule : rules) {
            String[] filter = filled(rule, names);
            if (filter != null && Filters.covers(filter, asked)) {
                found |= rule.bits();
            }
        }
        return found;
    }

    /** With names in their places; null if it counts for no topic; what an unfit denial denies. */
    private static String @Nullable [] filled(Rule rule, Names names) {
        List<String> levels = new ArrayList<>();
        String[] written = Filters.levels(rule.filter());
        if (rule.kind() == Rule.Kind.PATTERN && names.areWild() && !rule.deny()) {
            return null;
        }
        for (int i = 0; i < written.length; i++) {
            Template template = rule.kind() == Rule.Kind.PATTERN ? Template.of(written[i], i == 0) : null;
            Template.Use use = template == null ? Template.Use.FILLED : template.use(names);
            if (template == null) {
                levels.add(written[i]);
            } else if (use == Template.Use.ABSENT || use == Template.Use.UNFIT && !rule.deny()) {
                return null;
            } else if (use == Template.Use.UNFIT) {
                levels.add("+");
                levels.add("#");
                break;
            } else {
                levels.add(template.fill(names));
            }
        }
        return levels.toArray(String[]::new);
    }

    @Test
    void permits_areThoseOfAllRulesThatCover() {
        RandomRules random = new RandomRules();
        for (int n = 0; n < 3000; n++) {
            for (Names names : List.of(FIT, NOBODY)) {
                List<Rule> rules = random.rules(n % 2 == 0 ? Rule.Kind.TOPIC : Rule.Kind.PATTERN);
                RuleTree tree = RuleTree.of(rules);
                String[] asked = n % 3 == 0
                        ? Filters.levels(random.filter(false))
                        : RandomRules.allTopics().get(random.random().nextInt(300));
                assertEquals(
                        plainly(rules, asked, names),
                        tree.permits(asked, names),
                        () -> String.join("/", asked) + " by " + rules + ", seed " + random.seed);
            }
        }
    }

    /** Exactly as the plain definition where no name is unfit; never less is denied, never more allowed, where one is. */
    @Test
    void unfitNames_allowNothingByPatterns_andAreDeniedWhateverTheyMightMean() {
        RandomRules random = new RandomRules();
        for (int n = 0; n < 3000; n++) {
            for (Names names : List.of(UNFIT, WILD)) {
                List<Rule> rules = random.rules(Rule.Kind.PATTERN);
                String[] topic = RandomRules.allTopics().get(random.random().nextInt(300));
                int found = RuleTree.of(rules).permits(topic, names);
                int plain = plainly(rules, topic, names);
                String about = String.join("/", topic) + " by " + rules + ", seed " + random.seed;
                assertEquals(plain & Permits.ALL, found & Permits.ALL, about);
                assertEquals(Permits.denied(plain), Permits.denied(plain) & Permits.denied(found), about);
            }
        }
    }

    @Test
    void first_isTheEarliestRuleThatSaysSo() {
        RandomRules random = new RandomRules();
        for (int n = 0; n < 3000; n++) {
            List<Rule> rules = random.rules(n % 2 == 0 ? Rule.Kind.TOPIC : Rule.Kind.PATTERN);
            RuleTree tree = RuleTree.of(rules);
            String[] asked = Filters.levels(random.filter(false));
            int permit = 1 << random.random().nextInt(10);
            boolean deny = random.random().nextBoolean();
            Rule expected = null;
            for (Rule rule : rules) {
                String[] filter = filled(rule, FIT);
                boolean says = rule.deny() == deny && rule.concerns(permit);
                if (expected == null && says && filter != null && Filters.covers(filter, asked)) {
                    expected = rule;
                }
            }
            assertEquals(expected, tree.first(deny, permit, asked, FIT), () -> rules + ", seed " + random.seed);
        }
    }

    @Test
    void mayDeny_isTrueIfAnyTopicOfTheFilterIsDenied() {
        RandomRules random = new RandomRules();
        int denied = 0;
        for (int n = 0; n < 5000; n++) {
            List<Rule> rules = random.rules(n % 2 == 0 ? Rule.Kind.TOPIC : Rule.Kind.PATTERN);
            String[] filter = Filters.levels(random.filter(false));
            boolean expected = false;
            for (Rule rule : rules) {
                String[] theirs = filled(rule, FIT);
                expected |=
                        rule.deny() && rule.concerns(Permits.RECEIVE) && theirs != null && Filters.meet(theirs, filter);
            }
            denied += expected ? 1 : 0;
            assertEquals(
                    expected,
                    RuleTree.of(rules).mayDeny(Permits.RECEIVE, filter, FIT),
                    () -> String.join("/", filter) + " by " + rules + ", seed " + random.seed);
        }
        assertTrue(denied > 500 && denied < 4500, denied + " denied, seed " + random.seed);
    }

    @Test
    void mayDeny_withMoreDenialsThanItLooksAt_isCarefulAndQuick() {
        List<Rule> rules = new ArrayList<>();
        for (int i = 0; i < 100_000; i++) {
            rules.add(new Rule(i, Rule.Kind.TOPIC, "deny", true, Permits.ALL, "a/" + i + "/secret"));
        }
        RuleTree tree = RuleTree.of(rules);

        assertTrue(tree.mayDeny(Permits.RECEIVE, Filters.levels("a/+/open"), FIT));
        assertFalse(tree.mayDeny(Permits.RECEIVE, Filters.levels("b/+/open"), FIT));
        assertFalse(tree.mayDeny(Permits.RECEIVE, Filters.levels("a/77/open"), FIT));
    }

    @Test
    void mayDeny_withManyThatDenyNothing_looksAtSoManyToo() {
        List<Rule> rules = new ArrayList<>();
        for (int i = 0; i < 100_000; i++) {
            rules.add(new Rule(i, Rule.Kind.TOPIC, "read", false, Permits.ALL, "a/" + i + "/open"));
        }
        rules.add(new Rule(100_000, Rule.Kind.TOPIC, "deny", true, Permits.ALL, "a/x/secret"));
        RuleTree tree = RuleTree.of(rules);

        assertTrue(tree.mayDeny(Permits.RECEIVE, Filters.levels("a/+/open"), FIT), "careful");
        assertFalse(tree.mayDeny(Permits.RECEIVE, Filters.levels("a/77/open"), FIT));
        assertFalse(tree.mayDeny(Permits.RECEIVE, Filters.levels("b/+/open"), FIT));
    }

    @Test
    void manyRules_areAllFound() {
        List<Rule> rules = new ArrayList<>();
        for (int i = 0; i < 5000; i++) {
            rules.add(new Rule(i + 1, Rule.Kind.TOPIC, "write", false, Permits.ALL_PUBLISH, "d/" + i % 50 + "/" + i));
        }
        RuleTree tree = RuleTree.of(rules);
        for (int i = 0; i < 5000; i++) {
            String[] topic = Filters.levels("d/" + i % 50 + "/" + i);
            assertEquals(Permits.ALL_PUBLISH, tree.permits(topic, FIT));
            assertEquals(rules.get(i), tree.first(false, Permits.ALL_PUBLISH, topic, FIT));
        }
        assertEquals(0, tree.permits(Filters.levels("d/1/2"), FIT));
    }

    @Test
    void oneFilterManyTimes_isKeptOnce() {
        List<Rule> rules = new ArrayList<>();
        for (int i = 0; i < 200_000; i++) {
            rules.add(new Rule(i + 1, Rule.Kind.TOPIC, "deny", true, Permits.ALL, "a/b"));
        }
        RuleTree tree = RuleTree.of(rules);

        assertEquals(rules.get(0), tree.first(true, Permits.RECEIVE, Filters.levels("a/b"), FIT));
    }
}
