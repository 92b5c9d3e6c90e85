package org.dunlin.core.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.dunlin.core.client.Admittance;
import org.dunlin.core.limits.Fairness;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.session.Restoration;
import org.dunlin.core.session.Shards;
import org.dunlin.core.session.ShardsProbe;
import org.dunlin.core.spi.Authenticator;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.core.spi.DropReason;
import org.dunlin.core.spi.Loop;
import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/**
 * The test's thread only. The core for tests that go step by step, on one loop unless more are asked for; clients come to the
 * first. Settings count until the first client.
 */
final class ScriptedBroker implements BrokerEvents {
    private final int count;
    final SimLoops loops;
    Loop loop;
    final HeldStore store;
    /** What was dropped, as "client topic reason". */
    final List<String> drops = new ArrayList<>();
    /** What was refused within a connection, as "what reason". */
    final List<String> denials = new ArrayList<>();

    /** Client identifiers that more than one client uses, once for each takeover of the loop. */
    final List<@Nullable String> contested = new ArrayList<>();

    QueueLimits queueLimits = QueueLimits.DEFAULTS;
    Authorizer authorizer = Authorizer.ALL;
    boolean closesOnDeniedPublish;
    Authenticator authenticator =
            credentials -> CompletableFuture.completedFuture(Authenticator.Answer.Accepted.as(null));
    /** Of clients that come from now on: more is too large for them. */
    int maxPayload = 1000;

    MemoryBudget memory = MemoryBudget.unlimited();
    ShardsProbe.Paging paging = ShardsProbe.Paging.DEFAULTS;
    Fairness fairness = Limits.DEFAULTS.fairness();
    int publishRate;
    int maxConnections = Limits.DEFAULTS.maxConnections();
    int maxInflight = Limits.DEFAULTS.maxInflight();
    int maxSubscriptionsPerClient = Limits.DEFAULTS.maxSubscriptionsPerClient();
    int receiveMaximum = Limits.DEFAULTS.receiveMaximum();
    int maxRetained = Limits.DEFAULTS.maxRetained();
    int reviewedAtOnce = 512;
    int maxDelayed = Limits.DEFAULTS.maxDelayed();
    private @Nullable Shards shards;
    private @Nullable Admittance admittance;

    ScriptedBroker() {
        this(1);
    }

    /** @param count loops */
    ScriptedBroker(int count) {
        this.count = count;
        this.loops = new SimLoops(new Random(1), count);
        this.loop = loops.all().get(0);
        this.store = new HeldStore(loops::nowMillis);
    }

    private Limits limits() {
        Limits d = Limits.DEFAULTS;
        return new Limits(
                d.maxPacketSizeBytes(),
                receiveMaximum,
                d.topicAliasMaximum(),
                d.maxKeepAliveSeconds(),
                d.maxQos(),
                true,
                true,
                true,
                d.sessionExpiryMaxSeconds(),
                maxConnections,
                d.maxSessions(),
                d.maxTopicLevels(),
                d.maxClientIdLength(),
                d.connectTimeoutMillis(),
                0,
                publishRate,
                maxInflight,
                maxSubscriptionsPerClient,
                maxRetained,
                d.maxRetainedBytes(),
                maxDelayed,
                d.maxDelaySeconds(),
                d.maxUserProperties(),
                d.outboundBufferBytes(),
                fairness);
    }

    Shards shards() {
        Shards known = shards;
        if (known == null) {
            known = ShardsProbe.shards(
                    loops.all(),
                    limits(),
                    queueLimits,
                    memory,
                    store,
                    asScripted(),
                    this,
                    65_536,
                    paging,
                    reviewedAtOnce);
            shards = known;
        }
        return known;
    }

    /** The process is gone; another one is started on what the store has committed. */
    void crash() {
        store.crash();
        loops.restart(count);
        loop = loops.all().get(0);
        shards = null;
        admittance = null;
        Restoration restoration = new Restoration(shards());
        store.open(restoration);
        ShardsProbe.restore(shards(), restoration, loops::runReady);
        loops.runFor(1);
    }

    /** The authorizer that the test has set last. */
    private Authorizer asScripted() {
        return new Authorizer() {
            @Override
            public Rights rights(Client client) {
                return authorizer.rights(client);
            }

            @Override
            public Rights restored(String clientId, @Nullable String userName) {
                return authorizer.restored(clientId, userName);
            }
        };
    }

    Admittance admittance() {
        Admittance known = admittance;
        if (known == null) {
            known = new Admittance(limits(), authenticator, closesOnDeniedPublish, null);
            admittance = known;
        }
        return known;
    }

    void startReview() {
        ShardsProbe.eachOnItsLoop(shards(), shard -> shard.reviews().all(() -> {}));
    }

    /** Accounts or rights have changed. */
    void review() {
        startReview();
        loops.runFor(1);
    }

    @Override
    public void connected(Peer peer, boolean sessionPresent, int keepAliveSeconds, long sessionExpirySeconds) {}

    @Override
    public void refused(Peer peer, ReasonCode reason, String detail) {}

    @Override
    public void disconnected(Peer peer, String by, ReasonCode reason, String detail) {}

    @Override
    public void dropped(String clientId, TopicName topic, DropReason reason) {
        drops.add(clientId + " " + topic + " " + reason);
    }

    @Override
    public void discarded(String clientId, long messages, DropReason reason) {
        drops.add(clientId + " " + messages + " " + reason);
    }

    @Override
    public void unreadable(String filter, String cause) {}

    @Override
    public void contested(Peer former, Peer next) {
        contested.add(next.clientId());
    }

    @Override
    public void denied(Peer peer, String what, ReasonCode reason, String detail) {
        denials.add(what + " " + reason);
    }
}
