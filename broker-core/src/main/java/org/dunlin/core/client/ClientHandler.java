package org.dunlin.core.client;

import java.util.Arrays;
import java.util.Collection;
import org.dunlin.core.limits.Backlog;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.session.Acknowledgements.Verdict;
import org.dunlin.core.session.Delivery;
import org.dunlin.core.session.Publishing;
import org.dunlin.core.session.Session;
import org.dunlin.core.session.Shards;
import org.dunlin.core.spi.Authenticator;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.core.spi.Connection;
import org.dunlin.core.spi.Loop;
import org.dunlin.core.spi.Store;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Auth;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Ingress;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.Unsubscribe;
import org.jspecify.annotations.Nullable;

/**
 * The protocol of one connection: what is done on each packet. On the thread of the connection's loop only. Transitions:
 *
 * <pre>
 * CONNECTING --CONNECT accepted, CONNACK sent--> CONNECTED
 * CONNECTING --refused--> CLOSED      (CONNACK with the reason, if the version has one)
 * CONNECTED  --DISCONNECT, fault, keep alive, takeover, stop--> CLOSED
 * any        --transport closed--> CLOSED
 * </pre>
 */
public final class ClientHandler implements Connection.Inbound, Session.Holder, Ingress {
    /** How long a client is given that is silent while its loop is late. */
    private static final long LATE_MILLIS = 500;

    private enum Phase {
        CONNECTING,
        CONNECTED,
        CLOSED
    }

    private final Shards shards;
    private final Admittance admittance;
    private final Connection connection;
    private Phase phase = Phase.CONNECTING;
    /** Until it is connected; from then on only if CONNECT named an authentication method. */
    private @Nullable ConnectFlow connecting;
    /** Of a client that is connected, or was. */
    private @Nullable Session session;

    private Authenticator.Identity identity = Authenticator.Identity.NOBODY;
    /** Null while it has published nothing. */
    private @Nullable PublishFlow publishing;

    private boolean entered;
    /** Reasons for which the input is held at the moment. */
    private byte holds;
    /** Since the last {@link #readComplete}. */
    private boolean published;

    /** What it has made others do since then, about. */
    private int demands;

    private boolean willIsDue = true;
    private Loop.@Nullable Timer keepAliveTimer;
    private Loop.@Nullable Timer credentialsTimer;
    private int keepAliveSeconds;
    private long lastReceivedMillis;
    /** Of the broker, when {@link #limits} were made of them. */
    private Limits latest;

    private Limits limits;

    public ClientHandler(Shards shards, Admittance admittance, Connection connection) {
        this.shards = shards;
        this.admittance = admittance;
        this.connection = connection;
        this.latest = admittance.limits();
        this.limits = latest;
        this.connecting = new ConnectFlow(this, shards, admittance, connection);
    }

    Connection connection() {
        return connection;
    }

    boolean isConnected() {
        return phase == Phase.CONNECTED;
    }

    /** Those that count now, but for what this client has been told. */
    Limits limits() {
        Limits now = admittance.limits();
        if (now != latest) {
            latest = now;
            limits = now.announcedAs(limits);
        }
        return limits;
    }

    boolean closesOnDeniedPublish() {
        return admittance.closesOnDeniedPublish();
    }

    Shards shards() {
        return shards;
    }

    /** Who it is about, for events. */
    BrokerEvents.Peer peer() {
        Session known = session;
        ConnectFlow attempt = connecting;
        String clientId = known != null ? known.clientId() : attempt == null ? null : attempt.clientId();
        String userName = known != null ? identity.userName() : attempt == null ? null : attempt.userName();
        return new BrokerEvents.Peer(
                clientId, userName, connection.peer(), connection.listener(), connection.version());
    }

    // ---- packets

    @Override
    public void received(Packet packet) {
        assert connection.loop().inLoop();
        Session known = session;
        if (phase == Phase.CLOSED) {
            return; // bytes after DISCONNECT [MQTT-3.14.4-1]
        }
        if (known == null) {
            ConnectFlow attempt = connecting;
            assert attempt != null;
            attempt.received(packet);
            return;
        }
        switch (packet.type()) {
            case PUBLISH -> {
                published = true;
                Publishing all = known.shard().publishing();
                long before = all.deliveries();
                publishing(known).publish((Publish) packet);
                demands += 1 + (int) Math.min(all.deliveries() - before, shards.much());
                if (demands >= shards.much() && known.shard().turn().isFull()) {
                    holdForTurn();
                }
                if (shards.memory().isExhausted()) {
                    holdForMemory(true); // what was read with this one may be much, and go to many
                }
            }
            case PUBACK, PUBREC, PUBREL, PUBCOMP -> acknowledged(known, (Ack) packet);
            case SUBSCRIBE -> {
                demands += shards.much();
                new SubscribeFlow(this, known).subscribe((Subscribe) packet);
            }
            case UNSUBSCRIBE -> {
                demands += shards.much();
                new SubscribeFlow(this, known).unsubscribe((Unsubscribe) packet);
            }
            case PINGREQ -> connection.send(Ping.RESPONSE);
            case DISCONNECT -> disconnected(known, (Disconnect) packet);
            case AUTH -> reauthenticate((Auth) packet);
            case CONNECT, CONNACK, SUBACK, UNSUBACK, PINGRESP ->
                end(ReasonCode.PROTOCOL_ERROR, packet.type() + " may not come here");
        }
    }

    private PublishFlow publishing(Session known) {
        if (publishing == null) {
            publishing = new PublishFlow(this, known);
        }
        return publishing;
    }

    private void reauthenticate(Auth packet) {
        if (connecting == null) { // [MQTT-4.12.0-7]
            end(ReasonCode.PROTOCOL_ERROR, "AUTH on a connection whose CONNECT names no authentication method");
        } else {
            connecting.reauthenticate(packet);
        }
    }

    private void acknowledged(Session known, Ack ack) {
        int id = ack.packetId();
        Verdict verdict = switch (ack.type()) {
            case PUBACK -> known.delivery().acknowledgements().pubAck(id);
            case PUBREC -> known.delivery().acknowledgements().pubRec(id, ack.reason());
            case PUBCOMP -> known.delivery().acknowledgements().pubComp(id);
            default -> publishing(known).release(id);
        };
        if (verdict == Verdict.WRONG_KIND) {
            end(
                    ReasonCode.PROTOCOL_ERROR,
                    ack.type() + " for packet identifier " + id + ", whose message was sent with another QoS");
        } else if (verdict == Verdict.UNKNOWN
                && ack.type() == PacketType.PUBREC
                && !ack.reason().isError()) {
            // nothing is known of it, so the client may let go of it [MQTT 5, 3.6.2.1]
            connection.sendAck(PacketType.PUBREL, id, ReasonCode.PACKET_IDENTIFIER_NOT_FOUND);
        }
    }

    private void disconnected(Session known, Disconnect packet) {
        Long expiry = packet.sessionExpirySeconds();
        if (expiry != null && expiry > 0 && known.expirySeconds() == 0) {
            end(
                    ReasonCode.PROTOCOL_ERROR,
                    "DISCONNECT sets a Session Expiry Interval for a session that CONNECT made to end with the connection");
            return;
        }
        if (expiry != null) {
            known.changeExpiry(ConnectFlow.capExpiry(expiry, limits()));
        }
        willIsDue = packet.reason() != ReasonCode.SUCCESS;
        phase = Phase.CLOSED;
        String text = packet.reasonString();
        shards.events().disconnected(peer(), "client", packet.reason(), text == null ? "" : text);
        leave();
        connection.close();
    }

    @Override
    public void violated(ReasonCode reason, String detail) {
        String key = switch (reason) {
            case PACKET_TOO_LARGE -> session == null ? "" : "; see limits.max-packet-size";
            case TOPIC_ALIAS_INVALID -> "; see limits.topic-alias-maximum";
            default -> "";
        };
        end(reason, detail + key);
    }

    @Override
    public void readComplete() {
        lastReceivedMillis = connection.loop().nowMillis();
        boolean much = demands >= shards.much();
        if (demands > 0 && session != null && !isHeld(Hold.OVERLOAD)) {
            holdForShards(much);
        }
        demands = 0;
        if (published) {
            published = false;
            holdForStore();
            holdForMemory(much);
        }
    }

    /** Slows a client that makes more work than there is time for. */
    private void holdForShards(boolean much) {
        Backlog busy = shards.overload(much);
        if (busy != null) {
            hold(Hold.OVERLOAD);
            Loop loop = connection.loop();
            busy.whenCalm(() -> loop.execute(() -> release(Hold.OVERLOAD)));
        }
    }

    /** What other shards get at the end of this turn is enough; they have to have it before they can say whether it is too much. */
    private void holdForTurn() {
        if (!isHeld(Hold.OVERLOAD)) {
            hold(Hold.OVERLOAD);
            connection.loop().inNextTurn(() -> {
                release(Hold.OVERLOAD);
                if (phase == Phase.CONNECTED) {
                    holdForShards(true);
                }
            });
        }
    }

    /**
     * Slows a publisher that is faster than the disk. Not one that owes us acknowledgements, which free the store of work:
     * its Receive Maximum bounds it, or the acknowledgements that may wait for it.
     */
    private void holdForStore() {
        Store store = shards.store();
        if (session != null && !store.isWritable() && !session.isOwedAcks()) {
            hold(Hold.STORE);
            Loop loop = connection.loop();
            store.whenWritable(() -> loop.execute(() -> release(Hold.STORE)));
        }
    }

    /**
     * Lets a publisher wait for memory, for a bounded time: then what it publishes is refused. Not one that owes us
     * acknowledgements, which give memory back. One that takes much of it pauses before that.
     */
    private void holdForMemory(boolean much) {
        MemoryBudget memory = shards.memory();
        Loop loop = connection.loop();
        if (session == null || isHeld(Hold.MEMORY) || session.isOwedAcks()) {
            return;
        }
        long pause = much && !memory.isExhausted() ? memory.pauseMillis() : 0;
        if (pause > 0) {
            hold(Hold.MEMORY);
            loop.schedule(() -> release(Hold.MEMORY), pause);
        } else if (memory.isExhausted() && !memory.isRefusing(loop.nowMillis())) {
            hold(Hold.MEMORY);
            Loop.Timer patience = loop.schedule(() -> release(Hold.MEMORY), memory.patienceMillis());
            memory.whenRelieved(() -> loop.execute(() -> {
                patience.cancel();
                release(Hold.MEMORY);
            }));
        }
    }

    @Override
    public void accumulating() {
        if (shards.memory().isRefusing(connection.loop().nowMillis())) {
            end(
                    ReasonCode.QUOTA_EXCEEDED,
                    "there is no memory for a large packet; see memory.budget and limits.max-packet-size");
        } else {
            holdForMemory(true);
        }
    }

    @Override
    public void writable() {
        Delivery delivery = session == null ? null : session.deliveryIfAny();
        if (delivery != null && phase == Phase.CONNECTED) {
            delivery.pump();
        }
    }

    @Override
    public void acknowledged() {
        if (publishing != null) {
            publishing.acknowledged();
        }
    }

    // ---- who publishes, as the messages that it sends say

    @Override
    public String publisher() {
        return connected().clientId();
    }

    @Override
    public long nextMessageId() {
        return connected().shard().nextMessageId();
    }

    @Override
    public long nowMillis() {
        return connection.loop().nowMillis();
    }

    private Session connected() {
        Session known = session;
        assert known != null : "PUBLISH before CONNACK";
        return known;
    }

    // ---- holding the input

    /** Why the input is held. */
    enum Hold {
        CONNECT("CONNECT or AUTH is being decided"),
        OVERLOAD("an event loop has more to do than it should"),
        STORE("the disk is slower than what is published (storage.durability)"),
        MEMORY("memory is nearly used up (memory.budget)"),
        RATE("it publishes more than its share (limits.publish-rate)"),
        ACKNOWLEDGEMENTS("as many of its messages as may wait are not yet acknowledged (limits.receive-maximum)"),
        UNSUBSCRIBE("an UNSUBSCRIBE is being carried out");

        private final String words;

        Hold(String words) {
            this.words = words;
        }
    }

    @Override
    public Collection<String> held() {
        return Arrays.stream(Hold.values())
                .filter(this::isHeld)
                .map(why -> why.words)
                .toList();
    }

    private boolean isHeld(Hold why) {
        return (holds & 1 << why.ordinal()) != 0;
    }

    /** Stops reading until it is released; the keep alive does not count meanwhile. */
    void hold(Hold why) {
        if (holds == 0) {
            connection.holdInput();
        }
        holds |= 1 << why.ordinal();
    }

    void release(Hold why) {
        int before = holds;
        holds &= ~(1 << why.ordinal());
        if (before != 0 && holds == 0 && phase != Phase.CLOSED) {
            lastReceivedMillis = connection.loop().nowMillis();
            connection.releaseInput();
        }
    }

    // ---- life

    /**
     * Takes its place among the connections, once.
     *
     * @param takesOver whether a connection with the same client identifier leaves for it in the same task
     * @return false if there are too many connections
     */
    boolean enter(boolean takesOver) {
        if (entered) {
            return true;
        }
        if (takesOver) {
            admittance.enterInsteadOfAnother();
            entered = true;
        } else {
            entered = admittance.enter();
        }
        return entered;
    }

    /** CONNACK 0x00 has been sent. */
    void connected(Session now, Authenticator.Identity who, boolean mayAuthenticateAnew, int agreedKeepAliveSeconds) {
        session = now;
        identity = who;
        expireIn(who.lifeMillis());
        if (!mayAuthenticateAnew) {
            connecting = null;
        }
        phase = Phase.CONNECTED;
        keepAliveSeconds = agreedKeepAliveSeconds;
        if (keepAliveSeconds > 0) {
            lastReceivedMillis = connection.loop().nowMillis();
            watchKeepAlive();
        }
    }

    /** One and a half times the keep alive without a packet counts as a failure of the network [MQTT-3.1.2-22]. */
    private void watchKeepAlive() {
        long limitMillis = keepAliveSeconds * 1500L;
        long silent = connection.loop().nowMillis() - lastReceivedMillis;
        if (holds != 0) {
            silent = 0;
        }
        if (silent >= limitMillis && !connection.loop().isLate()) { // else the packet may be there, unread
            end(ReasonCode.KEEP_ALIVE_TIMEOUT, "no packet for " + silent + " ms, 1.5 times the keep alive");
            return;
        }
        keepAliveTimer = connection
                .loop()
                .schedule(this::watchKeepAlive, silent < limitMillis ? limitMillis - silent : LATE_MILLIS);
    }

    @Override
    public void evicted(ReasonCode reason, String detail) {
        end(reason, detail);
    }

    @Override
    public @Nullable String review() {
        return session == null ? null : admittance.authenticator().review(identity, peer());
    }

    /** The client has proven itself anew. */
    void identified(Authenticator.Identity anew) {
        Session known = session;
        if (known != null) {
            identity = anew;
            known.shard().reviews().reauthorize(known, clientOf(known.clientId(), anew));
            expireIn(anew.lifeMillis());
        }
    }

    static Authorizer.Client clientOf(String clientId, Authenticator.Identity identity) {
        return new Authorizer.Client(clientId, identity.userName(), identity.claims());
    }

    @Override
    public void lost(TopicFilter filter, String why) {
        shards.events().denied(peer(), "subscription to " + filter, ReasonCode.NOT_AUTHORIZED, why);
    }

    /** Ends the connection when nobody knows any more who its client is, unless it has proven itself anew by then. */
    void expireIn(long millis) {
        if (credentialsTimer != null) {
            credentialsTimer.cancel();
            credentialsTimer = null;
        }
        if (millis != Authenticator.Identity.WITHOUT_END) {
            credentialsTimer = connection
                    .loop()
                    .schedule(
                            () -> end(
                                    ReasonCode.MAXIMUM_CONNECT_TIME,
                                    "what the client has proven itself with has expired; connect with a new one"),
                            Math.max(0, millis));
        }
    }

    /** Ends the connection: tells the client why, as far as its version can, and closes; the will is due. */
    void end(ReasonCode reason, String detail) {
        if (phase == Phase.CLOSED) {
            return;
        }
        boolean accepted = phase == Phase.CONNECTED;
        phase = Phase.CLOSED;
        if (accepted) {
            shards.events().disconnected(peer(), "broker", reason, detail);
            sendDisconnect(reason, detail);
        } else {
            shards.events().refused(peer(), reason, detail);
            sendRefusal(reason, detail);
        }
        leave();
        connection.close();
    }

    /** DISCONNECT before CONNACK: the client expects the end of the connection, no answer. */
    void withdrawn() {
        phase = Phase.CLOSED;
        shards.events().refused(peer(), ReasonCode.UNSPECIFIED_ERROR, "the client gave up before CONNACK");
        leave();
        connection.close();
    }

    private void sendDisconnect(ReasonCode reason, String detail) {
        ProtocolVersion version = connection.version();
        if (version != null && version.isV5()) {
            ReasonCode code = reason.allowedIn(PacketType.DISCONNECT) ? reason : ReasonCode.UNSPECIFIED_ERROR;
            connection.send(new Disconnect(code, detail));
        }
    }

    /** CONNACK, never DISCONNECT [MQTT-3.14.0-1]; 3.x only if it has a return code that fits. */
    private void sendRefusal(ReasonCode reason, String detail) {
        ProtocolVersion version = connection.version();
        if (version == null) {
            return;
        }
        // only DISCONNECT knows 0x8B
        ReasonCode said = reason == ReasonCode.SERVER_SHUTTING_DOWN ? ReasonCode.SERVER_UNAVAILABLE : reason;
        if (version.isV5()) {
            ReasonCode code = said.allowedIn(PacketType.CONNACK) ? said : ReasonCode.UNSPECIFIED_ERROR;
            connection.send(new ConnAck(false, code, ConnAck.Properties.reason(detail)));
        } else if (said.v3ConnectReturnCode() > 0) {
            connection.send(new ConnAck(false, said));
        }
    }

    @Override
    public void closed(@Nullable String cause) {
        if (phase != Phase.CLOSED) {
            boolean accepted = phase == Phase.CONNECTED;
            phase = Phase.CLOSED;
            String detail = cause == null ? "closed without DISCONNECT" : cause;
            if (accepted) {
                shards.events().disconnected(peer(), "network", ReasonCode.UNSPECIFIED_ERROR, detail);
            } else {
                shards.events().refused(peer(), ReasonCode.UNSPECIFIED_ERROR, detail);
            }
        }
        leave();
    }

    /** Lets go of the session and of the place among the connections; may be called again. */
    private void leave() {
        if (keepAliveTimer != null) {
            keepAliveTimer.cancel();
            keepAliveTimer = null;
        }
        expireIn(Authenticator.Identity.WITHOUT_END);
        if (entered) {
            entered = false;
            admittance.leave();
        }
        Session known = session;
        ConnectFlow attempt = connecting;
        if (known != null) {
            known.shard().left(known, connection, willIsDue);
        } else if (attempt != null) {
            attempt.abandon();
        }
    }
}
