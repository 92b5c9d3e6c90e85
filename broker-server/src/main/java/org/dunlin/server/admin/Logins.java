package org.dunlin.server.admin;

import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.dunlin.server.rest.Principal;
import org.jspecify.annotations.Nullable;

/**
 * Browsers that have logged in, each known by a random cookie. Any thread that may wait; in memory alone, so a restart ends all of
 * them.
 */
final class Logins {
    private static final int MOST = 1000;
    private static final int RANDOM_BYTES = 32;

    private final SecureRandom random = new SecureRandom();
    private volatile long nanos;
    private final LongSupplier nanoTime;
    /** Oldest first. */
    private final Map<String, Login> logins = new LinkedHashMap<>();

    private record Login(Principal principal, long sinceNanos, BooleanSupplier stands) {}

    /** @param time how long each lasts */
    Logins(Duration time, LongSupplier nanoTime) {
        this.nanos = time.toNanos();
        this.nanoTime = nanoTime;
    }

    /** How long each lasts, those that have begun included. */
    void time(Duration next) {
        nanos = next.toNanos();
    }

    /**
     * Somebody has logged in; the oldest goes if there are too many.
     *
     * @param stands is asked at each use whether whoever it is may be there still
     * @return the cookie by which it is known
     */
    synchronized String begin(Principal principal, BooleanSupplier stands) {
        byte[] bytes = new byte[RANDOM_BYTES];
        random.nextBytes(bytes);
        String cookie = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
        if (logins.size() >= MOST) {
            Iterator<String> oldest = logins.keySet().iterator();
            oldest.next();
            oldest.remove();
        }
        logins.put(cookie, new Login(principal, nanoTime.getAsLong(), stands));
        return cookie;
    }

    /** Whose cookie that is, or null. */
    @Nullable
    Principal find(String cookie) {
        Login login = get(cookie);
        if (login == null) {
            return null;
        }
        if (nanoTime.getAsLong() - login.sinceNanos() > nanos || !login.stands().getAsBoolean()) {
            end(cookie);
            return null;
        }
        return login.principal();
    }

    private synchronized @Nullable Login get(String cookie) {
        return logins.get(cookie);
    }

    synchronized void end(String cookie) {
        logins.remove(cookie);
    }

    /** All that were begun by somebody, who may not any more. */
    synchronized void endAll(String name) {
        logins.values().removeIf(login -> login.principal().name().equals(name));
    }
}
