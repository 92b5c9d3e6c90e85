package org.dunlin.it.dashboard;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.dunlin.it.RealClient;
import org.dunlin.it.RunningBroker;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The dashboard in a real browser (Chromium), as people use it: src-it/js/dashboard.mjs has the steps and says each
 * that worked. In all of them no error may come up in the browser's console, and nothing may be asked of another host.
 * With {@code -Ddunlin.screenshots.write=true} the pictures of docs/dashboard.md are taken anew.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 6, unit = TimeUnit.MINUTES)
class DashboardIT {
    private static final Pattern ADMIN = Pattern.compile("admin (http://127\\.0\\.0\\.1:\\d+)");
    /** A browser on a busy machine, with many pages to look at. */
    private static final long STEP_SECONDS = 150;

    private static final Path PICTURES = Path.of(System.getProperty("dunlin.root", ".."), "docs", "dashboard")
            .toAbsolutePath()
            .normalize();

    private RunningBroker broker;
    private String url;
    private String token;

    @BeforeAll
    void start(@TempDir Path files) throws Exception {
        RealClient.scripts("playwright-core", "axe-core");
        RealClient.program("chromium");
        Path users = secret(files.resolve("users"), "");
        Path rights = secret(files.resolve("acl"), "topic readwrite #\n");
        Path bans = secret(files.resolve("bans"), "");
        Path operators = secret(files.resolve("operators"), line("olga", "operator"));
        Path data = RunningBroker.newDataDirectory();
        broker = RunningBroker.start(List.of(
                "storage.path=" + data,
                "auth.password-file=" + users,
                "auth.acl-file=" + rights,
                "auth.ban-file=" + bans,
                "auth.allow-anonymous=true",
                "admin.port=0",
                "admin.password-file=" + operators));
        url = address(broker);
        token = Files.readString(data.resolve("admin.token")).strip();
    }

    @AfterAll
    void stop() {
        if (broker != null) {
            broker.close();
        }
    }

    private static Path secret(Path file, String content) throws Exception {
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        return Files.writeString(file, content, UTF_8);
    }

    private static String line(String user, String password) throws Exception {
        byte[] salt = new byte[12];
        byte[] hash = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA512")
                .generateSecret(new PBEKeySpec(password.toCharArray(), salt, 101, 512))
                .getEncoded();
        Base64.Encoder text = Base64.getEncoder();
        return user + ":$7$101$" + text.encodeToString(salt) + "$" + text.encodeToString(hash) + "\n";
    }

    @Test
    void brokerThatIsKilled_isSeenToBeGone_andToBeBack() throws Exception {
        Path data = RunningBroker.newDataDirectory();
        List<String> settings = List.of("storage.path=" + data, "auth.allow-anonymous=true");
        RunningBroker killed = RunningBroker.start(settings);
        String address = address(killed);
        String[] arguments = {
            address, Files.readString(data.resolve("admin.token")).strip(), "restart"
        };
        try (RealClient browser = RealClient.node("dashboard.mjs", killed, arguments)) {
            browser.awaitLine("kill it", STEP_SECONDS);
            killed.kill();
            browser.awaitLine("start it", STEP_SECONDS);
            List<String> same = new ArrayList<>(settings);
            same.add("admin.port=" + URI.create(address).getPort());
            try (RunningBroker back =
                    RunningBroker.run(RunningBroker.command(List.of("-Xmx1g"), killed.port(), same))) {
                assertEquals(address, address(back));
                browser.awaitLine("done: restart", STEP_SECONDS);
                browser.awaitSuccess();
            }
        } finally {
            killed.close();
        }
    }

    private static String address(RunningBroker broker) {
        Matcher admin = ADMIN.matcher(broker.awaitLog(" Ready "));
        if (!admin.find()) {
            throw new AssertionError("no admin port");
        }
        return admin.group(1);
    }

    /** @param steps what the script has to say, one after the other, with semicolons between */
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "logIn, 'logged out; asked again'",
        "clients, 'not asked twice, not done; sent away by an operator; a page has an end; there and back'",
        "sessions, 'looking ends nothing; those ended; its message is told as lost'",
        "topics, 'only what is opened is asked for; live values; deleted; all deleted'",
        "testClient, 'published; received'",
        "charts, 'Messages a second; Bytes a second; Connected clients; Messages lost a second; four charts are drawn'",
        "trace, 'packets come live; held; nothing of it came to life; one packet a line; saved as JSON'",
        "explain, 'who gets it, and who does not; what comes nearest; refused to its publisher; what stands out'",
        "meanwhile, 'what was asked last is shown; two clicks are one page; all is well again; back where it was'",
        "rights, 'denied; a fault is told; what is written is kept; allowed now; another password; removed and sent'",
        "bans, 'named; kept out; told'",
        "groups, 'members come and go'",
        "configuration, 'checked; level set'",
        "backups, 'a fault is told; made; removed'",
        "tokens, 'no deeds for who only looks; removed'",
        "hostileNames, 'shown as it is; asked about as it is; nothing of it came to life'",
        "focus, 'after the last row has gone; at the first of what was shown more; where it was; at what can be done'",
        "many, 'the first are shown; the others are found; asked for once; more is lost than anybody can follow'",
        "longNames, 'a long name is cut; and told in full; told that it cannot be; it is found, and fits; and deleted'",
        "keyboard, 'begins at the link that skips; focus is seen; back where it was; done without a mouse'",
        "hiddenPage, 'nobody asks while nobody looks; asks again at once'",
        "darkAndLight, 'dark as the system is; light by choice; and it stays'",
        "wide, 'fit to be seen and heard in light; fit to be seen and heard in dark'",
        "narrow, 'the menu closes behind; fit to be seen and heard in light; fit to be seen and heard in dark'",
    })
    void people_doTheirWork(String name, String steps) {
        List<String> arguments = new ArrayList<>(List.of(url, token, name));
        if (Boolean.getBoolean("dunlin.screenshots.write")) {
            arguments.add(PICTURES.toString());
        }
        try (RealClient browser = RealClient.node("dashboard.mjs", broker, arguments.toArray(String[]::new))) {
            for (String step : steps.split("; ")) {
                browser.awaitLine(step, STEP_SECONDS);
            }
            browser.awaitLine("done: " + name, STEP_SECONDS);
            browser.awaitSuccess();
        }
    }
}
