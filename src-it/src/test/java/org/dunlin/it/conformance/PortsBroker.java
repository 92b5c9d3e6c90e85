package org.dunlin.it.conformance;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.dunlin.core.Broker;
import org.dunlin.core.BrokerSettings;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.spi.Authenticator;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.core.spi.DropReason;
import org.dunlin.core.spi.Loop;
import org.dunlin.core.spi.MemoryStore;
import org.dunlin.core.spi.Rights;
import org.dunlin.core.spi.Store;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.dunlin.server.net.ListenException;
import org.dunlin.server.net.Listener;
import org.dunlin.server.net.Listeners;
import org.dunlin.server.net.NettyLoops;
import org.dunlin.server.net.Transport;
import org.dunlin.server.share.Addresses;
import org.jspecify.annotations.Nullable;

/**
 * The broker in this process, behind real sockets, with an authenticator and an authorizer that tests need and that no
 * configuration gives. Any thread.
 *
 * <p>The method "TEST" asks for a second word after whatever the first was. "right" is accepted with the words "well
 * done", "more" is asked for another one, anything else refused. The method "ONE" decides on the first word at once.
 * A client with the user name "slow" waits until the test decides, by {@link #decideSlow}. Topics with "denied" in them may not be published to, and not subscribed to at QoS 2; those with "secret" not at all.
 */
final class PortsBroker implements AutoCloseable {
    private final Listeners listeners;
    private final Store store = new MemoryStore();
    private final NettyLoops loops = new NettyLoops(Transport.best(), 2, store::nowMillis);
    private final int port;
    private final BlockingQueue<CompletableFuture<Authenticator.Answer>> slow = new LinkedBlockingQueue<>();

    PortsBroker() throws ListenException {
        Broker broker = new Broker(
                List.<Loop>copyOf(loops.all()),
                new BrokerSettings(
                        Limits.DEFAULTS,
                        QueueLimits.DEFAULTS,
                        MemoryBudget.unlimited(),
                        store,
                        new Words(),
                        client -> new Topics(),
                        false,
                        new Unheard(),
                        null));
        listeners = new Listeners(
                loops,
                Limits.DEFAULTS,
                MemoryBudget.unlimited(),
                Addresses.unlimited(),
                new Unheard(),
                broker::connect);
        port = listeners.open(Listener.tcp("test", "127.0.0.1", 0)).getPort();
    }

    MqttSocket socket() {
        return MqttSocket.open(port);
    }

    @Override
    public void close() {
        listeners.stopAccepting();
        listeners.close();
        loops.close();
        store.close();
    }

    private static CompletionStage<Authenticator.Answer> now(Authenticator.Answer answer) {
        return CompletableFuture.completedFuture(answer);
    }

    /** Waits until a client with the user name "slow" has come, and answers it. */
    void decideSlow(Authenticator.Answer answer) throws InterruptedException {
        CompletableFuture<Authenticator.Answer> waiting = slow.poll(10, TimeUnit.SECONDS);
        if (waiting == null) {
            throw new AssertionError("no client waits for the authenticator");
        }
        waiting.complete(answer);
    }

    private final class Words implements Authenticator {
        private static final Answer REFUSED =
                new Answer.Refused(ReasonCode.NOT_AUTHORIZED, "that is not the word; ask for the right one");

        @Override
        public CompletionStage<Answer> authenticate(Credentials credentials) {
            if ("slow".equals(credentials.userName())) {
                CompletableFuture<Answer> later = new CompletableFuture<>();
                slow.add(later);
                return later;
            }
            return now(Answer.Accepted.as(credentials.userName()));
        }

        @Override
        public Exchange exchange(String method, Credentials credentials) {
            return switch (method) {
                case "ONE" -> data -> now(decide(data));
                case "TEST" ->
                    new Exchange() {
                        private boolean begun;

                        @Override
                        public CompletionStage<Answer> step(byte[] data) {
                            if (!begun) {
                                begun = true;
                                return now(new Answer.Continue(bytes("which word?")));
                            }
                            // from another thread, as a slow authenticator would
                            return CompletableFuture.supplyAsync(() -> decide(data));
                        }
                    };
                default -> null;
            };
        }

        private Answer decide(byte[] data) {
            return switch (data == null ? "" : new String(data, StandardCharsets.UTF_8)) {
                case "right" -> new Answer.Accepted(Authenticator.Identity.of("somebody", ""), bytes("well done"));
                case "more" -> new Answer.Continue(bytes("which other word?"));
                default -> REFUSED;
            };
        }
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static final class Topics implements Rights {
        @Override
        public @Nullable String refusesPublish(TopicName topic, Qos qos, boolean retain) {
            return topic.text().contains("denied") || topic.text().contains("secret") ? "not for you" : null;
        }

        @Override
        public @Nullable String refusesSubscribe(TopicFilter filter, Qos qos) {
            String text = filter.text();
            return text.contains("secret") || (text.contains("denied") && qos == Qos.EXACTLY_ONCE)
                    ? "not for you"
                    : null;
        }

        @Override
        public boolean receivesAllOf(TopicFilter filter) {
            return true;
        }

        @Override
        public boolean receivesAll() {
            return true;
        }

        @Override
        public boolean mayReceive(TopicName topic) {
            return true;
        }
    }

    private static final class Unheard implements BrokerEvents {
        @Override
        public void connected(Peer peer, boolean sessionPresent, int keepAliveSeconds, long sessionExpirySeconds) {}

        @Override
        public void refused(Peer peer, ReasonCode reason, String detail) {}

        @Override
        public void disconnected(Peer peer, String by, ReasonCode reason, String detail) {}

        @Override
        public void dropped(String clientId, TopicName topic, DropReason reason) {}

        @Override
        public void discarded(String clientId, long messages, DropReason reason) {}

        @Override
        public void unreadable(String filter, String cause) {}

        @Override
        public void denied(Peer peer, String what, ReasonCode reason, String detail) {}
    }
}
