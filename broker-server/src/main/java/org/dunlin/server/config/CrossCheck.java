package org.dunlin.server.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.dunlin.server.config.Config.AnonymousAccess;

/** Faults that only show when several keys are seen together. One thread. */
final class CrossCheck {
    private final Settings settings;
    private final Set<String> faulty;
    private final List<Fault> faults;
    private final List<String> warnings;

    /** @param faulty paths whose values are already known to be wrong; nothing more is said of them */
    CrossCheck(Settings settings, Set<String> faulty, List<Fault> faults, List<String> warnings) {
        this.settings = settings;
        this.faulty = faulty;
        this.faults = faults;
        this.warnings = warnings;
    }

    void run() {
        Map<String, Integer> names = new HashMap<>();
        Map<String, Integer> addresses = new HashMap<>();
        boolean anybodyGetsIn = knowsUsers();
        for (int i = 0; i < Math.min(settings.count("listeners"), 64); i++) {
            checkName(names, i);
            checkAddress(addresses, i);
            anybodyGetsIn |= checkAnonymous(i);
            new DoorCheck(settings, i, faulty, faults, warnings).run();
        }
        new AuthCheck(settings, faulty, faults, warnings).run();
        if (!anybodyGetsIn && faults.isEmpty()) {
            warnings.add("auth.allow-anonymous is false and no authenticator is configured: every client is refused");
        }
        if (settings.get(Keys.QUEUE_MAX_BYTES) < settings.get(Keys.MAX_PACKET_SIZE)
                && (said(Keys.QUEUE_MAX_BYTES, 0) || said(Keys.MAX_PACKET_SIZE, 0))) {
            warnings.add(
                    "queue.max-bytes is smaller than limits.max-packet-size: the largest messages never fit a queue");
        }
        checkMemory();
        checkAdmin();
        checkOtlp();
        if (!settings.get(Keys.STORAGE_PATH).equals(Keys.STORAGE_PATH.defaultValue())
                && settings.get(Keys.STORAGE_ENGINE) == Config.Engine.MEMORY) {
            warnings.add("storage.path (" + settings.origin("storage.path")
                    + ") is not used: storage.engine is memory, all state ends with the process");
        }
    }

    private boolean knowsUsers() {
        return new AuthCheck(settings, faulty, faults, warnings).knowsUsers();
    }

    /** A budget that the heap cannot hold would not keep the process from running out of memory. */
    private void checkMemory() {
        if (faulty.contains(Keys.MEMORY_BUDGET.path(0))) {
            return;
        }
        long heap = Runtime.getRuntime().maxMemory();
        long budget = settings.get(Keys.MEMORY_BUDGET);
        long most = heap / 100 * Config.Memory.MOST_PERCENT;
        if (budget > most) {
            fault(
                    where(0, Keys.MEMORY_BUDGET),
                    Keys.MEMORY_BUDGET.path(0),
                    "is more than " + Config.Memory.MOST_PERCENT + " % of the heap, which has " + (heap >> 20) + "MB",
                    "set it to " + (most >> 20) + "MB or less, or give Java a larger heap with -Xmx");
        }
    }

    private void checkAdmin() {
        if (Stream.of(AdminKeys.BIND, AdminKeys.INSECURE, AdminKeys.CERT, AdminKeys.KEY, AdminKeys.KEYSTORE)
                .anyMatch(key -> faulty.contains(key.path(0)))) {
            return;
        }
        boolean cert = !settings.get(AdminKeys.CERT).isEmpty();
        boolean keystore = !settings.get(AdminKeys.KEYSTORE).isEmpty();
        if (cert && keystore) {
            fault(where(0, AdminKeys.KEYSTORE), AdminKeys.KEYSTORE.path(0), "is set beside admin.tls.cert", "keep one");
        } else if (cert == settings.get(AdminKeys.KEY).isEmpty()) {
            Key<?> missing = cert ? AdminKeys.KEY : AdminKeys.CERT;
            fault(
                    where(0, AdminKeys.CERT, AdminKeys.KEY),
                    missing.path(0),
                    "is missing: certificate and private key belong together",
                    "name both in admin.tls.cert and admin.tls.key");
        }
        if (settings.get(AdminKeys.ENABLED)
                && !cert
                && !keystore
                && !settings.get(AdminKeys.INSECURE)
                && !Config.isLoopback(settings.get(AdminKeys.BIND))) {
            fault(
                    where(0, AdminKeys.BIND),
                    AdminKeys.BIND.path(0),
                    Quote.of(settings.get(AdminKeys.BIND)) + " can be reached from other machines in the clear",
                    "name a certificate with admin.tls.cert and admin.tls.key, or set admin.insecure: true where the way"
                            + " to it is safe");
        }
    }

    private void checkOtlp() {
        String url = settings.get(AdminKeys.OTLP_URL);
        if (!faulty.contains(AdminKeys.OTLP_URL.path(0)) && !url.isEmpty() && !hasHost(url)) {
            fault(
                    where(0, AdminKeys.OTLP_URL),
                    AdminKeys.OTLP_URL.path(0),
                    "is no URL with a host",
                    "write it like http://127.0.0.1:4318/v1/metrics");
        }
    }

    private static boolean hasHost(String url) {
        try {
            return new URI(url).getHost() != null;
        } catch (URISyntaxException malformed) {
            return false;
        }
    }

    private boolean said(Key<?> key, int index) {
        return settings.said(key.path(index)) != null;
    }

    private void checkName(Map<String, Integer> names, int i) {
        if (faulty.contains(ListenerKeys.NAME.path(i))) {
            return;
        }
        String name = settings.get(ListenerKeys.NAME, i);
        Integer other = names.putIfAbsent(name, i);
        if (other != null) {
            fault(
                    where(i, ListenerKeys.NAME, ListenerKeys.PORT, ListenerKeys.BIND),
                    ListenerKeys.NAME.path(i),
                    "is " + Quote.of(name) + " like that of listeners[" + other + "]",
                    "give each listener a name of its own");
        }
    }

    private void checkAddress(Map<String, Integer> addresses, int i) {
        if (faulty.contains(ListenerKeys.PORT.path(i)) || faulty.contains(ListenerKeys.BIND.path(i))) {
            return;
        }
        int port = settings.get(ListenerKeys.PORT, i);
        if (port == 0) {
            return;
        }
        String address = listener(i).address().getAddress().getHostAddress();
        Integer other = addresses.putIfAbsent(address + " " + port, i);
        if (other != null) {
            fault(
                    where(i, ListenerKeys.PORT, ListenerKeys.BIND, ListenerKeys.NAME),
                    ListenerKeys.PORT.path(i),
                    "is " + port + " on the same address as listeners[" + other + "]",
                    "give each listener an address or port of its own");
        }
    }

    /** Whether anybody can connect there; if nobody said so, off loopback, that is a fault. */
    private boolean checkAnonymous(int i) {
        for (Key<?> key : List.of(ListenerKeys.BIND, ListenerKeys.ALLOW_ANONYMOUS, AuthKeys.ALLOW_ANONYMOUS)) {
            if (faulty.contains(key.path(i))) {
                return true;
            }
        }
        AnonymousAccess own = settings.get(ListenerKeys.ALLOW_ANONYMOUS, i);
        AnonymousAccess said = own != AnonymousAccess.AUTO ? own : settings.get(AuthKeys.ALLOW_ANONYMOUS);
        if (said != AnonymousAccess.AUTO) {
            return said == AnonymousAccess.TRUE;
        }
        if (knowsUsers() || listener(i).onLoopback()) {
            return true;
        }
        fault(
                where(i, ListenerKeys.BIND),
                ListenerKeys.BIND.path(i),
                Quote.of(settings.get(ListenerKeys.BIND, i)) + " can be reached from other machines and no"
                        + " authenticator is configured",
                "name its users with auth.password-file, auth.jwt or auth.certificate, set auth.allow-anonymous: true to"
                        + " let everybody in, or bind to 127.0.0.1");
        return true;
    }

    private Config.Listener listener(int i) {
        return new Config.Listener(
                "",
                Config.ListenerType.TCP,
                settings.get(ListenerKeys.BIND, i),
                settings.get(ListenerKeys.PORT, i),
                AnonymousAccess.AUTO,
                0,
                List.of(),
                null,
                null,
                null);
    }

    /** The origin of the first of these keys that anybody set. */
    private String where(int i, Key<?>... keys) {
        for (Key<?> key : keys) {
            if (said(key, i)) {
                return settings.origin(key.path(i));
            }
        }
        return Settings.DEFAULT;
    }

    private void fault(String where, String path, String what, String cure) {
        faults.add(new Fault(where, path, what, cure));
    }
}
