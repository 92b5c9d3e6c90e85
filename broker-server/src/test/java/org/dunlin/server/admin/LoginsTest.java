package org.dunlin.server.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.dunlin.server.rest.Principal;
import org.junit.jupiter.api.Test;

class LoginsTest {
    private static final Principal ANN = new Principal("user ann", Principal.Scope.WRITE);

    private long now = -5;
    private final Logins logins = new Logins(Duration.ofMinutes(10), () -> now);

    private void pass(int minutes) {
        now += Duration.ofMinutes(minutes).toNanos();
    }

    @Test
    void login_lastsForItsTime() {
        String cookie = logins.begin(ANN, () -> true);
        pass(10);
        assertEquals(ANN, logins.find(cookie));
        pass(1);
        assertNull(logins.find(cookie));
        assertNull(logins.find("another"));
    }

    @Test
    void otherTime_countsForThoseWhoAreIn_andBringsNobodyBack() {
        String one = logins.begin(ANN, () -> true);
        String other = logins.begin(ANN, () -> true);
        pass(8);
        logins.time(Duration.ofMinutes(7));
        assertNull(logins.find(one));
        logins.time(Duration.ofHours(1));
        assertNull(logins.find(one), "it has ended");
        assertEquals(ANN, logins.find(other), "nobody has asked for it meanwhile");
    }

    @Test
    void whoeverMayNotBeThereAnyMore_isOutForGood() {
        AtomicBoolean stands = new AtomicBoolean(true);
        String cookie = logins.begin(ANN, stands::get);
        assertEquals(ANN, logins.find(cookie));
        stands.set(false);
        assertNull(logins.find(cookie));
        stands.set(true);
        assertNull(logins.find(cookie));
    }
}
