package org.dunlin.server.auth.jwt;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.dunlin.core.spi.Authenticator.Identity;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.server.acl.TokenRights;
import org.dunlin.server.auth.UserName;
import org.dunlin.server.config.Quote;
import org.jose4j.jwt.JwtClaims;
import org.jspecify.annotations.Nullable;

/** Reads proven claims: whose token it is, whether it counts here and now, and what it allows. Immutable; any thread. */
final class Claims {
    static final String SOURCE = "jwt";
    /** The year 9999; what is later never comes. */
    private static final long SECONDS_MAX = 253_402_300_799L;

    private static final Set<String> ACTIONS = Set.of("publish", "subscribe", "receive", "all");

    private final JwtSettings settings;

    Claims(JwtSettings settings) {
        this.settings = settings;
    }

    JwtSettings settings() {
        return settings;
    }

    /**
     * Whom the token is about, for as long as it is valid.
     *
     * @param nowMillis the time of day
     * @throws Token.Unfit if the token does not count
     */
    Identity identity(JwtClaims claims, String clientId, @Nullable String claimedUser, long nowMillis)
            throws Token.Unfit {
        long lifeMillis = life(claims, nowMillis);
        checkOrigin(claims);
        String user = text(claims, settings.userClaim());
        if (user == null) {
            throw new Token.Unfit("names no user: it has no claim " + Quote.of(settings.userClaim()));
        }
        String unfit = UserName.unfit(user);
        if (unfit != null) {
            throw new Token.Unfit("names a user whose name " + unfit);
        }
        if (settings.matchUser() && !settings.inUserName() && claimedUser != null && !claimedUser.equals(user)) {
            throw new Token.Unfit("is of another user than the user name says");
        }
        if (!settings.clientIdClaim().isEmpty()) {
            String only = text(claims, settings.clientIdClaim());
            if (only == null || !only.equals(clientId)) {
                throw new Token.Unfit("is good for another client identifier only");
            }
        }
        return new Identity(user, SOURCE, rights(claims), lifeMillis);
    }

    private long life(JwtClaims claims, long nowMillis) throws Token.Unfit {
        long leeway = settings.leeway().toMillis();
        Long begins = seconds(claims, "nbf");
        if (begins != null && begins * 1000 - leeway > nowMillis) {
            throw new Token.Unfit("is not valid yet; compare the clocks");
        }
        Long ends = seconds(claims, "exp");
        if (ends == null) {
            if (settings.requireExpiry()) {
                throw new Token.Unfit("does not say when it expires (exp); see auth.jwt.require-expiry");
            }
            return Identity.WITHOUT_END;
        }
        long left = ends * 1000 + leeway - nowMillis;
        if (left <= 0) {
            throw new Token.Unfit("has expired; get a new one");
        }
        return left;
    }

    private static @Nullable Long seconds(JwtClaims claims, String name) throws Token.Unfit {
        Object value = claims.getClaimValue(name);
        if (value == null && !claims.hasClaim(name)) {
            return null;
        }
        if (!(value instanceof Number number) || Double.isNaN(number.doubleValue())) {
            throw new Token.Unfit("has no time in " + name);
        }
        return (long) Math.max(0, Math.min(SECONDS_MAX, number.doubleValue()));
    }

    private void checkOrigin(JwtClaims claims) throws Token.Unfit {
        if (!settings.issuer().isEmpty() && !settings.issuer().equals(text(claims, "iss"))) {
            throw new Token.Unfit("has another issuer than auth.jwt.issuer says");
        }
        Object audience = claims.getClaimValue("aud");
        boolean right;
        if (settings.audience().isEmpty()) {
            right = audience == null; // RFC 7519, 4.1.3: whoever is not in it has to refuse
        } else {
            right = settings.audience().equals(audience)
                    || audience instanceof List<?> list && list.contains(settings.audience());
        }
        if (!right) {
            throw new Token.Unfit("is for another audience than auth.jwt.audience says");
        }
    }

    private static @Nullable String text(JwtClaims claims, String name) {
        return claims.getClaimValue(name) instanceof String text ? text : null;
    }

    // ---- rights

    private Authorizer.@Nullable Claims rights(JwtClaims claims) throws Token.Unfit {
        Object acl = settings.aclClaim().isEmpty() ? null : claims.getClaimValue(settings.aclClaim());
        List<String> groups = settings.groupsClaim().isEmpty()
                ? List.of()
                : texts(claims.getClaimValue(settings.groupsClaim()), settings.groupsClaim());
        if (acl == null && groups.isEmpty()) {
            return null;
        }
        try {
            return TokenRights.of(acl == null ? null : allowed(acl), groups);
        } catch (IllegalArgumentException tooMany) {
            throw new Token.Unfit(String.valueOf(tooMany.getMessage()));
        }
    }

    /** {"publish": [...], "subscribe": [...]} or [{"action": "publish", "topic": "..."}, ...]. */
    private TokenRights.Allowed allowed(Object acl) throws Token.Unfit {
        List<TopicFilter> publish = new ArrayList<>();
        List<TopicFilter> subscribe = new ArrayList<>();
        List<TopicFilter> receive = new ArrayList<>();
        boolean receiveSaid = false;
        for (Grant grant : grants(acl)) {
            boolean all = grant.action.equals("all");
            if (all || grant.action.equals("publish")) {
                publish.addAll(grant.filters);
            }
            if (all || grant.action.equals("subscribe")) {
                subscribe.addAll(grant.filters);
            }
            if (all || grant.action.equals("receive")) {
                receive.addAll(grant.filters);
            }
            receiveSaid |= grant.action.equals("receive");
        }
        return new TokenRights.Allowed(publish, subscribe, receiveSaid ? receive : subscribe);
    }

    private record Grant(String action, List<TopicFilter> filters) {}

    private List<Grant> grants(Object acl) throws Token.Unfit {
        List<Grant> grants = new ArrayList<>();
        if (acl instanceof Map<?, ?> lists) {
            for (Map.Entry<?, ?> list : lists.entrySet()) {
                grants.add(grant(list.getKey(), list.getValue()));
            }
        } else if (acl instanceof List<?> rules) {
            for (Object rule : rules) {
                if (!(rule instanceof Map<?, ?> parts)
                        || !Set.of("action", "topic").equals(parts.keySet())) {
                    throw unfit("lists something else than {\"action\": ..., \"topic\": ...}");
                }
                grants.add(grant(parts.get("action"), parts.get("topic")));
            }
        } else {
            throw unfit("is neither an object nor a list");
        }
        return grants;
    }

    private Grant grant(@Nullable Object action, @Nullable Object topics) throws Token.Unfit {
        if (!(action instanceof String word) || !ACTIONS.contains(word)) {
            throw unfit("names an action that is none of publish, subscribe, receive and all");
        }
        List<TopicFilter> filters = new ArrayList<>();
        for (String text : texts(topics, settings.aclClaim())) {
            String fault = text.length() > 65_535 ? "is too long" : TopicFilter.fault(text);
            if (fault != null) {
                throw unfit("has a topic filter that " + fault);
            }
            filters.add(TopicFilter.of(text));
        }
        return new Grant(word, filters);
    }

    private Token.Unfit unfit(String what) {
        return new Token.Unfit("has a claim " + Quote.of(settings.aclClaim()) + " that " + what);
    }

    /** One text, or a list of texts; none if there is nothing. */
    private static List<String> texts(@Nullable Object value, String claim) throws Token.Unfit {
        List<String> texts = new ArrayList<>();
        List<?> all = value == null ? List.of() : value instanceof List<?> list ? list : List.of(value);
        for (Object each : all) {
            if (!(each instanceof String text)) {
                throw new Token.Unfit("has a claim " + Quote.of(claim) + " with something that is no text");
            }
            texts.add(text);
        }
        return texts;
    }
}
