package org.dunlin.it.clients;

import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.Await;
import org.eclipse.paho.client.mqttv3.MqttAsyncClient;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;
import org.jspecify.annotations.Nullable;

/** Paho's client of MQTT 3.1.1. Test thread only. */
final class Paho3Client implements LibraryClient {
    private final String clientId;
    private final int port;
    private final BlockingQueue<AppMessage> received = new LinkedBlockingQueue<>();
    private MqttAsyncClient client;

    Paho3Client(String clientId, int port) {
        this.clientId = clientId;
        this.port = port;
        this.client = open();
    }

    private MqttAsyncClient open() {
        try {
            MqttAsyncClient opened = new MqttAsyncClient("tcp://127.0.0.1:" + port, clientId, new MemoryPersistence());
            opened.setCallback(new Inbox(received));
            return opened;
        } catch (MqttException e) {
            throw new AssertionError(e);
        }
    }

    /** On a thread of the library. */
    private record Inbox(BlockingQueue<AppMessage> received) implements org.eclipse.paho.client.mqttv3.MqttCallback {
        @Override
        public void connectionLost(Throwable cause) {}

        @Override
        public void messageArrived(String topic, org.eclipse.paho.client.mqttv3.MqttMessage message) {
            received.add(AppMessage.of(topic, message.getPayload(), message.getQos(), message.isRetained()));
        }

        @Override
        public void deliveryComplete(org.eclipse.paho.client.mqttv3.IMqttDeliveryToken token) {}
    }

    @Override
    public boolean connect(boolean clean, @Nullable AppMessage will) {
        Await.until("the client has noticed its end", () -> !isConnected());
        close(); // one that has been connected may open a socket and then send nothing: its old threads end late
        client = open();
        MqttConnectOptions options = new MqttConnectOptions();
        options.setMqttVersion(MqttConnectOptions.MQTT_VERSION_3_1_1);
        options.setCleanSession(clean);
        options.setMaxInflight(1000);
        if (will != null) {
            options.setWill(will.topic(), will.payload(), will.qos(), will.retain());
        }
        try {
            var token = client.connect(options);
            token.waitForCompletion(Await.DEADLINE.toMillis());
            return token.getSessionPresent();
        } catch (MqttException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public boolean isConnected() {
        return client.isConnected();
    }

    @Override
    public void subscribe(String filter, int qos) {
        try {
            client.subscribe(filter, qos).waitForCompletion(Await.DEADLINE.toMillis());
        } catch (MqttException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void publish(AppMessage message) {
        try {
            client.publish(message.topic(), message.payload(), message.qos(), message.retain())
                    .waitForCompletion(Await.DEADLINE.toMillis());
        } catch (MqttException e) {
            throw new AssertionError(e);
        }
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
                client.disconnectForcibly(0, 1000);
            }
            client.close(true);
        } catch (MqttException e) {
            throw new AssertionError(e);
        }
    }
}
