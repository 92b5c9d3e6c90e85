package org.dunlin.server.admin;

import java.net.InetAddress;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import org.dunlin.server.http.Request;
import org.dunlin.server.rest.ApiFault;
import org.dunlin.server.rest.Call;
import org.dunlin.server.rest.Principal;
import org.dunlin.server.share.AddressBlock;
import org.dunlin.server.share.Rates;
import org.jspecify.annotations.Nullable;

/**
 * Who asks, and whether the page that asks may. Any thread. A page of somebody else in an operator's browser could reach the port
 * under a name that it makes point here, or let the browser send what it has stored: so a browser has to call the broker by a known
 * name, and its pages have to be the broker's own.
 */
final class Gate {
    static final String COOKIE = "dunlin-login";

    private static final String BEARER = "bearer ";
    /** Wrong tokens and passwords from one address. */
    private static final int TRIES_AT_ONCE = 10;

    private static final Duration BETWEEN_TRIES = Duration.ofSeconds(6);
    private static final int ADDRESSES = 4096;
    private static final Pattern IPV4 = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}");
    private static final Pattern IPV6 = Pattern.compile("\\[[0-9A-Fa-f:.]+\\]");

    private final Tokens tokens;
    private final Logins logins;
    private volatile Set<String> names;
    private final Rates tries = new Rates(BETWEEN_TRIES, TRIES_AT_ONCE, ADDRESSES);
    private final LongSupplier nanoTime;

    /** @param allowedHosts by which browsers may call the broker, beside addresses and localhost */
    Gate(Tokens tokens, Logins logins, List<String> allowedHosts, LongSupplier nanoTime) {
        this.tokens = tokens;
        this.logins = logins;
        this.nanoTime = nanoTime;
        this.names = names(allowedHosts);
    }

    private static Set<String> names(List<String> allowedHosts) {
        Set<String> names = new HashSet<>();
        names.add("localhost");
        allowedHosts.forEach(name -> names.add(name.toLowerCase(Locale.ROOT)));
        return Set.copyOf(names);
    }

    /** By which browsers may call the broker from now on. */
    void allowedHosts(List<String> next) {
        names = names(next);
    }

    /**
     * Whether whoever asks may ask at all, whatever it is.
     *
     * @throws ApiFault 400, 403 or 421 if not
     */
    void check(Request request) throws ApiFault {
        String origin = request.header("origin");
        String host = request.header("host");
        if (host == null || host.isEmpty()) {
            throw ApiFault.badRequest("the header Host is missing");
        }
        String first = request.path().get(0);
        if (request.path().size() == 1
                && (HealthApi.PATHS.contains(first) || first.equals(StatusApi.METRICS) && origin == null)) {
            return; // machines call them by any name; without a token there is nothing in them that may not be known
        }
        boolean noBrowser = request.header("authorization") != null && origin == null;
        if (!noBrowser && !isKnown(host)) {
            throw new ApiFault(
                    421,
                    "the broker is not known by this name; call it by its address, or name it in admin.allowed-hosts");
        }
        String own = (request.secure() ? "https://" : "http://") + host;
        String site = request.header("sec-fetch-site");
        boolean foreign = origin != null && !origin.equalsIgnoreCase(own)
                || site != null && !site.equals("same-origin") && !site.equals("none");
        if (foreign && !isVisit(request)) {
            throw new ApiFault(403, "pages of other sites may not ask the broker");
        }
    }

    /** A link that somebody has followed to a page: it is given nothing but the page. */
    private static boolean isVisit(Request request) {
        return request.method().equals("GET")
                && "navigate".equals(request.header("sec-fetch-mode"))
                && request.header("origin") == null
                && !request.path().get(0).equals("api");
    }

    private boolean isKnown(String host) {
        int port = host.startsWith("[") ? host.indexOf(']') + 1 : host.indexOf(':');
        String name = (port <= 0 || port >= host.length() ? host : host.substring(0, port)).toLowerCase(Locale.ROOT);
        return names.contains(name)
                || IPV4.matcher(name).matches()
                || IPV6.matcher(name).matches();
    }

    /**
     * Who asks; null if the request says nothing of it.
     *
     * @throws ApiFault 401 or 429 if what it says is wrong
     */
    @Nullable
    Principal identify(Request request) throws ApiFault {
        String authorization = request.header("authorization");
        if (authorization != null) {
            Principal by = bearer(authorization);
            if (by == null) {
                countTry(request.peer().getAddress());
                throw unauthorized("the token is not known; it is in the file admin.token of the data directory");
            }
            return by;
        }
        String cookie = request.cookie(COOKIE);
        return cookie == null ? null : logins.find(cookie);
    }

    /** Whether whoever was let in by a request would be let in still; that is no try to log in. */
    boolean stands(Request request) {
        String authorization = request.header("authorization");
        if (authorization != null) {
            return bearer(authorization) != null;
        }
        String cookie = request.cookie(COOKIE);
        return cookie != null && logins.find(cookie) != null;
    }

    private @Nullable Principal bearer(String authorization) {
        return authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())
                ? tokens.find(authorization.substring(BEARER.length()).strip())
                : null;
    }

    /** Who asks, where {@link AdminService} has let nobody through that is not known. */
    static Principal known(Call call) {
        Principal by = call.by();
        if (by == null) {
            throw new IllegalStateException("nobody is known");
        }
        return by;
    }

    static ApiFault unauthorized(String why) {
        return new ApiFault(401, why).with("www-authenticate", "Bearer");
    }

    /**
     * Counts a try to log in, or a token that is none, from an address.
     *
     * @throws ApiFault 429 if there were too many
     */
    void countTry(InetAddress from) throws ApiFault {
        if (!tries.take(AddressBlock.source(from), nanoTime.getAsLong())) {
            throw new ApiFault(429, "too many tries to log in came from this address; wait a minute")
                    .with("retry-after", "60");
        }
    }
}
