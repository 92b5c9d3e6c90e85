package org.dunlin.server.config;

import static org.dunlin.server.config.ValueType.address;
import static org.dunlin.server.config.ValueType.bool;
import static org.dunlin.server.config.ValueType.duration;
import static org.dunlin.server.config.ValueType.file;
import static org.dunlin.server.config.ValueType.integer;
import static org.dunlin.server.config.ValueType.secret;
import static org.dunlin.server.config.ValueType.text;
import static org.dunlin.server.config.ValueType.words;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.dunlin.server.config.Config.Secret;

/** What can be set of the port for operators. Any thread. */
final class AdminKeys {
    static final List<Key<?>> ALL = new ArrayList<>();

    /** Java's client makes some of its own. */
    private static final String HEADER =
            "(?!(?i:connection|content-length|expect|host|upgrade)=)[A-Za-z0-9_-]+=[ -+--~]*";

    static final Key<Boolean> ENABLED = add(
            Key.of("admin.enabled", bool(), true, "Whether there is a port for dashboard, REST, metrics and health."));
    static final Key<String> BIND = add(Key.of(
            "admin.bind",
            address(),
            "127.0.0.1",
            "Address of that port; off loopback it needs admin.tls.cert or admin.insecure."));
    static final Key<Integer> PORT =
            add(Key.of("admin.port", integer(0, 65_535), 18_083, "Its number, 0 for a free one that is logged."));
    static final Key<Boolean> INSECURE = add(Key.of(
            "admin.insecure",
            bool(),
            false,
            "Whether it may be off loopback in the clear: tokens and passwords can be read on the way then."));
    static final Key<String> CERT = add(Key.of(
            "admin.tls.cert",
            file(),
            "",
            "PEM file with its certificate and those that signed it; then it speaks TLS only; watched."));
    static final Key<String> KEY =
            add(Key.of("admin.tls.key", file(), "", "PEM file with the private key of that certificate; watched."));
    static final Key<Secret> KEY_PASSWORD = add(
            Key.secret("admin.tls.key-password", secret(), Secret.NONE, "Password of the private key or keystore."));
    static final Key<String> KEYSTORE = add(Key.of(
            "admin.tls.keystore",
            file(),
            "",
            "PKCS12 or JKS file with certificate and private key, instead of cert and key; watched."));
    static final Key<String> TOKEN_FILE = add(Key.of(
            "admin.token-file",
            file(),
            "",
            "File with the token for everything; made at the first start; admin.token in storage.path if empty."));
    static final Key<String> PASSWORD_FILE = live(Key.of(
            "admin.password-file",
            file(),
            "",
            "People who may log in to the dashboard by name: lines USER:HASH made by 'dunlin user'; none if empty."));
    static final Key<List<String>> ALLOWED_HOSTS = live(Key.of(
            "admin.allowed-hosts",
            words(
                    "host names like broker.example.org with commas between, or nothing",
                    Pattern.compile("[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"),
                    0),
            List.of(),
            "Names by which browsers may reach it; addresses and localhost always may."));
    static final Key<Duration> SESSION_TIME = live(Key.of(
            "admin.session-time",
            duration(Duration.ofMinutes(1), Duration.ofDays(7)),
            Duration.ofHours(12),
            "After that a browser has to log in again."));
    static final Key<String> BACKUP_PATH = add(Key.of(
            "admin.backup-path",
            file(),
            "",
            "Directory for backups of the running broker; backups in storage.path if empty."));
    static final Key<Boolean> METRICS = live(
            Key.of("metrics.enabled", bool(), true, "Whether /metrics of the admin port has figures for Prometheus."));
    static final Key<Boolean> METRICS_PUBLIC = live(Key.of(
            "metrics.public",
            bool(),
            false,
            "Whether /metrics may be read without a token; there are no topics in it."));
    static final Key<String> OTLP_URL = add(Key.of(
            "metrics.otlp.url",
            text(
                    "http:// or https:// with host and path, or nothing",
                    Pattern.compile("|https?://[A-Za-z0-9.\\[\\]:-]+(/[!-~]*)?")),
            "",
            "Where figures are sent by OTLP as JSON, like http://127.0.0.1:4318/v1/metrics; off if empty."));
    static final Key<Duration> OTLP_INTERVAL = add(Key.of(
            "metrics.otlp.interval",
            duration(Duration.ofSeconds(1), Duration.ofHours(1)),
            Duration.ofMinutes(1),
            "Between two of those."));
    static final Key<Secret> OTLP_HEADERS = add(Key.secret(
            "metrics.otlp.headers",
            secret("Name=value with commas between, or nothing", Pattern.compile("|" + HEADER + "(," + HEADER + ")*")),
            Secret.NONE,
            "Headers of each, such as of a login: Name=value with commas between."));

    private AdminKeys() {}

    private static <T> Key<T> live(Key<T> key) {
        return add(key.whileRunning());
    }

    private static <T> Key<T> add(Key<T> key) {
        ALL.add(key);
        return key;
    }

    static Config.Admin admin(Settings settings) {
        return new Config.Admin(
                settings.get(ENABLED),
                settings.get(BIND),
                settings.get(PORT),
                settings.get(INSECURE),
                new Config.AdminTls(
                        settings.get(CERT), settings.get(KEY), settings.get(KEYSTORE), settings.get(KEY_PASSWORD)),
                settings.get(TOKEN_FILE),
                settings.get(PASSWORD_FILE),
                settings.get(ALLOWED_HOSTS),
                settings.get(SESSION_TIME),
                settings.get(BACKUP_PATH),
                new Config.Metrics(
                        settings.get(METRICS),
                        settings.get(METRICS_PUBLIC),
                        new Config.Otlp(
                                settings.get(OTLP_URL), settings.get(OTLP_INTERVAL), settings.get(OTLP_HEADERS))));
    }
}
