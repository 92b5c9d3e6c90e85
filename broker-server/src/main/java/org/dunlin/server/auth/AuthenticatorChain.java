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

    private final @Nullable CertificateUser certificates;
    private final List<Member> members;
    private final Anonymous anonymous;
    private final String wanted;
    private final ClientIdBinding clientIds;
    private final LongSupplier nowMillis;

    /**
     * @param open names of the listeners that take clients which prove nothing
     * @param certificates null if a certificate names no user
     * @param members in the order in which they are asked; closed with it
     * @param clientIds that users may have, if somebody proves them
     * @param nowMillis the time of day
     */
    public AuthenticatorChain(
            Set<String> open,
            @Nullable CertificateUser certificates,
            List<? extends Member> members,
            ClientIdBinding clientIds,
            LongSupplier nowMillis) {
        this.clientIds = clientIds;
        this.certificates = certificates;
        this.members = List.copyOf(members);
        this.wanted = members.isEmpty()
                ? certificates == null ? "see auth.allow-anonymous" : "show a certificate"
                : members.stream().map(Member::wants).collect(Collectors.joining(", or "));
        this.anonymous = new Anonymous(open, wanted);
        this.nowMillis = nowMillis;
    }

    /**
     * Begins to follow the files of its members.
     *
     * @param changed called whenever somebody who was let in may have to go, by a thread that may wait
     */
    public void watch(Runnable changed) {
        members.forEach(member -> member.watch(changed));
    }

    /** As {@link Member#ask}, of all of them. */
    public void ask(Member.Gate gate) {
        members.forEach(member -> member.ask(gate));
    }

    /** Has the files of all looked at now; completes when what they say is in force. */
    public CompletionStage<Void> hurry() {
        CompletableFuture<?>[] looks =
                members.stream().map(each -> each.hurry().toCompletableFuture()).toArray(CompletableFuture[]::new);
        return CompletableFuture.allOf(looks);
    }

    /** Without anybody to ask every name is taken for what it says. */
    @Override
    public boolean provesUsers() {
        return certificates != null || !members.isEmpty();
    }

    @Override
    public CompletionStage<Answer> authenticate(Credentials credentials) {
        if (credentials.listener().equals(Operator.LISTENER) && credentials.userName() == null) {
            return done(credentials, new Answer.Accepted(Operator.identity(), null));
        }
        X509Certificate certificate = credentials.certificate();
        CertificateUser reader = certificates;
        return reader != null && certificate != null
                ? byCertificate(reader, certificate, credentials)
                : byConnect(credentials);
    }

    private CompletionStage<Answer> byCertificate(
            CertificateUser reader, X509Certificate certificate, Credentials credentials) {
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
        return byConnect(named).thenApply(answer -> both(answer, proven));
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

    private CompletionStage<Answer> byConnect(Credentials credentials) {
        for (Member member : members) {
            if (member.isFor(credentials)) {
                return member.authenticate(credentials);
            }
        }
        String claimed = credentials.userName();
        if (claimed != null && provesUsers()) {
            return done(
                    credentials,
                    new Answer.Refused(
                            ReasonCode.NOT_AUTHORIZED, "nobody here can tell who gives this user name; " + wanted));
        }
        return done(credentials, anonymous.answer(credentials.listener(), claimed));
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
        for (Member member : members) {
            Exchange exchange = member.exchange(method, credentials);
            if (exchange != null) {
                return withCertificate(exchange, credentials.certificate());
            }
        }
        return null;
    }

    /** If a certificate names a user here, it is this one who has to come out. */
    private Exchange withCertificate(Exchange exchange, @Nullable X509Certificate certificate) {
        CertificateUser reader = certificates;
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
        for (Member member : members) {
            if (member.source().equals(identity.source())) {
                return member.review(identity);
            }
        }
        return null;
    }

    @Override
    public @Nullable String review(Identity identity, BrokerEvents.Peer peer) {
        String clientId = peer.clientId();
        String refusal = clientId == null || !provesUsers() ? null : clientIds.refusal(clientId, identity.userName());
        return refusal != null ? refusal : review(identity);
    }

    @Override
    public void close() {
        members.forEach(Member::close);
    }
}
