package org.dunlin.server.acl;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Rules that count for the same clients. Any thread. They are laid out when somebody needs them first, since most users of a large
 * file are not connected; large ones at once, since whoever needs them is an event loop.
 */
final class Section {
    /** Laid out in a fraction of a millisecond. */
    private static final int LATER_MAX = 500;

    private final String name;
    private final List<Rule> rules;
    private volatile @Nullable RuleTree tree;

    /** @param name in words, like "group ops" */
    Section(String name, List<Rule> rules) {
        this.name = name;
        this.rules = List.copyOf(rules);
        if (rules.size() > LATER_MAX) {
            tree = RuleTree.of(this.rules);
        }
    }

    String name() {
        return name;
    }

    /** In the order of the file. */
    List<Rule> rules() {
        return rules;
    }

    RuleTree tree() {
        RuleTree made = tree;
        if (made == null) {
            made = RuleTree.of(rules);
            tree = made; // of two threads at once each makes the same
        }
        return made;
    }
}
