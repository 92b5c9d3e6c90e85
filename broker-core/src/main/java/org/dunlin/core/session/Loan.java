package org.dunlin.core.session;

import org.dunlin.core.spi.DropReason;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.mqtt.TopicFilter;

/**
 * A message that a shared group has given to one member: a credit of the member until it is settled or given back. Exactly
 * one of {@link #settle}, {@link #giveBack} and {@link #tryAnother} ends it. On the member's shard.
 */
final class Loan {
    private final SharedGroup group;
    private final SharedGroup.Member member;
    private final SharedGroup.Entry entry;
    private boolean ended;
    /** Whether the group's store does not hold it any more. */
    private boolean handedOver;

    Loan(SharedGroup group, SharedGroup.Member member, SharedGroup.Entry entry) {
        this.group = group;
        this.member = member;
        this.entry = entry;
    }

    /** Whether the group's store holds it, so that it would be another's after a crash. */
    boolean isStored() {
        return entry.seq() > 0 && !handedOver;
    }

    /** Takes it from the group's store; {@link #handedOver} follows when that is durable. */
    void takeFromStore(StoreBatch batch) {
        if (isStored()) {
            batch.ack(group.key(), entry.seq(), entry.body());
        }
    }

    /** The group's store holds it no more: it is the member's to keep, or nobody's. Before anything ends the loan. */
    void handedOver() {
        handedOver = true;
    }

    /** The text of the group's filter, "$share/..." */
    String filter() {
        return group.filter().text();
    }

    boolean isOf(TopicFilter filter) {
        return group.filter().equals(filter);
    }

    /** The member is through with it, one way or another. */
    void settle() {
        if (!ended) {
            ended = true;
            group.shard().runOrPost(member.session().shard(), () -> group.settled(member, entry, handedOver));
        }
    }

    /** The member has left before it was through: another gets it. */
    void giveBack() {
        if (!ended) {
            ended = true;
            group.shard().runOrPost(member.session().shard(), () -> group.returned(member, entry, handedOver));
        }
    }

    /**
     * This member cannot have it: another one may.
     *
     * @param why {@link DropReason#TOO_LARGE} or {@link DropReason#RIGHT_LOST}
     */
    void tryAnother(DropReason why) {
        if (!ended) {
            ended = true;
            // never at once: a message that fits no member would go through all of them on one stack
            group.shard().loop().execute(() -> group.refused(member, entry, handedOver, why));
        }
    }
}
