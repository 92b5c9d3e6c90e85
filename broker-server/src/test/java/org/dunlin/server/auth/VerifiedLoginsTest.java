package org.dunlin.server.auth;

import static org.dunlin.server.auth.PasswordHashTest.utf8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import org.dunlin.server.auth.VerifiedLogins.Login;
import org.junit.jupiter.api.Test;

class VerifiedLoginsTest {
    private static final PasswordHash HASH = DigestHash.decoy(1);

    @Test
    void login_isOfUserPasswordAndHashTogether() {
        VerifiedLogins logins = new VerifiedLogins(10);
        Set<Login> different = new HashSet<>();
        different.add(logins.login("ab", utf8("c"), HASH));
        different.add(logins.login("a", utf8("bc"), HASH));
        different.add(logins.login("abc", utf8(""), HASH));
        different.add(logins.login("ab", utf8("c"), DigestHash.decoy(1)));

        assertEquals(4, different.size());
        assertEquals(logins.login("ab", utf8("c"), HASH), logins.login("ab", utf8("c"), HASH));
        assertNotEquals(
                logins.login("ab", utf8("c"), HASH),
                new VerifiedLogins(10).login("ab", utf8("c"), HASH),
                "each has a key of its own");
    }

    @Test
    void memory_isBounded_andKeepsWhatIsAskedFor() {
        VerifiedLogins logins = new VerifiedLogins(100);
        Login often = logins.login("often", utf8("x"), HASH);
        logins.add(often);
        for (int i = 0; i < 10_000; i++) {
            logins.add(logins.login("user " + i, utf8("x"), HASH));
            assertTrue(logins.contains(often));
            assertTrue(logins.size() <= 101, () -> "holds " + logins.size());
        }

        assertTrue(logins.contains(logins.login("user 9999", utf8("x"), HASH)));
        assertFalse(logins.contains(logins.login("user 0", utf8("x"), HASH)));
    }

    /** As they come back in turn, which is the worst order for a memory that forgets what is oldest. */
    @Test
    void usersUpToHalfOfTheBound_areNeverForgotten() {
        VerifiedLogins logins = new VerifiedLogins(100);
        for (int i = 0; i < 50; i++) {
            logins.add(logins.login("user " + i, utf8("x"), HASH));
        }
        for (int i = 0; i < 50 * 20; i++) {
            assertTrue(logins.contains(logins.login("user " + i % 50, utf8("x"), HASH)));
        }
    }
}
