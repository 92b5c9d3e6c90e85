package org.dunlin.server.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PasswordHashTest {
    private static final String SALT = "ip0VIqrnBZRsnIi9";
    private static final String HASH =
            "l6beyW53oa0yNrCcH1L/Neq5VoeVsqb/y3AbgwnXkEYgzNrbcUnEI32+eoTg23Yhsm9hVmqPbCwjj4MKqHwErg==";

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Made by mosquitto_passwd 2.0.11. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "secret | $7$101$" + SALT + "$" + HASH,
                "pässwort | $6$6spmY5T8USXFd9J1$"
                        + "RnTTXf0U9yIt46QOqKgnVtLI/yPB1Idtxxhskgf+Fnq6QK9Aw0EuBhTU3xchMCoj4DvkZFYsSXmsybGiKzHE4w==",
                "a b:c | $7$101$wvzVqblD3vIKvJTF$"
                        + "cVAbjVOQDdPJvIXHBGtcDQKKhByltSJ2asAEjNz8eX0IkDlT0OdEwG7q6HMhPM+nb0ikoEe0bDzfxW3GkcwyNA==",
                "'' | $7$101$PhCy58pP7+kVJBNZ$"
                        + "KJKyZj+9LM9t8qFxLEeXmMC15Lx2/zl5AnEC+9yvPj7q+BRswtwxuYm6OO44AMu0QCaLL1o/xTqnq+v3X3Tgwg==",
            })
    void hashesOfMosquitto_matchTheirPassword(String password, String encoded) throws PasswordHash.Unfit {
        PasswordHash hash = PasswordHash.parse(encoded);

        assertTrue(hash.matches(utf8(password)));
        assertFalse(hash.matches(utf8(password + "x")));
        assertFalse(hash.matches(utf8("Secret")));
        assertEquals(encoded, hash.encoded());
        assertTrue(hash.isWeak());
    }

    @ParameterizedTest
    @ValueSource(strings = {"sha512", "sha512-pbkdf2"})
    void hashesThatMosquittoMakesHere_match(String kind, @TempDir Path folder) throws Exception {
        Path tool = Path.of("/usr/bin/mosquitto_passwd");
        Assumptions.assumeTrue(Files.isExecutable(tool), "mosquitto_passwd is not there");
        Path file = folder.resolve("users");
        List<String> passwords = List.of("x", "two words", "Ünï cödé", "$7$1$a$b", "y".repeat(300));
        for (int i = 0; i < passwords.size(); i++) {
            List<String> command = new ArrayList<>(List.of(tool.toString(), "-H", kind, "-b"));
            if (i == 0) {
                command.add("-c");
            }
            command.addAll(List.of(file.toString(), "user " + i, passwords.get(i)));
            assertEquals(0, new ProcessBuilder(command).start().waitFor());
        }

        PasswordFile users = PasswordFile.read(file);

        for (int i = 0; i < passwords.size(); i++) {
            assertTrue(users.hash("user " + i).matches(utf8(passwords.get(i))), passwords.get(i));
        }
    }

    @Test
    void madeHash_isOfTheFormAndStrengthPromised() throws PasswordHash.Unfit {
        PasswordHash hash = PasswordHash.of(new byte[] {0, (byte) 0xff, 1}); // a password is any bytes

        assertTrue(hash.encoded().startsWith("$argon2id$v=19$m=19456,t=2,p=1$"), hash.encoded());
        assertFalse(hash.isWeak());
        assertTrue(PasswordHash.parse(hash.encoded()).matches(new byte[] {0, (byte) 0xff, 1}));
        assertNotEquals(hash, PasswordHash.of(new byte[] {0, (byte) 0xff, 1}), "each has a salt of its own");
    }

    @Test
    void decoy_takesAsLong_andMatchesNothing() throws PasswordHash.Unfit {
        PasswordHash decoy = PasswordHash.parse("$7$101$" + SALT + "$" + HASH).decoy();

        assertEquals(DigestHash.decoy(101).work(), decoy.work());
        assertFalse(decoy.matches(utf8("secret")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "\"\" | is missing",
                "open-sesame | in the clear",
                "$2b$12$abcdefghijklmnopqrstuv | not known here",
                "$argon2i$v=19$m=1,t=1,p=1$AAAA$BBBB | not known here",
                "$7$ | form $7$ITERATIONS$SALT$HASH",
                "$7$" + SALT + "$" + HASH + " | form $7$ITERATIONS$SALT$HASH",
                "$7$0$" + SALT + "$" + HASH + " | 0 iterations",
                "$7$-1$" + SALT + "$" + HASH + " | form",
                "$7$10000001$" + SALT + "$" + HASH + " | 10000001 iterations; allowed: 1 to 10000000",
                "$7$9999999999$" + SALT + "$" + HASH + " | form",
                "$7$101$$" + HASH + " | salt of 0 bytes",
                "$7$101$" + SALT + "$ | 0 bytes instead of 64",
                "$7$101$" + SALT + "$AAAA | 3 bytes instead of 64; the line may be cut off",
                "$7$101$" + SALT + "$" + HASH + "$ | form",
                "$7$101$!!!!$" + HASH + " | salt that is not base64",
                "$7$101$" + SALT + "$%%%% | hash that is not base64",
                "$6$101$" + SALT + "$" + HASH + " | form $6$SALT$HASH",
                "$6$" + SALT + " | form $6$SALT$HASH",
            })
    void whatIsNoHash_isToldWithoutRepeatingIt(String text, String told) {
        PasswordHash.Unfit unfit = assertThrows(PasswordHash.Unfit.class, () -> PasswordHash.parse(text));

        String message = String.valueOf(unfit.getMessage());
        assertTrue(message.contains(told), message);
        assertFalse(message.contains(HASH) || message.contains("sesame"), message);
    }

    @Test
    void salt_hasAnUpperBound() {
        String salt = Base64.getEncoder().encodeToString(new byte[257]);

        assertThrows(PasswordHash.Unfit.class, () -> PasswordHash.parse("$7$1$" + salt + "$" + HASH));
    }

    /** From the tests of the reference implementation. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "password | $argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
                "password | $argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
                "password | $argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            })
    void hashesOfArgon2id_matchTheirPassword(String password, String encoded) throws PasswordHash.Unfit {
        PasswordHash hash = PasswordHash.parse(encoded);

        assertTrue(hash.matches(utf8(password)));
        assertFalse(hash.matches(utf8("Password")));
        assertFalse(hash.decoy().matches(utf8(password)));
        assertEquals(hash.work(), hash.decoy().work());
        assertEquals(encoded, hash.encoded());
        assertEquals(encoded.contains("m=256"), hash.isWeak());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4 | form",
                "$argon2id$v=19$m=131073,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu | allowed: 8 to 131072",
                "$argon2id$v=19$m=31,t=2,p=4$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu | allowed: 32 to 131072",
                "$argon2id$v=19$m=256,t=65,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu | 65 passes",
                "$argon2id$v=19$m=256,t=2,p=17$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu | 17 lanes",
                "$argon2id$v=19$m=256,t=2,p=1$c29t$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu | salt of 3 bytes",
                "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgL | hash of 6 bytes",
            })
    void whatIsNoArgon2id_isTold(String text, String told) {
        String message = assertThrows(PasswordHash.Unfit.class, () -> PasswordHash.parse(text))
                .getMessage();

        assertTrue(message.contains(told), message);
    }
}
