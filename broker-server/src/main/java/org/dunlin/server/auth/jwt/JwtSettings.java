package org.dunlin.server.auth.jwt;

import java.time.Duration;

/**
 * What a token has to say, and where. Each text is "" if it is not set. Any thread.
 *
 * @param issuer that "iss" has to be; "" for any
 * @param audience that "aud" has to contain; "" if it may not be there
 * @param userClaim never ""
 * @param leeway by which another clock may be off
 * @param inUserName whether the token is in the user name of CONNECT instead of the password
 * @param matchUser whether a user name of CONNECT has to be the token's
 * @param requireExpiry whether "exp" has to be there
 * @param patience after which nobody waits for the answer any more
 */
public record JwtSettings(
        String issuer,
        String audience,
        String userClaim,
        String aclClaim,
        String groupsClaim,
        String clientIdClaim,
        Duration leeway,
        boolean inUserName,
        boolean matchUser,
        boolean requireExpiry,
        Duration patience) {}
