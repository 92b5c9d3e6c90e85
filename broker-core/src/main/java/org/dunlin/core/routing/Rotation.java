package org.dunlin.core.routing;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/**
 * Members of which one at a time gets a message, in turn, if its rights let it. Single thread.
 *
 * <p>Where some may not have all, the first few in turn are asked. If none of them may have a message, all are asked, once, and
 * who may is remembered for its topic: from then on only those are looked through, and only whose rights have changed is asked
 * again. While nobody has come free since nobody was found, nobody is looked for.
 *
 * @param <M> compared as objects
 */
public final class Rotation<M extends Rotation.Seat> {
    /** How many are asked in turn before all are. */
    private static final int ASKED_IN_TURN = 8;
    /** For how many topics it is remembered who may have them. */
    private static final int TOPICS = 32;

    /** Away ones, too. */
    private final Set<M> members = new HashSet<>(4);

    private final Set<M> guarded = new HashSet<>(4);
    private final Line<M> connected = new Line<>();
    private final Line<M> free = new Line<>();
    private final Map<TopicName, Known<M>> known = new LinkedHashMap<>(4, 0.75f, true);

    /** Of nobody. */
    public Rotation() {}

    /** What one member may have. */
    public interface Seat {
        /** Asked whether it may have a message; null if it may have all. */
        @Nullable
        Rights guard();
    }

    /** Some of the members; whoever has got a message is the last. */
    private static final class Line<M> {
        private final Set<M> inTurn = new LinkedHashSet<>(4);
        /** How often somebody has come. */
        private long arrivals;

        void add(M member) {
            if (inTurn.add(member)) {
                arrivals++;
            }
        }

        /** The first of them, who becomes the last. */
        M next() {
            Iterator<M> members = inTurn.iterator();
            M member = members.next();
            members.remove();
            inTurn.add(member);
            return member;
        }

        void putLast(M member) {
            inTurn.remove(member);
            inTurn.add(member);
        }
    }

    /** Who may have the messages of one topic. */
    private static final class Known<M> {
        private final Set<M> may = new LinkedHashSet<>(4);
        private final Set<M> unasked;
        /** As many had come to the line when nobody in it could have one. */
        private long nobodyFree = -1;

        private long nobodyConnected = -1;

        Known(Set<M> all) {
            unasked = new LinkedHashSet<>(all);
        }
    }

    // ---- who is there

    /** Adds a member, or asks one anew whose guard may be another. */
    public void put(M member) {
        members.add(member);
        if (member.guard() == null) {
            guarded.remove(member);
        } else {
            guarded.add(member);
        }
        if (guarded.isEmpty()) {
            known.clear();
            return;
        }
        for (Known<M> each : known.values()) {
            each.may.remove(member);
            each.unasked.add(member);
        }
    }

    public void remove(M member) {
        members.remove(member);
        guarded.remove(member);
        away(member);
        for (Known<M> each : known.values()) {
            each.may.remove(member);
            each.unasked.remove(member);
        }
    }

    public void connected(M member) {
        connected.add(member);
    }

    public boolean isConnected(M member) {
        return connected.inTurn.contains(member);
    }

    public boolean isNobodyConnected() {
        return connected.inTurn.isEmpty();
    }

    /** It is not connected any more, and so not free. */
    public void away(M member) {
        connected.inTurn.remove(member);
        free.inTurn.remove(member);
    }

    /** It can take a message. */
    public void free(M member) {
        free.add(member);
    }

    public void busy(M member) {
        free.inTurn.remove(member);
    }

    public boolean isNobodyFree() {
        return free.inTurn.isEmpty();
    }

    // ---- whose turn it is

    /**
     * Who is the next to get a message, of those that are free.
     *
     * @param except who cannot have it for other reasons
     * @return null if nobody may have it now
     */
    public @Nullable M nextFree(TopicName topic, Set<M> except) {
        return next(free, topic, except);
    }

    /** Who is the next to get a message, of those that are connected. */
    public @Nullable M nextConnected(TopicName topic, Set<M> except) {
        return next(connected, topic, except);
    }

    /**
     * Who would be the next, first of all, and then who else could be. Nobody's turn changes by it.
     *
     * @param most to tell of
     */
    public List<M> inTurn(TopicName topic, boolean onlyFree, int most) {
        Line<M> line = onlyFree ? free : connected;
        List<M> next = new ArrayList<>();
        if (guarded.isEmpty()) {
            line.inTurn.stream().limit(most).forEach(next::add);
            return next;
        }
        Known<M> there = null;
        for (Map.Entry<TopicName, Known<M>> each : known.entrySet()) { // asking by name would count as use
            there = each.getKey().equals(topic) ? each.getValue() : there;
        }
        Set<M> may = new LinkedHashSet<>();
        if (there == null) {
            line.inTurn.stream()
                    .limit(ASKED_IN_TURN)
                    .filter(member -> mayHave(member, topic))
                    .forEach(next::add);
            if (!next.isEmpty()) {
                return next.subList(0, Math.min(most, next.size()));
            }
        } else {
            may.addAll(there.may);
        }
        for (M member : there == null ? members : there.unasked) {
            if (mayHave(member, topic)) {
                may.add(member);
            }
        }
        boolean few = may.size() < line.inTurn.size();
        (few ? may : line.inTurn)
                .stream()
                        .filter(few ? line.inTurn::contains : may::contains)
                        .limit(most)
                        .forEach(next::add);
        return next;
    }

    private @Nullable M next(Line<M> line, TopicName topic, Set<M> except) {
        Known<M> there = guarded.isEmpty() ? null : known.get(topic);
        if (there != null) {
            return next(line, there, topic, except);
        }
        int all = line.inTurn.size();
        int most = guarded.isEmpty() ? all : Math.min(all, ASKED_IN_TURN);
        for (int n = 0; n < most; n++) {
            M member = line.next();
            if (mayHave(member, topic) && !except.contains(member)) {
                return member;
            }
        }
        return most == all ? null : next(line, know(topic), topic, except);
    }

    private @Nullable M next(Line<M> line, Known<M> those, TopicName topic, Set<M> except) {
        askUnasked(those, topic);
        if (line.arrivals == (line == free ? those.nobodyFree : those.nobodyConnected)) {
            return null;
        }
        Set<M> may = those.may;
        boolean few = may.size() < line.inTurn.size();
        Set<M> through = few ? may : line.inTurn;
        Set<M> also = few ? line.inTurn : may;
        for (M member : through) {
            if (also.contains(member) && !except.contains(member)) {
                line.putLast(member);
                may.remove(member);
                may.add(member);
                return member;
            }
        }
        if (except.isEmpty() && line == free) {
            those.nobodyFree = line.arrivals;
        } else if (except.isEmpty()) {
            those.nobodyConnected = line.arrivals;
        }
        return null;
    }

    /** Whether no member may have a message, be it there or away. */
    public boolean suitsNobody(TopicName topic, Set<M> except) {
        if (guarded.isEmpty()) {
            return except.size() >= members.size() && except.containsAll(members);
        }
        boolean asksAll = members.size() <= ASKED_IN_TURN;
        for (M member : asksAll ? members : know(topic).may) {
            if (!except.contains(member) && (!asksAll || mayHave(member, topic))) {
                return false;
            }
        }
        return true;
    }

    private Known<M> know(TopicName topic) {
        Known<M> there = known.get(topic);
        if (there == null) {
            there = new Known<>(members);
            known.put(topic, there);
            if (known.size() > TOPICS) {
                Iterator<TopicName> oldest = known.keySet().iterator();
                oldest.next();
                oldest.remove();
            }
        }
        askUnasked(there, topic);
        return there;
    }

    private void askUnasked(Known<M> those, TopicName topic) {
        if (those.unasked.isEmpty()) {
            return;
        }
        for (M member : those.unasked) {
            if (mayHave(member, topic)) {
                those.may.add(member);
            }
        }
        those.unasked.clear();
        those.nobodyFree = -1;
        those.nobodyConnected = -1;
    }

    private boolean mayHave(M member, TopicName topic) {
        Rights asked = member.guard();
        return asked == null || asked.mayReceive(topic);
    }
}
