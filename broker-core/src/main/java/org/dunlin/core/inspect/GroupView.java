package org.dunlin.core.inspect;

import java.util.List;

/**
 * One shared group. Immutable; any thread.
 *
 * @param filter with $share and the name of the group
 * @param queuedMessages that no member has been lent
 * @param members with what each has been lent
 */
public record GroupView(String filter, long queuedMessages, long queuedBytes, List<Member> members) {
    public GroupView {
        members = List.copyOf(members);
    }

    /**
     * @param connected whether it takes messages
     * @param lent messages that it has and has not finished
     * @param credits messages that it could be lent now
     */
    public record Member(String clientId, boolean connected, int lent, int credits) {}
}
