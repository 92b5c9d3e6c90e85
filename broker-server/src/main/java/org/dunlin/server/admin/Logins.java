package org.dunlin.server.admin;

import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.dunlin.server.rest.Principal;
import org.jspecify.annotations.Nullable;

/** Browsers that have logged in, each known by a random cookie. Any thread; in memory alone, so a restart ends all of them. */
final class Logins {
    private static final int MOST = 1000;
    private static final int RANDOM_BYTES = 32;

    private final SecureRandom random = new SecureRandom();
    private final long nanos;
    private final LongSupplier nanoTime;
    /** Oldest first. */
    private final Map<String, Login> logins = new LinkedHashMap<>();

    private record Login(Principal principal, long sinceNanos) {}

    /** @param time how long each lasts */
    Logins(Duration time, LongSupplier nanoTime) {
        this.nanos = time.toNanos();
        this.nanoTime = nanoTime;
    }

    /** @return the cookie by which it is known; the oldest goes if there are too many */
    synchronized String begin(Principal principal) {
        byte[] bytes = new byte[RANDOM_BYTES];
        random.nextBytes(bytes);
        String cookie = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
        if (logins.size() >= MOST) {
            Iterator<String> oldest = logins.keySet().iterator();
            oldest.next();
            oldest.remove();
        }
        logins.put(cookie, new Login(principal, nanoTime.getAsLong()));
        return cookie;
    }

    /** Whose cookie that is, or null. */
    synchronized @Nullable Principal find(String cookie) {
        Login login = logins.get(cookie);
        if (login == null) {
            return null;
        }
        if (nanoTime.getAsLong() - login.sinceNanos() > nanos) {
            logins.remove(cookie);
            return null;
        }
        return login.principal();
    }

    synchronized void end(String cookie) {
        logins.remove(cookie);
    }

    /** All that were begun by somebody, who may not any more. */
    synchronized void endAll(String name) {
        logins.values().removeIf(login -> login.principal().name().equals(name));
    }
}
