package org.dunlin.server.admin;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.dunlin.mqtt.Qos;
import org.dunlin.server.acl.AclFile;
import org.dunlin.server.acl.Action;
import org.dunlin.server.acl.Explanation;
import org.dunlin.server.auth.PasswordFile;
import org.dunlin.server.auth.PasswordFileEditor;
import org.dunlin.server.auth.PasswordHash;
import org.dunlin.server.auth.ScramMechanism;
import org.dunlin.server.ban.Ban;
import org.dunlin.server.ban.BanFileEditor;
import org.dunlin.server.config.Config;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.Fault;
import org.dunlin.server.files.FileReplacement;
import org.dunlin.server.rest.ApiFault;
import org.dunlin.server.rest.Call;
import org.dunlin.server.rest.Endpoint;
import org.dunlin.server.share.AddressBlock;
import org.jspecify.annotations.Nullable;

/** Users, rights and bans: the files of the configuration, changed and in force at once. Workers' threads. */
final class AccessApi {
    private static final long BAN_SECONDS_MOST = Duration.ofDays(3650).toSeconds();
    private static final int PASSWORD_BYTES_MOST = 1024;

    private final Supplier<Config> config;
    private final Operations.Access access;

    AccessApi(Supplier<Config> config, Operations.Access access) {
        this.config = config;
        this.access = access;
    }

    /** @param scram whether the user may log in by SCRAM, too */
    record User(String name, boolean scram) {}

    record Users(List<User> items, @Nullable String next) {}

    /** @param scram whether the user shall be able to log in by SCRAM-SHA-256, too */
    record NewUser(String name, String password, @Nullable Boolean scram) {}

    record NewPassword(String password) {}

    /** @param until null for ever; byFile whether auth.ban-file has it, and a restart does not end it */
    record BanRow(String kind, String subject, @Nullable String until, String reason) {
        static BanRow of(Ban ban) {
            Instant until = ban.until();
            return new BanRow(ban.kind().word(), ban.subject(), until == null ? null : until.toString(), ban.reason());
        }
    }

    record BanRows(List<BanRow> items) {}

    /** @param kind address, user or client-id */
    record NewBan(
            String kind,
            String subject,
            @Nullable Long expiresInSeconds,
            @Nullable String reason) {}

    /** @param path "" if there is no file, and everything is allowed */
    record Acl(String path, String text) {}

    record NewAcl(String text) {}

    record Explained(boolean allowed, List<String> lines) {}

    List<Endpoint> endpoints() {
        List<Endpoint> all = new ArrayList<>(ofUsers());
        all.addAll(ofBans());
        all.addAll(ofRights());
        return all;
    }

    /** A change of a file. */
    private interface Change {
        boolean make() throws IOException, ConfigException;
    }

    private static boolean changed(Change change) throws ApiFault {
        try {
            return change.make();
        } catch (ConfigException faulty) {
            throw ApiFault.badRequest(words(faulty.faults()));
        } catch (IOException unwritable) {
            throw new ApiFault(500, "the file cannot be written: " + unwritable.getMessage());
        }
    }

    private static String words(List<Fault> faults) {
        String first = faults.stream()
                .limit(10)
                .map(Fault::toString)
                .reduce((a, b) -> a + "\n" + b)
                .orElse("");
        return faults.size() <= 10 ? first : first + "\n... and " + (faults.size() - 10) + " more";
    }

    private static CompletionStage<Endpoint.Done> inForce(CompletionStage<Void> look, String done) {
        return look.thenApply(now -> new Endpoint.Done(done));
    }

    // ---- users

    private List<Endpoint> ofUsers() {
        List<Endpoint.Parameter> name = List.of(Endpoint.Parameter.path("name", "User name; a slash in it as %2F."));
        return List.of(
                Endpoint.read(
                        "api/v1/users",
                        "Lists the users of auth.password-file.",
                        Endpoint.PAGE,
                        Users.class,
                        this::users),
                Endpoint.change(
                        "POST",
                        "api/v1/users",
                        "Adds a user.",
                        List.of(),
                        NewUser.class,
                        Endpoint.Done.class,
                        this::addUser),
                Endpoint.change(
                        "PUT",
                        "api/v1/users/{name}/password",
                        "Gives a user another password; who is connected by the old one stays.",
                        name,
                        NewPassword.class,
                        Endpoint.Done.class,
                        this::changePassword),
                Endpoint.change(
                        "DELETE",
                        "api/v1/users/{name}",
                        "Removes a user; its clients are sent away.",
                        name,
                        null,
                        Endpoint.Done.class,
                        this::removeUser));
    }

    private Path passwordFile() throws ApiFault {
        String file = config.get().auth().passwordFile();
        if (file.isEmpty()) {
            throw new ApiFault(409, "auth.password-file is not set: there is nowhere to keep users; set it and reload");
        }
        return Path.of(file);
    }

    private CompletionStage<Users> users(Call call) throws ApiFault {
        int limit = call.limit();
        String after = call.text("after");
        PasswordFile file;
        try {
            file = PasswordFile.read(passwordFile());
        } catch (ConfigException faulty) {
            throw new ApiFault(500, words(faulty.faults()));
        }
        List<User> page = file.users().stream()
                .filter(name -> name.compareTo(after) > 0)
                .sorted()
                .limit(limit)
                .map(name -> new User(name, file.scramKind(name) != null))
                .toList();
        return CompletableFuture.completedFuture(
                new Users(page, page.size() < limit ? null : page.get(limit - 1).name()));
    }

    private CompletionStage<Endpoint.Done> addUser(Call call) throws ApiFault {
        NewUser user = call.body(NewUser.class);
        Path file = passwordFile();
        String name = name(user.name());
        call.about("user " + name);
        PasswordHash hash = hash(user.password(), Boolean.TRUE.equals(user.scram()) ? ScramMechanism.SHA_256 : null);
        if (!changed(() -> new PasswordFileEditor(file).add(name, hash))) {
            throw new ApiFault(409, "there is a user " + name + "; give it another password, or remove it first");
        }
        return inForce(access.users().get(), "added " + name);
    }

    private static String name(@Nullable String name) throws ApiFault {
        if (name == null) {
            throw ApiFault.badRequest("name is needed");
        }
        String unfit = PasswordFile.unfit(name);
        if (unfit != null) {
            throw ApiFault.badRequest("the user name " + unfit);
        }
        return name;
    }

    private static PasswordHash hash(@Nullable String password, @Nullable ScramMechanism scram) throws ApiFault {
        byte[] bytes = password == null ? new byte[0] : password.getBytes(StandardCharsets.UTF_8);
        if (bytes.length == 0 || bytes.length > PASSWORD_BYTES_MOST) {
            throw ApiFault.badRequest("a password has 1 to " + PASSWORD_BYTES_MOST + " bytes");
        }
        try {
            return scram == null ? PasswordHash.of(bytes) : PasswordHash.forScram(scram, 0, bytes);
        } catch (PasswordHash.Unfit unfit) {
            throw ApiFault.badRequest("the password " + unfit.getMessage());
        } finally {
            Arrays.fill(bytes, (byte) 0);
        }
    }

    private CompletionStage<Endpoint.Done> changePassword(Call call) throws ApiFault {
        String name = call.variable("name");
        Path file = passwordFile();
        PasswordHash.ScramKind former;
        try {
            former = PasswordFile.read(file).scramKind(name);
        } catch (ConfigException faulty) {
            throw new ApiFault(500, words(faulty.faults()));
        }
        PasswordHash hash = hash(call.body(NewPassword.class).password(), former == null ? null : former.mechanism());
        if (!changed(() -> new PasswordFileEditor(file).replace(name, hash))) {
            throw ApiFault.notFound("there is no user of that name");
        }
        return inForce(access.users().get(), "changed the password of " + name);
    }

    private CompletionStage<Endpoint.Done> removeUser(Call call) throws ApiFault {
        String name = call.variable("name");
        Path file = passwordFile();
        if (!changed(() -> new PasswordFileEditor(file).remove(name))) {
            throw ApiFault.notFound("there is no user of that name");
        }
        return inForce(access.users().get(), "removed " + name);
    }

    // ---- bans

    private List<Endpoint> ofBans() {
        return List.of(
                Endpoint.read(
                        "api/v1/bans",
                        "Lists who may not connect: by auth.ban-file, and addresses that are kept out for a while.",
                        List.of(),
                        BanRows.class,
                        call -> CompletableFuture.completedFuture(new BanRows(
                                access.bans().inForce().stream().map(BanRow::of).toList()))),
                Endpoint.change(
                        "POST",
                        "api/v1/bans",
                        "Bans an address, a user or a client identifier; those that are connected are sent away.",
                        List.of(),
                        NewBan.class,
                        Endpoint.Done.class,
                        this::ban),
                Endpoint.change(
                        "DELETE",
                        "api/v1/bans/{kind}/{subject}",
                        "Ends a ban.",
                        List.of(
                                Endpoint.Parameter.path("kind", "address, user or client-id."),
                                Endpoint.Parameter.path("subject", "Who; a slash as %2F.")),
                        null,
                        Endpoint.Done.class,
                        this::unban));
    }

    private CompletionStage<Endpoint.Done> ban(Call call) throws ApiFault {
        NewBan wanted = call.body(NewBan.class);
        Long seconds = wanted.expiresInSeconds();
        if (seconds != null && (seconds < 1 || seconds > BAN_SECONDS_MOST)) {
            throw ApiFault.badRequest("expiresInSeconds is 1 to " + BAN_SECONDS_MOST);
        }
        Instant until = seconds == null ? null : Instant.now().plusSeconds(seconds);
        Ban ban = ban(wanted.kind(), wanted.subject(), until, wanted.reason() == null ? "" : wanted.reason());
        call.about(ban.kind().word() + " " + ban.subject());
        String file = config.get().bans().file();
        if (!file.isEmpty()) {
            changed(() -> {
                new BanFileEditor(Path.of(file)).add(ban);
                return true;
            });
            return inForce(access.bansFile().get(), "banned " + ban.kind().word() + " " + ban.subject());
        }
        InetAddress address = ban.kind() == Ban.Kind.ADDRESS ? AddressBlock.ofPeer(ban.subject() + ":0") : null;
        if (address == null || until == null) {
            throw new ApiFault(
                    409,
                    "auth.ban-file is not set: only single addresses can be banned, and for a time: give expiresInSeconds, or with the command --for");
        }
        if (!access.bans().keepOut(address, until)) {
            throw new ApiFault(409, "there is no room for one more address");
        }
        return CompletableFuture.completedFuture(new Endpoint.Done("banned address " + ban.subject()));
    }

    private static Ban ban(@Nullable String kind, @Nullable String subject, @Nullable Instant until, String reason)
            throws ApiFault {
        if (kind == null || subject == null) {
            throw ApiFault.badRequest("kind and subject are needed");
        }
        try {
            return BanFileEditor.ban(kind, subject, until, reason);
        } catch (ConfigException unfit) {
            throw ApiFault.badRequest(words(unfit.faults()));
        }
    }

    private CompletionStage<Endpoint.Done> unban(Call call) throws ApiFault {
        Ban ban = ban(call.variable("kind"), call.variable("subject"), null, "");
        InetAddress address = ban.kind() == Ban.Kind.ADDRESS ? AddressBlock.ofPeer(ban.subject() + ":0") : null;
        boolean ended = address != null && access.bans().letIn(address);
        String file = config.get().bans().file();
        boolean removed = !file.isEmpty() && changed(() -> new BanFileEditor(Path.of(file)).remove(ban));
        if (!ended && !removed) {
            throw ApiFault.notFound("there is no such ban");
        }
        String done = "ended the ban of " + ban.kind().word() + " " + ban.subject();
        return removed
                ? inForce(access.bansFile().get(), done)
                : CompletableFuture.completedFuture(new Endpoint.Done(done));
    }

    // ---- rights

    private List<Endpoint> ofRights() {
        return List.of(
                Endpoint.read("api/v1/acl", "Shows the ACL file.", List.of(), Acl.class, call -> acl()),
                Endpoint.change(
                        "PUT",
                        "api/v1/acl",
                        "Replaces the ACL file, if the new one has no fault; clients are asked about anew at once.",
                        List.of(),
                        NewAcl.class,
                        Endpoint.Done.class,
                        this::replaceAcl),
                Endpoint.read(
                        "api/v1/acl/explain",
                        "Says whether a client may do something, and which rule decides.",
                        List.of(
                                Endpoint.Parameter.text("user", "User name; a client that has none if not said."),
                                Endpoint.Parameter.text("clientId", "Client identifier, for patterns."),
                                Endpoint.Parameter.required("action", "publish, subscribe or receive."),
                                Endpoint.Parameter.required("topic", "Topic name; with subscribe a topic filter."),
                                Endpoint.Parameter.number("qos", "0, 1 or 2; 0 if not said."),
                                Endpoint.Parameter.flag("retain", "Publish with RETAIN.")),
                        Explained.class,
                        this::explain));
    }

    private CompletionStage<Acl> acl() throws ApiFault {
        String file = config.get().auth().aclFile();
        try {
            return CompletableFuture.completedFuture(new Acl(
                    file,
                    file.isEmpty()
                            ? ""
                            : new String(AclFile.named(Path.of(file)).read(), StandardCharsets.UTF_8)));
        } catch (ConfigException unreadable) {
            throw new ApiFault(500, words(unreadable.faults()));
        }
    }

    private CompletionStage<Endpoint.Done> replaceAcl(Call call) throws ApiFault {
        NewAcl wanted = call.body(NewAcl.class);
        String file = config.get().auth().aclFile();
        if (file.isEmpty()) {
            throw new ApiFault(409, "auth.acl-file is not set: everything is allowed; set it and reload");
        }
        if (wanted.text() == null) {
            throw ApiFault.badRequest("text is needed");
        }
        byte[] content = wanted.text().getBytes(StandardCharsets.UTF_8);
        changed(() -> {
            AclFile.parse(file, content);
            return new FileReplacement(AclFile.named(Path.of(file))).apply(false, former -> content);
        });
        return inForce(access.rules().get(), "replaced " + file);
    }

    private CompletionStage<Explained> explain(Call call) throws ApiFault {
        String user = call.text("user");
        String word = call.required("action").toLowerCase(Locale.ROOT);
        Action action = Arrays.stream(Action.values())
                .filter(each -> each.word().equals(word))
                .findFirst()
                .orElseThrow(() -> ApiFault.badRequest("action is publish, subscribe or receive"));
        Explanation.Question question = new Explanation.Question(
                call.text("clientId").isEmpty() ? "client" : call.text("clientId"),
                user.isEmpty() ? null : user,
                List.of(),
                action,
                call.required("topic"),
                Qos.of((int) call.number("qos", 0, 0, 2)),
                call.flag("retain"));
        String unfit = question.unfit();
        if (unfit != null) {
            throw ApiFault.badRequest("the topic " + unfit);
        }
        AclFile file = access.authorizer().file();
        if (file == null) {
            return CompletableFuture.completedFuture(
                    new Explained(true, List.of("allowed: auth.acl-file is not set, so everything is allowed")));
        }
        Explanation explanation = Explanation.of(file, question);
        return CompletableFuture.completedFuture(new Explained(explanation.allowed(), explanation.lines()));
    }
}
