package org.dunlin.server.cli.remote;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ConfigOptions;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.cli.JsonOption;
import org.dunlin.server.config.Config;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What all commands have that ask a running broker: where it is, the token, and whether the answer is shown as JSON. Main thread. */
final class RemoteOptions {
    /** What can stand in a header: else Java's client would blame the whole request. */
    private static final Pattern TOKEN = Pattern.compile("[\\x21-\\x7e]+");

    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "Admin port of the broker; without it that of the configuration, http://127.0.0.1:18083 if"
                    + " there is none.")
    private @Nullable String url;

    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            description = "File with the token; without it admin.token in the data directory of the configuration.")
    private @Nullable Path tokenFile;

    @Option(
            names = "--ca",
            paramLabel = "FILE",
            description =
                    "PEM file with the broker's certificate, or who signed it; without it that of admin.tls.cert.")
    private @Nullable Path ca;

    @Mixin
    private ConfigOptions configuration = new ConfigOptions();

    @Mixin
    private JsonOption json = new JsonOption();

    /**
     * @param withToken whether one is needed
     * @param whatThereIs said behind that something is not there; may be empty
     */
    AdminClient client(Invocation invocation, boolean withToken, String whatThereIs)
            throws ConfigException, CommandException {
        Config loaded =
                invocation.load(configuration.file(), configuration.flags()).config();
        Config.Admin admin = loaded.admin();
        String base = url;
        if (base == null) {
            String host = admin.address().getAddress().isAnyLocalAddress()
                    ? "127.0.0.1"
                    : admin.address().getAddress().getHostAddress();
            base = (admin.tls().isOn() ? "https://" : "http://") + (host.indexOf(':') < 0 ? host : "[" + host + "]")
                    + ":" + admin.port();
        }
        Path trusted = ca != null
                ? ca
                : admin.tls().cert().isEmpty() ? null : Path.of(admin.tls().cert());
        if (ca != null && !base.startsWith("https:")) {
            throw new CommandException(
                    ExitCode.USAGE,
                    "--ca is for a URL that begins with https://, and " + base + " does not; correct --url, or leave"
                            + " out --ca");
        }
        SSLContext tls = base.startsWith("https:") && trusted != null ? Trust.only(trusted) : null;
        try {
            return new AdminClient(base, withToken ? token(loaded) : "", tls, whatThereIs);
        } catch (CommandException noToken) {
            if (tokenFile == null) { // there is none where no broker was ever started: that is the better answer
                new AdminClient(base, "", tls, "").answer("GET", "/live", null);
            }
            throw noToken;
        }
    }

    private String token(Config loaded) throws CommandException {
        String configured = loaded.admin().tokenFile();
        Path file = tokenFile != null
                ? tokenFile
                : configured.isEmpty() ? Path.of(loaded.storage().path(), "admin.token") : Path.of(configured);
        try {
            String token = Files.readString(file, StandardCharsets.UTF_8).strip();
            if (!TOKEN.matcher(token).matches()) {
                throw new CommandException(
                        ExitCode.USAGE,
                        "there is no token in " + file
                                + ": it would be one line of letters and digits; name the right file with"
                                + " --token-file");
            }
            return token;
        } catch (NoSuchFileException missing) {
            throw new CommandException(
                    ExitCode.USAGE,
                    "there is no token at " + file + "; run this where the broker runs, or name the file with"
                            + " --token-file");
        } catch (IOException unreadable) {
            throw new CommandException(
                    ExitCode.USAGE,
                    "the token in " + file + " cannot be read by this user; run this as the user of the broker, or name"
                            + " another file with --token-file");
        }
    }

    /** Whether a broker is named, rather than a file where this runs. */
    boolean nameBroker() {
        return url != null || tokenFile != null || ca != null;
    }

    ConfigOptions configuration() {
        return configuration;
    }

    boolean json() {
        return json.isOn();
    }
}
