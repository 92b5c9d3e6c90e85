package org.dunlin.it.clients;

import com.hivemq.client.mqtt.MqttGlobalPublishFilter;
import com.hivemq.client.mqtt.datatypes.MqttQos;
import com.hivemq.client.mqtt.exceptions.ConnectionClosedException;
import com.hivemq.client.mqtt.exceptions.MqttClientStateException;
import com.hivemq.client.mqtt.mqtt3.Mqtt3BlockingClient;
import com.hivemq.client.mqtt.mqtt3.Mqtt3Client;
import com.hivemq.client.mqtt.mqtt3.message.connect.Mqtt3Connect;
import com.hivemq.client.mqtt.mqtt3.message.connect.Mqtt3ConnectBuilder;
import com.hivemq.client.mqtt.mqtt3.message.publish.Mqtt3Publish;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.Await;
import org.jspecify.annotations.Nullable;

/** The HiveMQ client with MQTT 3.1.1. Test thread only. */
final class HiveMq3Client implements LibraryClient {
    private final Mqtt3BlockingClient client;
    private final BlockingQueue<AppMessage> received = new LinkedBlockingQueue<>();

    HiveMq3Client(String clientId, int port) {
        client = Mqtt3Client.builder()
                .identifier(clientId)
                .serverHost("127.0.0.1")
                .serverPort(port)
                .buildBlocking();
        client.toAsync().publishes(MqttGlobalPublishFilter.ALL, this::received);
    }

    private void received(Mqtt3Publish publish) {
        received.add(AppMessage.of(
                publish.getTopic().toString(),
                publish.getPayloadAsBytes(),
                publish.getQos().getCode(),
                publish.isRetain()));
    }

    @Override
    public boolean connect(boolean clean, @Nullable AppMessage will) {
        Await.until("the client has noticed its end", () -> !isConnected());
        Mqtt3ConnectBuilder connect = Mqtt3Connect.builder().cleanSession(clean).keepAlive(60);
        if (will != null) {
            connect = connect.willPublish(publishOf(will));
        }
        return client.connect(connect.build()).isSessionPresent();
    }

    @Override
    public boolean isConnected() {
        return client.getState().isConnected();
    }

    @Override
    public void subscribe(String filter, int qos) {
        client.subscribeWith().topicFilter(filter).qos(qos(qos)).send();
    }

    @Override
    public void publish(AppMessage message) {
        client.publish(publishOf(message));
    }

    private static Mqtt3Publish publishOf(AppMessage message) {
        return Mqtt3Publish.builder()
                .topic(message.topic())
                .payload(message.payload())
                .qos(qos(message.qos()))
                .retain(message.retain())
                .build();
    }

    static MqttQos qos(int qos) {
        MqttQos found = MqttQos.fromCode(qos);
        if (found == null) {
            throw new IllegalArgumentException("QoS " + qos);
        }
        return found;
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
        client.disconnect();
    }

    @Override
    public void close() {
        try {
            client.disconnect();
        } catch (MqttClientStateException | ConnectionClosedException e) {
            // it is not connected, or has just been cut off
        }
    }
}
