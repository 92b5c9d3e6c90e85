package org.dunlin.it.clients;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.dunlin.it.Await;
import org.eclipse.paho.mqttv5.client.IMqttToken;
import org.eclipse.paho.mqttv5.client.MqttAsyncClient;
import org.eclipse.paho.mqttv5.client.MqttCallback;
import org.eclipse.paho.mqttv5.client.MqttClientException;
import org.eclipse.paho.mqttv5.client.MqttConnectionOptions;
import org.eclipse.paho.mqttv5.client.MqttDisconnectResponse;
import org.eclipse.paho.mqttv5.client.persist.MemoryPersistence;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.MqttSubscription;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.UserProperty;
import org.jspecify.annotations.Nullable;

/** Paho's client of MQTT 5. Test thread only. */
final class Paho5Client implements LibraryClient {
    /** It tells of every packet; held here, since a logger that nobody holds forgets its level. */
    private static final Logger CHATTER = Logger.getLogger("org.eclipse.paho.mqttv5");

    static {
        CHATTER.setLevel(Level.OFF);
    }

    private final MqttAsyncClient client;
    private final BlockingQueue<AppMessage> received = new LinkedBlockingQueue<>();

    Paho5Client(String clientId, int port) {
        try {
            client = new MqttAsyncClient("tcp://127.0.0.1:" + port, clientId, new MemoryPersistence());
        } catch (MqttException e) {
            throw new AssertionError(e);
        }
        client.setCallback(new Inbox(received));
    }

    /** On a thread of the library. */
    private record Inbox(BlockingQueue<AppMessage> received) implements MqttCallback {
        @Override
        public void disconnected(MqttDisconnectResponse response) {}

        @Override
        public void mqttErrorOccurred(MqttException exception) {}

        @Override
        public void messageArrived(String topic, MqttMessage message) {
            MqttProperties properties = message.getProperties();
            List<String> users = new ArrayList<>();
            for (UserProperty property : properties.getUserProperties()) {
                users.add(property.getKey());
                users.add(property.getValue());
            }
            Long expiry = properties.getMessageExpiryInterval();
            received.add(new AppMessage(
                    topic,
                    message.getPayload(),
                    message.getQos(),
                    message.isRetained(),
                    users,
                    expiry == null ? -1 : expiry,
                    properties.getResponseTopic(),
                    properties.getCorrelationData(),
                    List.copyOf(properties.getSubscriptionIdentifiers())));
        }

        @Override
        public void deliveryComplete(IMqttToken token) {}

        @Override
        public void connectComplete(boolean reconnect, String serverUri) {}

        @Override
        public void authPacketArrived(int reasonCode, MqttProperties properties) {}
    }

    @Override
    public boolean connect(boolean clean, @Nullable AppMessage will) {
        Await.until("the client has noticed its end", () -> !isConnected());
        MqttConnectionOptions options = new MqttConnectionOptions();
        options.setCleanStart(clean);
        options.setSessionExpiryInterval(clean ? 0L : 3600L);
        if (will != null) {
            options.setWill(will.topic(), messageOf(will));
        }
        try {
            return connect(options);
        } catch (MqttException e) {
            // on a busy machine it may forget to send the CONNECT of a connection that follows at once on another one
            if (e.getReasonCode() == MqttClientException.REASON_CODE_CONNECTION_LOST) {
                try {
                    return connect(options);
                } catch (MqttException again) {
                    throw new AssertionError(again);
                }
            }
            throw new AssertionError(e);
        }
    }

    private boolean connect(MqttConnectionOptions options) throws MqttException {
        IMqttToken token = client.connect(options);
        token.waitForCompletion(Await.DEADLINE.toMillis());
        return token.getSessionPresent();
    }

    @Override
    public boolean isConnected() {
        return client.isConnected();
    }

    @Override
    public void subscribe(String filter, int qos) {
        subscribe(filter, qos, new MqttProperties());
    }

    void subscribe(String filter, int qos, int subscriptionId) {
        MqttProperties properties = new MqttProperties();
        properties.setSubscriptionIdentifier(subscriptionId);
        subscribe(filter, qos, properties);
    }

    private void subscribe(String filter, int qos, MqttProperties properties) {
        MqttSubscription subscription = new MqttSubscription(filter, qos);
        subscription.setRetainAsPublished(true);
        try {
            client.subscribe(new MqttSubscription[] {subscription}, null, null, properties)
                    .waitForCompletion(Await.DEADLINE.toMillis());
        } catch (MqttException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void publish(AppMessage message) {
        try {
            client.publish(message.topic(), messageOf(message)).waitForCompletion(Await.DEADLINE.toMillis());
        } catch (MqttException e) {
            throw new AssertionError(e);
        }
    }

    private static MqttMessage messageOf(AppMessage message) {
        MqttProperties properties = new MqttProperties();
        List<UserProperty> users = new ArrayList<>();
        for (int i = 0; i < message.userProperties().size(); i += 2) {
            users.add(new UserProperty(
                    message.userProperties().get(i), message.userProperties().get(i + 1)));
        }
        properties.setUserProperties(users);
        if (message.expirySeconds() >= 0) {
            properties.setMessageExpiryInterval(message.expirySeconds());
        }
        properties.setResponseTopic(message.responseTopic());
        properties.setCorrelationData(message.correlationData());
        return new MqttMessage(message.payload(), message.qos(), message.retain(), properties);
    }

    @Override
    public @Nullable AppMessage poll(Duration wait) {
        try {
            return received.poll(wait.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void disconnect() {
        try {
            client.disconnect().waitForCompletion(Await.DEADLINE.toMillis());
        } catch (MqttException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        try {
            if (client.isConnected()) {
                client.disconnect().waitForCompletion(Await.DEADLINE.toMillis());
            }
            client.close(true);
        } catch (MqttException e) {
            throw new AssertionError(e);
        }
    }
}
