package org.dunlin.server.auth;

import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.dunlin.core.spi.Authenticator;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.server.acl.Operator;
import org.dunlin.server.config.Quote;
import org.jspecify.annotations.Nullable;

/**
 * Asks whoever is configured who a client is: its certificate first, then the first member that is for what CONNECT carries, and
 * nobody if the client names no user and its listener takes such clients. Exactly one decides. Any thread.
 */
public final class AuthenticatorChain implements Authenticator, AutoCloseable {
    private static final String CERTIFICATE = "certificate";
    /** The source of whoever has proven nothing. */
    static final String ANONYMOUS = "anonymous";
    /** One for all of them. */
    private static final Answer NAMELESS = new Answer.Accepted(Identity.of(null, ANONYMOUS), null);

    private static final String UNPROVEN = "nobody here can tell who gives this user name; ";

    private final LongSupplier nowMillis;
    private volatile Parts parts;
    private @Nullable Runnable changed;
    private Member.Gate gate = Member.Gate.OPEN;

    /**
     * Whom it asks, and by what rules.
     *
     * @param open names of the listeners that take clients which prove nothing
     * @param certificates null if a certificate names no user
     * @param members in the order in which they are asked; closed with it
     * @param clientIds that users may have, if somebody proves them
     */
    public record Parts(
            Set<String> open, @Nullable CertificateUser certificates, List<Member> members, ClientIdBinding clientIds) {
        public Parts {
            open = Set.copyOf(open);
            members = List.copyOf(members);
        }

        boolean provesUsers() {
            return certificates != null || !members.isEmpty();
        }

        /** What a client that proves nothing could do instead. */
        String wanted() {
            return members.isEmpty()
                    ? certificates == null ? "see auth.allow-anonymous" : "show a certificate"
                    : members.stream().map(Member::wants).collect(Collectors.joining(", or "));
        }
    }

    /** @param nowMillis the time of day */
    public AuthenticatorChain(Parts parts, LongSupplier nowMillis) {
        this.parts = parts;
        this.nowMillis = nowMillis;
    }

    /**
     * Asks others from now on. Logins that are under way are decided by whom they have asked; whoever is let in by them, and who is
     * there already, stays as {@link #review} says.
     *
     * @return members that are not asked any more, to be closed when the last of these logins is decided
     */
    public synchronized List<Member> use(Parts next) {
        List<Member> former = parts.members();
        for (Member member : next.members()) {
            if (!former.contains(member)) {
                member.ask(gate);
                if (changed != null) {
                    member.watch(changed);
                }
            }
        }
        parts = next;
        return former.stream()
                .filter(member -> !next.members().contains(member))
                .toList();
    }

    /**
     * Begins to follow the files of its members.
     *
     * @param whenChanged called whenever somebody who was let in may have to go, by a thread that may wait
     */
    public synchronized void watch(Runnable whenChanged) {
        changed = whenChanged;
        parts.members().forEach(member -> member.watch(whenChanged));
    }

    /** As {@link Member#ask}, of all of them. */
    public synchronized void ask(Member.Gate asked) {
        gate = asked;
        parts.members().forEach(member -> member.ask(asked));
    }

    /** Has the files of all looked at now; completes when what they say is in force. */
    public CompletionStage<Void> hurry() {
        CompletableFuture<?>[] looks = parts.members().stream()
                .map(each -> each.hurry().toCompletableFuture())
                .toArray(CompletableFuture[]::new);
        return CompletableFuture.allOf(looks);
    }

    /** Without anybody to ask every name is taken for what it says. */
    @Override
    public boolean provesUsers() {
        return parts.provesUsers();
    }

    @Override
    public CompletionStage<Answer> authenticate(Credentials credentials) {
        if (credentials.listener().equals(Operator.LISTENER) && credentials.userName() == null) {
            return done(credentials, new Answer.Accepted(Operator.identity(), null));
        }
        Parts now = parts;
        X509Certificate certificate = credentials.certificate();
        CertificateUser reader = now.certificates();
        return reader != null && certificate != null
                ? byCertificate(now, reader, certificate, credentials)
                : byConnect(now, credentials);
    }

    private CompletionStage<Answer> byCertificate(
            Parts now, CertificateUser reader, X509Certificate certificate, Credentials credentials) {
        Identity proven;
        try {
            proven = identity(reader, certificate);
        } catch (CertificateUser.Unfit unfit) {
            return done(credentials, refusal(ReasonCode.NOT_AUTHORIZED, unfit));
        }
        String user = String.valueOf(proven.userName());
        String claimed = credentials.userName();
        if (claimed != null && !claimed.equals(user)) {
            return done(
                    credentials,
                    new Answer.Refused(
                            ReasonCode.BAD_USER_NAME_OR_PASSWORD,
                            "the user name is not " + Quote.of(user)
                                    + ", as the certificate says; send that one or none"));
        }
        if (!reader.passwordToo()) {
            return done(credentials, new Answer.Accepted(proven, null));
        }
        Credentials named = new Credentials(
                credentials.clientId(),
                user,
                credentials.password(),
                credentials.peer(),
                credentials.listener(),
                certificate);
        return byConnect(now, named).thenApply(answer -> both(answer, proven));
    }

    private Identity identity(CertificateUser reader, X509Certificate certificate) throws CertificateUser.Unfit {
        String user = reader.name(certificate);
        long left = certificate.getNotAfter().getTime() - nowMillis.getAsLong();
        if (left <= 0) {
            throw new CertificateUser.Unfit("the certificate has expired; renew it");
        }
        return new Identity(user, CERTIFICATE, null, left);
    }

    /** What is left when two things have to say that it is one and the same user. */
    private static Answer both(Answer answer, Identity certificate) {
        if (!(answer instanceof Answer.Accepted accepted)) {
            return answer;
        }
        Identity other = accepted.identity();
        String user = other.userName();
        if (user == null || !user.equals(certificate.userName())) {
            return new Answer.Refused(
                    ReasonCode.NOT_AUTHORIZED,
                    "the certificate says another user, " + Quote.of(String.valueOf(certificate.userName())));
        }
        return new Answer.Accepted(
                new Identity(
                        user, other.source(), other.claims(), Math.min(other.lifeMillis(), certificate.lifeMillis())),
                accepted.data());
    }

    private static CompletionStage<Answer> byConnect(Parts now, Credentials credentials) {
        for (Member member : now.members()) {
            if (member.isFor(credentials)) {
                return member.authenticate(credentials);
            }
        }
        String claimed = credentials.userName();
        if (claimed != null && now.provesUsers()) {
            return done(credentials, new Answer.Refused(ReasonCode.NOT_AUTHORIZED, UNPROVEN + now.wanted()));
        }
        String listener = credentials.listener();
        return done(
                credentials,
                now.open().contains(listener)
                        ? claimed == null ? NAMELESS : new Answer.Accepted(Identity.of(claimed, ANONYMOUS), null)
                        : new Answer.Refused(ReasonCode.NOT_AUTHORIZED, closed(now, listener)));
    }

    private static String closed(Parts now, String listener) {
        return "listener " + listener + " takes no anonymous clients; " + now.wanted();
    }

    private static CompletionStage<Answer> done(Credentials credentials, Answer answer) {
        byte[] password = credentials.password();
        if (password != null) {
            Arrays.fill(password, (byte) 0);
        }
        return CompletableFuture.completedFuture(answer);
    }

    private static Answer refusal(ReasonCode reason, Exception why) {
        return new Answer.Refused(reason, String.valueOf(why.getMessage()));
    }

    @Override
    public @Nullable Exchange exchange(String method, Credentials credentials) {
        Parts now = parts;
        for (Member member : now.members()) {
            Exchange exchange = member.exchange(method, credentials);
            if (exchange != null) {
                return withCertificate(exchange, now.certificates(), credentials.certificate());
            }
        }
        return null;
    }

    /** If a certificate names a user here, it is this one who has to come out. */
    private Exchange withCertificate(
            Exchange exchange, @Nullable CertificateUser reader, @Nullable X509Certificate certificate) {
        if (reader == null || certificate == null) {
            return exchange;
        }
        return new Exchange() {
            @Override
            public CompletionStage<Answer> step(byte @Nullable [] data) {
                try {
                    Identity proven = identity(reader, certificate);
                    return exchange.step(data).thenApply(answer -> both(answer, proven));
                } catch (CertificateUser.Unfit unfit) {
                    return CompletableFuture.completedFuture(refusal(ReasonCode.NOT_AUTHORIZED, unfit));
                }
            }

            @Override
            public @Nullable String userName() {
                return exchange.userName();
            }

            @Override
            public boolean repeatsItsProof() {
                return exchange.repeatsItsProof();
            }
        };
    }

    @Override
    public @Nullable String review(Identity identity) {
        return review(parts, identity);
    }

    private static @Nullable String review(Parts now, Identity identity) {
        String source = identity.source();
        for (Member member : now.members()) {
            if (member.source().equals(source)) {
                return member.review(identity);
            }
        }
        boolean stands = source.equals(CERTIFICATE)
                ? now.certificates() != null
                : source.equals(ANONYMOUS) || identity.claims() instanceof Operator;
        return stands ? null : "logging in by " + source + " is not configured any more";
    }

    @Override
    public @Nullable String review(Identity identity, BrokerEvents.Peer peer) {
        Parts now = parts;
        if (identity.source().equals(ANONYMOUS)) {
            String refusal = reviewAnonymous(now, identity, peer.listener());
            if (refusal != null) {
                return refusal;
            }
        }
        String clientId = peer.clientId();
        String refusal =
                clientId == null || !now.provesUsers() ? null : now.clientIds().refusal(clientId, identity.userName());
        return refusal != null ? refusal : review(now, identity);
    }

    /** What it was let in with may not be enough any more: then it would not be let in again either. */
    private static @Nullable String reviewAnonymous(Parts now, Identity identity, @Nullable String listener) {
        if (identity.userName() != null && now.provesUsers()) {
            return UNPROVEN + now.wanted();
        }
        return listener == null || now.open().contains(listener) ? null : closed(now, listener);
    }

    @Override
    public void close() {
        parts.members().forEach(Member::close);
    }
}
