package org.dunlin.server.acl;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.mqtt.TopicFilter;
import org.jspecify.annotations.Nullable;

/**
 * What a token says of its bearer's rights: topics beside those that the ACL file allows, and groups of that file. A denial of the
 * file wins over both. Without an ACL file a bearer whose token lists topics may do no more than it lists; one whose token lists
 * none may do everything. Immutable; any thread.
 */
public final class TokenRights implements Authorizer.Claims {
    /** Most filters of one token. */
    public static final int FILTERS_MAX = 1000;
    /** Most groups of one token. */
    public static final int GROUPS_MAX = 100;

    private final @Nullable Section section;
    private final Set<String> groups;

    private TokenRights(@Nullable Section section, Set<String> groups) {
        this.section = section;
        this.groups = groups;
    }

    /**
     * The topics that a token allows, each list for itself: whoever is to get what he subscribes to needs the filter in both
     * lists. %c and %u stand for themselves; "$share/..." matches nothing, what counts is the filter behind it.
     */
    public record Allowed(List<TopicFilter> publish, List<TopicFilter> subscribe, List<TopicFilter> receive) {
        public Allowed {
            publish = List.copyOf(publish);
            subscribe = List.copyOf(subscribe);
            receive = List.copyOf(receive);
        }
    }

    /**
     * @param allowed null if the token says nothing of topics
     * @param groups of the ACL file that its bearer belongs to; those that the file does not have mean nothing
     * @throws IllegalArgumentException if there are more than {@link #FILTERS_MAX} filters or {@link #GROUPS_MAX} groups; the
     *     message completes "the token ..."
     */
    public static TokenRights of(@Nullable Allowed allowed, Collection<String> groups) {
        if (groups.size() > GROUPS_MAX) {
            throw new IllegalArgumentException("names " + groups.size() + " groups; at most " + GROUPS_MAX);
        }
        return new TokenRights(allowed == null ? null : section(allowed), Set.copyOf(groups));
    }

    private static Section section(Allowed allowed) {
        int count = allowed.publish.size() + allowed.subscribe.size() + allowed.receive.size();
        if (count > FILTERS_MAX) {
            throw new IllegalArgumentException("lists " + count + " topic filters; at most " + FILTERS_MAX);
        }
        List<Rule> rules = new ArrayList<>(count);
        add(rules, allowed.publish, Action.PUBLISH);
        add(rules, allowed.subscribe, Action.SUBSCRIBE);
        add(rules, allowed.receive, Action.RECEIVE);
        return new Section("the token", rules);
    }

    private static void add(List<Rule> rules, List<TopicFilter> filters, Action action) {
        for (TopicFilter filter : filters) {
            rules.add(new Rule(0, Rule.Kind.TOKEN, action.word(), false, Permits.of(action), filter.text()));
        }
    }

    /** What it allows, or null if it says nothing of topics. */
    @Nullable
    Section section() {
        return section;
    }

    Set<String> groups() {
        return groups;
    }

    /** Names no topic, which may be part of a secret. */
    @Override
    public String toString() {
        Section listed = section;
        return "TokenRights[" + (listed == null ? "no topics" : listed.rules().size() + " filters") + ", groups "
                + groups + "]";
    }
}
