package org.dunlin.server.net.tls;

import java.time.Instant;
import java.time.ZoneOffset;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One thread at a time. Says in time, once for each threshold, that a certificate ends. */
final class Expiry {
    private static final Logger log = LoggerFactory.getLogger(Expiry.class);
    /** Days ahead, longest first; 0 is when it has ended. */
    private static final int[] WARN_DAYS = {30, 7, 1, 0};

    private final String listener;
    private final Credentials credentials;
    /** Thresholds that have been warned of. */
    private int warned;

    Expiry(String listener, Credentials credentials) {
        this.listener = listener;
        this.credentials = credentials;
    }

    void look(long nowMillis) {
        long left = credentials.expiryMillis() - nowMillis;
        int passed = warned;
        while (passed < WARN_DAYS.length && left <= TimeUnit.DAYS.toMillis(WARN_DAYS[passed])) {
            passed++;
        }
        if (passed == warned) {
            return;
        }
        warned = passed;
        if (left <= 0) {
            log.warn("Listener {}: the certificate has expired: {}; clients will refuse it, renew it", listener, this);
        } else {
            log.warn(
                    "Listener {}: the certificate expires in {}: {}; renew it, the broker takes the new files while it runs",
                    listener,
                    left < TimeUnit.DAYS.toMillis(2)
                            ? TimeUnit.MILLISECONDS.toHours(left) + " h"
                            : TimeUnit.MILLISECONDS.toDays(left) + " days",
                    this);
        }
    }

    @Override
    public String toString() {
        return credentials.subject() + ", valid until "
                + Instant.ofEpochMilli(credentials.expiryMillis())
                        .atZone(ZoneOffset.UTC)
                        .toLocalDate();
    }
}
