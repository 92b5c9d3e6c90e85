package org.dunlin.core.client;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.session.Publishing;
import org.dunlin.core.session.Session;
import org.dunlin.core.session.Shard;
import org.dunlin.core.session.Shards;
import org.dunlin.core.spi.Authenticator;
import org.dunlin.core.spi.Authenticator.Answer;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.Connection;
import org.dunlin.core.spi.Loop;
import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.Auth;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Will;
import org.jspecify.annotations.Nullable;

/**
 * From CONNECT to CONNACK: checks, authentication, the move to the shard that owns the session, the session itself; later
 * re-authentication. On the thread of the connection's loop only. Nothing of a CONNECT takes effect before it is
 * authenticated [MQTT-3.1.4-2].
 */
final class ConnectFlow {
    private final ClientHandler handler;
    private final Shards shards;
    private final Admittance admittance;
    private final Connection connection;
    private @Nullable Connect connect;
    private Authenticator.@Nullable Identity identity;
    /** By the loop's clock, when {@link #identity} was told. */
    private long identifiedAtMillis;

    private boolean assignedClientId;
    private Authenticator.@Nullable Exchange exchange;
    /** A step of the exchange is being decided. */
    private boolean deciding;

    private byte @Nullable [] lastData;
    private @Nullable Session session;
    private boolean abandoned;
    private boolean hasWaited;

    ConnectFlow(ClientHandler handler, Shards shards, Admittance admittance, Connection connection) {
        this.handler = handler;
        this.shards = shards;
        this.admittance = admittance;
        this.connection = connection;
    }

    @Nullable
    String clientId() {
        return connect == null ? null : connect.clientId();
    }

    @Nullable
    String userName() {
        return connect == null ? null : connect.userName();
    }

    void received(Packet packet) {
        if (packet instanceof Connect first && connect == null) {
            begin(first);
        } else if (packet instanceof Auth auth && exchange != null && !deciding) {
            answer(auth);
        } else if (packet.type() == PacketType.DISCONNECT && connect != null) {
            handler.withdrawn(); // which a client may do at any step [MQTT-3.1.2-30]
        } else {
            handler.end(ReasonCode.PROTOCOL_ERROR, packet.type() + " may not come before CONNACK"); // [MQTT-3.1.2-30]
        }
    }

    // ---- CONNECT

    private void begin(Connect asked) {
        connect = asked;
        if (admittance.isClosed()) {
            handler.end(ReasonCode.SERVER_UNAVAILABLE, "the broker is stopping");
            return;
        }
        if (!admittance.mayConnect(connection.loop().nowMillis())) {
            handler.end(
                    ReasonCode.CONNECTION_RATE_EXCEEDED,
                    "more than " + handler.limits().connectRatePerSecond()
                            + " connections a second; see limits.connect-rate");
            return;
        }
        if (!checkClientId(asked) || !checkWill(asked.will())) {
            return;
        }
        handler.hold(ClientHandler.Hold.CONNECT);
        Connect known = connect;
        Authenticator.Credentials credentials = credentials(known);
        String method = known.authenticationMethod();
        if (method == null) {
            decide(admittance.authenticator().authenticate(credentials));
            return;
        }
        exchange = admittance.authenticator().exchange(method, credentials);
        if (exchange == null) {
            handler.end(
                    ReasonCode.BAD_AUTHENTICATION_METHOD,
                    "this authentication method is not known here"); // [MQTT-4.12.0-1]
            return;
        }
        decide(exchange.step(known.authenticationData()));
    }

    private Authenticator.Credentials credentials(Connect known) {
        return new Authenticator.Credentials(
                known.clientId(),
                known.userName(),
                known.password(),
                connection.peer(),
                connection.listener(),
                connection.certificate());
    }

    private boolean checkClientId(Connect asked) {
        int most = handler.limits().maxClientIdLength();
        if (asked.clientId().length() > most) {
            handler.end(
                    ReasonCode.CLIENT_IDENTIFIER_NOT_VALID,
                    "the client identifier has more than " + most + " characters; see limits.max-client-id-length");
            return false;
        }
        if (!asked.clientId().isEmpty()) {
            return true;
        }
        boolean mayAssign =
                asked.version().isV5() || asked.version() == ProtocolVersion.MQTT_3_1_1 && asked.cleanStart();
        if (!mayAssign) { // [MQTT-3.1.3-8 of 3.1.1]
            handler.end(
                    ReasonCode.CLIENT_IDENTIFIER_NOT_VALID,
                    "the client identifier is empty, which needs clean session 1 of MQTT 3.1.1 or MQTT 5");
            return false;
        }
        assignedClientId = true;
        connect = with(asked, admittance.assignClientId(), asked.password());
        return true;
    }

    private static Connect with(Connect c, String clientId, byte @Nullable [] password) {
        return with(c, clientId, c.userName(), password);
    }

    private static Connect with(Connect c, String clientId, @Nullable String userName, byte @Nullable [] password) {
        return new Connect(
                c.version(),
                clientId,
                c.cleanStart(),
                c.keepAliveSeconds(),
                c.will(),
                userName,
                password,
                c.sessionExpirySeconds(),
                c.receiveMaximum(),
                c.maximumPacketSize(),
                c.topicAliasMaximum(),
                c.requestResponseInformation(),
                c.requestProblemInformation(),
                c.authenticationMethod(),
                c.authenticationData(),
                c.userProperties());
    }

    private boolean checkWill(@Nullable Will will) {
        if (will == null) {
            return true;
        }
        Limits limits = handler.limits();
        if (will.qos().value() > limits.maxQos().value()) { // [MQTT-3.2.2-12]
            handler.end(
                    ReasonCode.QOS_NOT_SUPPORTED,
                    "the will's QoS is above " + limits.maxQos().value() + "; see limits.max-qos");
        } else if (will.retain() && !limits.retainAvailable()) { // [MQTT-3.2.2-13]
            handler.end(ReasonCode.RETAIN_NOT_SUPPORTED, "the will asks to be retained; see limits.retain-available");
        } else if (will.topic().levelCount() > limits.maxTopicLevels()) {
            handler.end(
                    ReasonCode.TOPIC_NAME_INVALID,
                    "the will's topic has more than " + limits.maxTopicLevels()
                            + " levels; see limits.max-topic-levels");
        } else if (will.payload().length > limits.fairness().maxWillBytes()) {
            handler.end(
                    ReasonCode.QUOTA_EXCEEDED,
                    "the will's payload has more than " + limits.fairness().maxWillBytes()
                            + " bytes; see limits.max-will-size");
        } else if (Publishing.isReserved(will.topic())) {
            handler.end(ReasonCode.TOPIC_NAME_INVALID, "the will's topic is the broker's own");
        } else {
            return true;
        }
        return false;
    }

    // ---- authentication

    private void decide(CompletionStage<Answer> stage) {
        deciding = true;
        Loop loop = connection.loop();
        stage.whenComplete((answer, failure) -> {
            Answer known = answer != null
                    ? answer
                    : new Answer.Refused(ReasonCode.SERVER_UNAVAILABLE, "the authenticator has failed");
            if (loop.inLoop()) {
                decided(known);
            } else {
                loop.execute(() -> decided(known));
            }
        });
    }

    private void decided(Answer answer) {
        deciding = false;
        Connect known = connect;
        if (abandoned || known == null) {
            return;
        }
        if (answer instanceof Answer.Refused refused) {
            handler.end(refused.reason(), refused.detail());
        } else if (answer instanceof Answer.Continue more) {
            String method = known.authenticationMethod();
            assert method != null : "only an exchange has further steps";
            connection.send(new Auth(ReasonCode.CONTINUE_AUTHENTICATION, method, more.data()));
            handler.release(ClientHandler.Hold.CONNECT);
        } else if (answer instanceof Answer.Accepted accepted) {
            identity = accepted.identity();
            identifiedAtMillis = connection.loop().nowMillis();
            lastData = accepted.data();
            handler.hold(ClientHandler.Hold.CONNECT);
            join(known, accepted.identity());
        }
    }

    /** A will that its client may not publish is refused at once, not when it is due [MQTT-3.1.4-2]. */
    private boolean mayPublish(@Nullable Will will, Rights rights) {
        String refusal = will == null ? null : rights.refusesPublish(will.topic(), will.qos(), will.retain());
        if (refusal != null) {
            handler.end(ReasonCode.NOT_AUTHORIZED, "the will: " + refusal);
        }
        return refusal == null;
    }

    private void answer(Auth auth) {
        Connect known = connect;
        Authenticator.Exchange running = exchange;
        if (known == null || running == null) {
            return;
        }
        if (auth.reason() != ReasonCode.CONTINUE_AUTHENTICATION) { // [MQTT-4.12.0-3]
            handler.end(ReasonCode.PROTOCOL_ERROR, "AUTH before CONNACK must have the reason code 0x18");
        } else if (!auth.method().equals(known.authenticationMethod())) { // [MQTT-4.12.0-5]
            handler.end(ReasonCode.PROTOCOL_ERROR, "AUTH names another authentication method than CONNECT");
        } else {
            handler.hold(ClientHandler.Hold.CONNECT);
            decide(running.step(auth.data()));
        }
    }

    /** AUTH of a connected client: it may prove itself anew by the method of its CONNECT [MQTT-4.12.1-1]. */
    void reauthenticate(Auth auth) {
        Connect known = connect;
        assert known != null;
        if (!auth.method().equals(known.authenticationMethod())) {
            handler.end(ReasonCode.PROTOCOL_ERROR, "AUTH names another authentication method than CONNECT");
            return;
        }
        boolean begins = auth.reason() == ReasonCode.RE_AUTHENTICATE;
        boolean goesOn = auth.reason() == ReasonCode.CONTINUE_AUTHENTICATION;
        Authenticator.Exchange running = exchange;
        if (deciding || begins == (running != null) || !begins && !goesOn) {
            handler.end(ReasonCode.PROTOCOL_ERROR, "AUTH with this reason code may not come here");
            return;
        }
        if (running == null) {
            Authenticator.Identity before = identity;
            String user = before == null ? known.userName() : before.userName();
            running = admittance
                    .authenticator()
                    .exchange(auth.method(), credentials(with(known, known.clientId(), user, null)));
            if (running == null) {
                handler.end(ReasonCode.NOT_AUTHORIZED, "this authentication method is not known here any more");
                return;
            }
            exchange = running;
        }
        deciding = true;
        Loop loop = connection.loop();
        running.step(auth.data())
                .whenComplete((answer, failure) -> loop.execute(() -> reauthenticated(answer, auth.method())));
    }

    private void reauthenticated(@Nullable Answer answer, String method) {
        deciding = false;
        if (abandoned || !handler.isConnected()) {
            return; // the session may be another connection's by now
        }
        if (answer instanceof Answer.Continue more) {
            connection.send(new Auth(ReasonCode.CONTINUE_AUTHENTICATION, method, more.data()));
        } else if (answer instanceof Answer.Accepted accepted) {
            identifiedAnew(accepted, method);
        } else { // [MQTT-4.12.1-2]
            String why = answer instanceof Answer.Refused refused ? refused.detail() : "the authenticator has failed";
            handler.end(ReasonCode.NOT_AUTHORIZED, "re-authentication has failed: " + why);
        }
    }

    /** The session stays whose it is: nobody becomes somebody else within a connection. */
    private void identifiedAnew(Answer.Accepted accepted, String method) {
        exchange = null;
        Authenticator.Identity before = identity;
        if (before == null
                || !Objects.equals(before.userName(), accepted.identity().userName())) {
            handler.end(ReasonCode.NOT_AUTHORIZED, "re-authentication as another user; connect anew for that");
            return;
        }
        identity = accepted.identity();
        connection.send(new Auth(ReasonCode.SUCCESS, method, accepted.data()));
        handler.identified(accepted.identity());
    }

    // ---- session

    /** Goes to the shard that owns the client identifier, as often as it takes: it may change hands on the way. */
    private void join(Connect known, Authenticator.Identity who) {
        if (abandoned) {
            return;
        }
        Shard here = shards.on(connection.loop());
        Shard owner = shards.find(known.clientId());
        if (owner == here && mustWait(known, who, here)) {
            return;
        }
        if (owner == null || owner == here) {
            // only where its session lives is it known whether this connection would be one more
            if (!handler.enter(here.isConnected(known.clientId()))) {
                handler.end(
                        ReasonCode.QUOTA_EXCEEDED,
                        "more than " + handler.limits().maxConnections() + " connections; see limits.max-connections");
                return;
            }
            owner = shards.ownerOf(known.clientId(), here); // which is here, unless another was quicker
        }
        if (owner == here) {
            admit(known, who, here);
        } else {
            connection.moveTo(owner.loop(), () -> join(known, who));
        }
    }

    /** Where connections take each other's place again and again the next one waits before it does; the other stays meanwhile. */
    private boolean mustWait(Connect known, Authenticator.Identity who, Shard here) {
        if (hasWaited || !handler.limits().fairness().backsOffTakeovers()) {
            return false;
        }
        hasWaited = true;
        long wait = Math.min(
                here.takeoverDelayMillis(known.clientId()), handler.limits().connectTimeoutMillis() / 2);
        if (wait > 0) {
            connection.loop().schedule(() -> join(known, who), wait);
        }
        return wait > 0;
    }

    private void admit(Connect known, Authenticator.Identity who, Shard shard) {
        long expiry = agreedExpiry(known);
        String gone =
                admittance.authenticator().review(who, handler.peer()); // accounts may have changed since the answer
        if (gone != null) {
            handler.end(ReasonCode.NOT_AUTHORIZED, gone);
            return;
        }
        Authorizer.Client client = ClientHandler.clientOf(known.clientId(), who);
        Rights rights = shards.authorizer().rights(client);
        if (!mayPublish(known.will(), rights)) {
            return;
        }
        Session former = shard.session(known.clientId());
        if (former != null && isOfAnother(former, who)) { // E063
            handler.end(
                    ReasonCode.CLIENT_IDENTIFIER_NOT_VALID,
                    "the session of this client identifier is another user's; choose another client identifier");
            return;
        }
        if (former == null && shards.memory().isRefusing(connection.loop().nowMillis())) {
            handler.end(ReasonCode.QUOTA_EXCEEDED, "there is no memory for another session; see memory.budget");
            return;
        }
        Connect authenticated = with(known, known.clientId(), who.userName(), null);
        Shard.Admission admission = shard.admit(authenticated, connection, handler, client, rights, expiry);
        if (admission == null) {
            Limits limits = handler.limits();
            handler.end(
                    ReasonCode.QUOTA_EXCEEDED,
                    shards.users().isFull(who.userName())
                            ? "more than " + limits.fairness().maxSessionsPerUser()
                                    + " sessions of this user; see limits.max-sessions-per-user"
                            : "more than " + limits.maxSessions() + " sessions; see limits.max-sessions");
            return;
        }
        session = admission.session();
        shard.turn().afterCommit(admission.stored(), failure -> {
            if (failure != null) {
                shard.discard(admission, connection);
            }
            if (abandoned) {
                return;
            }
            if (failure != null) {
                handler.end(ReasonCode.SERVER_UNAVAILABLE, "the session could not be stored: " + failure);
            } else {
                accept(known, who, admission);
            }
        });
    }

    /** What one user has subscribed to and not yet read is nobody else's; nor may another one end it by a clean start. */
    private boolean isOfAnother(Session former, Authenticator.Identity who) {
        String owner = former.userName();
        return owner != null
                && !owner.equals(who.userName())
                && admittance.authenticator().provesUsers();
    }

    private long agreedExpiry(Connect known) {
        return known.version().isV5()
                ? capExpiry(known.sessionExpirySeconds(), handler.limits())
                : known.cleanStart() ? 0 : handler.limits().sessionExpiryMaxSeconds();
    }

    static long capExpiry(long seconds, Limits limits) {
        return Math.min(seconds, limits.sessionExpiryMaxSeconds());
    }

    private void accept(Connect known, Authenticator.Identity who, Shard.Admission admission) {
        String gone = admittance.authenticator().review(who, handler.peer()); // or while the session was being stored
        if (gone != null) {
            handler.end(ReasonCode.NOT_AUTHORIZED, gone);
            return;
        }
        Limits limits = handler.limits();
        boolean v5 = known.version().isV5();
        int keepAlive = keepAlive(known);
        long expiry = admission.session().expirySeconds();
        connection.agree(new Connection.Terms(
                known.version(),
                known.maximumPacketSize(),
                Math.min(known.topicAliasMaximum(), limits.topicAliasMaximum()),
                v5 ? limits.topicAliasMaximum() : 0,
                limits.maxPacketSizeBytes(),
                known.requestProblemInformation(),
                handler));
        ConnAck.Properties announced = v5 ? announce(known, keepAlive, expiry) : ConnAck.Properties.NONE;
        if (!connection.send(new ConnAck(admission.present(), ReasonCode.SUCCESS, announced))) {
            handler.end(ReasonCode.PACKET_TOO_LARGE, "CONNACK exceeds the client's Maximum Packet Size"); // E037
            return;
        }
        exchange = null;
        if (known.authenticationMethod() != null) {
            connect = with(known, known.clientId(), null);
        }
        handler.connected(admission.session(), remaining(who), known.authenticationMethod() != null, keepAlive);
        shards.events().connected(handler.peer(), admission.present(), keepAlive, expiry);
        admission.session().open();
        handler.release(ClientHandler.Hold.CONNECT);
    }

    /** Its life has begun when it was told, not with CONNACK. */
    private Authenticator.Identity remaining(Authenticator.Identity who) {
        long life = who.lifeMillis();
        if (life == Authenticator.Identity.WITHOUT_END) {
            return who;
        }
        long passed = connection.loop().nowMillis() - identifiedAtMillis;
        return new Authenticator.Identity(who.userName(), who.source(), who.claims(), Math.max(0, life - passed));
    }

    /** v5 clients may be told to use another than they asked for; the others keep theirs. */
    private int keepAlive(Connect known) {
        int most = handler.limits().maxKeepAliveSeconds();
        int asked = known.keepAliveSeconds();
        return known.version().isV5() && most > 0 && (asked == 0 || asked > most) ? most : asked;
    }

    private ConnAck.Properties announce(Connect known, int keepAlive, long expiry) {
        Limits limits = handler.limits();
        return new ConnAck.Properties(
                expiry == known.sessionExpirySeconds() ? null : expiry,
                limits.receiveMaximum() == Connect.DEFAULT_RECEIVE_MAXIMUM ? null : limits.receiveMaximum(),
                limits.maxQos().value() == 2 ? null : limits.maxQos().value(),
                !limits.retainAvailable(),
                (long) limits.maxPacketSizeBytes(),
                assignedClientId ? known.clientId() : null,
                limits.topicAliasMaximum() == 0 ? null : limits.topicAliasMaximum(),
                null,
                List.of(),
                !limits.wildcardSubscriptions(),
                false,
                !limits.sharedSubscriptions(),
                keepAlive == known.keepAliveSeconds() ? null : keepAlive,
                known.requestResponseInformation() ? admittance.responseInformation() : null,
                null,
                known.authenticationMethod(),
                known.authenticationMethod() == null ? null : lastData);
    }

    /** The connection is gone before CONNACK; a session that was made or taken for it is let go. */
    void abandon() {
        abandoned = true;
        Session taken = session;
        if (taken != null) {
            taken.shard().left(taken, connection, false);
        }
    }
}
