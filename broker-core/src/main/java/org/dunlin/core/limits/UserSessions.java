package org.dunlin.core.limits;

import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** How many sessions each user has. Any thread. Whoever has no user name is not counted; the others are, since a bound may come. */
public final class UserSessions {
    private volatile int most;
    private final Map<String, Integer> sessions = new ConcurrentHashMap<>();

    /** @param most of one user; 0 for no bound */
    public UserSessions(int most) {
        this.most = most;
    }

    /** Another bound counts from now on, 0 for none; whoever has more sessions keeps them. */
    public void bound(int next) {
        most = next;
    }

    /** One more of this user. @return false if that would be too many; then it does not count */
    public boolean enter(@Nullable String user) {
        if (user == null) {
            return true;
        }
        int bound = most;
        boolean[] entered = new boolean[1];
        sessions.compute(user, (same, count) -> {
            int before = count == null ? 0 : count;
            entered[0] = bound == 0 || before < bound;
            return entered[0] ? (Integer) (before + 1) : count;
        });
        return entered[0];
    }

    /** One more that is there already, however many there are: it was kept over a restart, or takes the place of another one. */
    public void add(@Nullable String user) {
        if (user != null) {
            sessions.merge(user, 1, Integer::sum);
        }
    }

    public void leave(@Nullable String user) {
        if (user != null) {
            sessions.computeIfPresent(user, (same, count) -> count == 1 ? null : count - 1);
        }
    }

    /** A user comes to a session that was another's, or to none that was there. @return false if it has too many */
    public boolean mayEnter(@Nullable String user, @Nullable String former) {
        return Objects.equals(user, former) || enter(user);
    }

    /** What {@link #mayEnter} let in has its session now. @param resumes the one that was there; else that has ended */
    public void entered(@Nullable String user, @Nullable String former, boolean resumes) {
        boolean changes = !Objects.equals(user, former);
        if (resumes && changes) {
            leave(former);
        } else if (!resumes && !changes) {
            add(user);
        }
    }

    /** Whether the user has as many as it may. */
    public boolean isFull(@Nullable String user) {
        int bound = most;
        return bound != 0 && user != null && sessions.getOrDefault(user, 0) >= bound;
    }

    /** Users that are counted. */
    public int users() {
        return sessions.size();
    }
}
