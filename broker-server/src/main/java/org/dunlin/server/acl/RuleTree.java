package org.dunlin.server.acl;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Rules laid out by the levels of their filters, so that a question costs as many steps as its topic has levels, however many rules
 * there are. Immutable once made; any thread.
 */
final class RuleTree {
    /** Of the nodes that one question may look at when many could deny something; then the answer is the careful one. */
    private static final int LOOKS_MAX = 2000;

    private final Node root = new Node();
    private final boolean ofPatterns;

    private RuleTree(boolean ofPatterns) {
        this.ofPatterns = ofPatterns;
    }

    /** @param rules either all patterns or none */
    static RuleTree of(List<Rule> rules) {
        RuleTree tree = new RuleTree(!rules.isEmpty() && rules.get(0).kind() == Rule.Kind.PATTERN);
        for (Rule rule : rules) {
            tree.add(rule);
        }
        return tree;
    }

    private void add(Rule rule) {
        String[] levels = Filters.levels(rule.filter());
        int denied = rule.deny() ? rule.bits() : 0;
        Node node = root;
        node.below |= denied;
        boolean all = levels.length == 2 && levels[0].equals(Filters.SINGLE) && levels[1].equals(Filters.MULTI);
        for (int i = all ? 1 : 0; i < levels.length; i++) { // every topic has a first level: "+/#" is "#"
            if (levels[i].equals(Filters.MULTI)) {
                node.multiRules = with(node.multiRules, rule, node.multi);
                node.multi |= rule.bits();
                return;
            }
            node = node.child(levels[i], i == 0, ofPatterns, rule);
            node.below |= denied;
        }
        node.endRules = with(node.endRules, rule, node.end);
        node.end |= rule.bits();
    }

    /** What says nothing that earlier ones do not say is left out, so that none of these lists is long. */
    private static @Nullable List<Rule> with(@Nullable List<Rule> rules, Rule rule, int bits) {
        if ((rule.bits() & ~bits) == 0) {
            return rules;
        }
        List<Rule> all = rules == null ? new ArrayList<>(1) : rules;
        all.add(rule);
        return all;
    }

    /**
     * What is allowed and denied, as in {@link Permits}: for a topic the rules that match it, for a filter those that cover it.
     *
     * @param asked its levels
     */
    int permits(String[] asked, Names names) {
        int found = walk(root, asked, 0, names);
        return ofPatterns && names.areWild() ? found & Permits.DENIALS_ONLY : found;
    }

    private static int walk(Node node, String[] asked, int at, Names names) {
        boolean dollar = at == 0 && Filters.isDollar(asked[0]);
        int found = dollar ? 0 : node.multi;
        if (at == asked.length) {
            return found | node.end;
        }
        String level = asked[at];
        if (level.equals(Filters.MULTI)) {
            return found;
        }
        Node literal = node.literal(level);
        if (literal != null) {
            found |= walk(literal, asked, at + 1, names);
        }
        Node plus = node.plus;
        if (plus != null && !dollar) {
            found |= walk(plus, asked, at + 1, names);
        }
        for (Filled filled = node.filled; filled != null; filled = filled.next) {
            switch (filled.template.use(names)) {
                case ABSENT -> {}
                case UNFIT -> found |= filled.node.below;
                case FILLED -> {
                    if (filled.template.matches(level, names)) {
                        found |= walk(filled.node, asked, at + 1, names);
                    }
                }
            }
        }
        return found;
    }

    /** Whether any rule denies any of these, whomever it means. */
    boolean denies(int permits) {
        return root.denies(Permits.denial(permits));
    }

    /** Whether any topic that matches the filter may be denied one of these; sometimes true although none is. */
    boolean mayDeny(int permits, String[] filter, Names names) {
        return meets(root, filter, 0, names, Permits.denial(permits), new int[] {LOOKS_MAX});
    }

    private static boolean meets(Node node, String[] filter, int at, Names names, int denied, int[] looks) {
        if ((node.below & denied) == 0) {
            return false;
        }
        boolean dollar = at == 0 && Filters.isDollar(filter[0]);
        if (--looks[0] < 0 || !dollar && (node.multi & denied) != 0) {
            return true;
        }
        if (at == filter.length) {
            return (node.end & denied) != 0;
        }
        String level = filter[at];
        boolean multi = level.equals(Filters.MULTI);
        if (multi && at > 0) {
            return true; // something below is denied, and all of it matches
        }
        // "#" as the first level is "+" and whatever comes behind it
        int next = multi ? at : at + 1;
        Node plus = node.plus;
        if (plus != null
                && !dollar
                && (multi ? plus.denies(denied) : meets(plus, filter, next, names, denied, looks))) {
            return true;
        }
        if (multi || level.equals(Filters.SINGLE)) {
            for (int i = 0; i < node.keys.length; i++) {
                if (--looks[0] < 0) {
                    return true;
                }
                Node kid = node.kids[i];
                boolean seen = kid != null && !(at == 0 && Filters.isDollar(String.valueOf(node.keys[i])));
                if (seen && (multi ? kid.denies(denied) : meets(kid, filter, next, names, denied, looks))) {
                    return true;
                }
            }
        } else {
            Node literal = node.literal(level);
            if (literal != null && meets(literal, filter, next, names, denied, looks)) {
                return true;
            }
        }
        return meetsFilled(node, filter, at, names, denied, looks);
    }

    private static boolean meetsFilled(Node node, String[] filter, int at, Names names, int denied, int[] looks) {
        String level = filter[at];
        for (Filled filled = node.filled; filled != null; filled = filled.next) {
            if (--looks[0] < 0) {
                return true;
            }
            Template.Use use = filled.template.use(names);
            if (use == Template.Use.UNFIT) {
                if (filled.node.denies(denied)) {
                    return true;
                }
            } else if (use == Template.Use.FILLED) {
                if (level.equals(Filters.MULTI)) {
                    if (filled.node.denies(denied)) {
                        return true;
                    }
                } else if ((level.equals(Filters.SINGLE) || filled.template.matches(level, names))
                        && meets(filled.node, filter, at + 1, names, denied, looks)) {
                    return true;
                }
            }
        }
        return false;
    }

    /**
     * The first rule of the file that denies or allows one of these to a topic or to all of a filter.
     *
     * @return null if there is none
     */
    @Nullable
    Rule first(boolean deny, int permits, String[] asked, Names names) {
        if (!deny && ofPatterns && names.areWild()) {
            return null;
        }
        return first(root, asked, 0, names, deny, permits, null);
    }

    private static @Nullable Rule first(
            Node node, String[] asked, int at, Names names, boolean deny, int permits, @Nullable Rule before) {
        boolean dollar = at == 0 && Filters.isDollar(asked[0]);
        Rule best = dollar ? before : earliest(node.multiRules, deny, permits, before);
        if (at == asked.length) {
            return earliest(node.endRules, deny, permits, best);
        }
        String level = asked[at];
        if (level.equals(Filters.MULTI)) {
            return best;
        }
        Node literal = node.literal(level);
        if (literal != null) {
            best = first(literal, asked, at + 1, names, deny, permits, best);
        }
        Node plus = node.plus;
        if (plus != null && !dollar) {
            best = first(plus, asked, at + 1, names, deny, permits, best);
        }
        for (Filled filled = node.filled; filled != null; filled = filled.next) {
            Template.Use use = filled.template.use(names);
            if (use == Template.Use.UNFIT && deny) {
                best = earliest(filled.denials, true, permits, best);
            } else if (use == Template.Use.FILLED && filled.template.matches(level, names)) {
                best = first(filled.node, asked, at + 1, names, deny, permits, best);
            }
        }
        return best;
    }

    private static @Nullable Rule earliest(
            @Nullable List<Rule> rules, boolean deny, int permits, @Nullable Rule before) {
        Rule best = before;
        if (rules == null) {
            return best;
        }
        for (Rule rule : rules) {
            if (rule.deny() == deny && rule.concerns(permits) && (best == null || rule.line() < best.line())) {
                best = rule;
            }
        }
        return best;
    }

    /** A level that stands for another text with each client, and what is below it. */
    private static final class Filled {
        final Template template;
        final Node node = new Node();
        /** The denials of {@link #node} and below. */
        @Nullable
        List<Rule> denials;

        @Nullable
        Filled next;

        Filled(Template template) {
            this.template = template;
        }
    }

    /** What rules have in common up to a level. */
    private static final class Node {
        private static final String[] NO_KEYS = {null};
        private static final Node[] NO_KIDS = {null};

        /** Of the rules that end here, and of those that go on with #. */
        int end;

        int multi;
        /** What any rule denies that passes through here. */
        int below;
        /** An open hash table of a size that is a power of two, never more than half full but for one entry of one. */
        @Nullable
        String[] keys = NO_KEYS;

        @Nullable
        Node[] kids = NO_KIDS;

        int count;

        @Nullable
        Node plus;

        @Nullable
        Filled filled;

        @Nullable
        List<Rule> endRules;

        @Nullable
        List<Rule> multiRules;

        boolean denies(int denied) {
            return (below & denied) != 0;
        }

        @Nullable
        Node literal(String level) {
            return kids[place(keys, level)];
        }

        /** Where a key is or would be. */
        private static int place(@Nullable String[] keys, String key) {
            int mask = keys.length - 1;
            int hash = key.hashCode();
            int i = (hash ^ hash >>> 16) & mask;
            while (true) {
                String there = keys[i];
                if (there == null || there.equals(key)) {
                    return i;
                }
                i = i + 1 & mask;
            }
        }

        Node child(String level, boolean first, boolean ofPatterns, Rule rule) {
            if (level.equals(Filters.SINGLE)) {
                Node there = plus == null ? new Node() : plus;
                plus = there;
                return there;
            }
            Template template = ofPatterns ? Template.of(level, first) : null;
            if (template != null) {
                Filled there = filled(template);
                there.denials = rule.deny() ? with(there.denials, rule, there.node.below) : there.denials;
                return there.node;
            }
            Node there = literal(level);
            if (there != null) {
                return there;
            }
            if ((count + 1) * 2 > keys.length) {
                grow();
            }
            int i = place(keys, level);
            keys[i] = level;
            Node made = new Node();
            kids[i] = made;
            count++;
            return made;
        }

        private Filled filled(Template template) {
            Filled last = null;
            for (Filled there = filled; there != null; there = there.next) {
                if (there.template.text().equals(template.text())) {
                    return there;
                }
                last = there;
            }
            Filled made = new Filled(template);
            if (last == null) {
                filled = made;
            } else {
                last.next = made;
            }
            return made;
        }

        private void grow() {
            @Nullable String[] oldKeys = keys;
            @Nullable Node[] oldKids = kids;
            keys = new String[Math.max(2, oldKeys.length * 2)];
            kids = new Node[keys.length];
            for (int i = 0; i < oldKeys.length; i++) {
                String key = oldKeys[i];
                if (key != null) {
                    int place = place(keys, key);
                    keys[place] = key;
                    kids[place] = oldKids[i];
                }
            }
        }
    }
}
