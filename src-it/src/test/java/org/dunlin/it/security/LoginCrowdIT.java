package org.dunlin.it.security;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.RunningBroker;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * All users of a password file log in, and all come back, some thousands at the same time: nobody is refused for good.
 * {@code -Ddunlin.it.crowd=50000} is what docs/performance.md has.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class LoginCrowdIT {
    private static final int USERS = Integer.getInteger("dunlin.it.crowd", 3000);
    private static final int AT_ONCE = Math.min(4000, USERS / 3);
    private static final int CONNECTED = Math.min(15_000, USERS / 2) - AT_ONCE;

    @Test
    void everybody_comesBack(@TempDir Path folder) throws Exception {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < USERS; i++) {
            lines.append(Hashes.line("user-" + i, "secret-" + i));
        }
        Path users = Files.writeString(folder.resolve("users"), lines);
        List<String> settings = List.of("auth.password-file=" + users, "limits.connect-rate=0", "limits.accept-rate=0");
        try (RunningBroker broker = RunningBroker.start(settings)) {
            for (String round : List.of("first logins", "second logins", "third logins")) {
                long before = cpuMillis(broker);
                Map<String, Double> figures = new LoginStorm(
                                broker, "count=" + USERS, "keep=" + CONNECTED, "password=secret", "addresses=64")
                        .figures();
                System.out.printf(
                        "%s of %d users: %.1f s, slowest %.0f ms, broker CPU %.1f s%n",
                        round,
                        USERS,
                        figures.get("seconds"),
                        figures.get("max") / 1000,
                        (cpuMillis(broker) - before) / 1000.0);
                assertEquals(USERS, figures.get("accepted"));
                assertEquals(0, figures.get("refused"));
            }
        }
    }

    private static long cpuMillis(RunningBroker broker) {
        return ProcessHandle.of(broker.pid())
                .orElseThrow()
                .info()
                .totalCpuDuration()
                .orElseThrow()
                .toMillis();
    }
}
