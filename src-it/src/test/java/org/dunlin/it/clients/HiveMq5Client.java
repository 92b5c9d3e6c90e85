package org.dunlin.it.clients;

import com.hivemq.client.mqtt.MqttGlobalPublishFilter;
import com.hivemq.client.mqtt.exceptions.ConnectionClosedException;
import com.hivemq.client.mqtt.exceptions.MqttClientStateException;
import com.hivemq.client.mqtt.mqtt5.Mqtt5BlockingClient;
import com.hivemq.client.mqtt.mqtt5.Mqtt5Client;
import com.hivemq.client.mqtt.mqtt5.datatypes.Mqtt5UserProperties;
import com.hivemq.client.mqtt.mqtt5.datatypes.Mqtt5UserPropertiesBuilder;
import com.hivemq.client.mqtt.mqtt5.message.connect.Mqtt5Connect;
import com.hivemq.client.mqtt.mqtt5.message.connect.Mqtt5ConnectBuilder;
import com.hivemq.client.mqtt.mqtt5.message.publish.Mqtt5Publish;
import com.hivemq.client.mqtt.mqtt5.message.publish.Mqtt5PublishBuilder;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.Await;
import org.jspecify.annotations.Nullable;

/** The HiveMQ client with MQTT 5, which keeps subscription identifiers to itself. Test thread only. */
final class HiveMq5Client implements LibraryClient {
    private final Mqtt5BlockingClient client;
    private final BlockingQueue<AppMessage> received = new LinkedBlockingQueue<>();

    HiveMq5Client(String clientId, int port) {
        client = Mqtt5Client.builder()
                .identifier(clientId)
                .serverHost("127.0.0.1")
                .serverPort(port)
                .buildBlocking();
        client.toAsync().publishes(MqttGlobalPublishFilter.ALL, this::received);
    }

    private void received(Mqtt5Publish publish) {
        List<String> properties = new ArrayList<>();
        publish.getUserProperties().asList().forEach(property -> {
            properties.add(property.getName().toString());
            properties.add(property.getValue().toString());
        });
        received.add(new AppMessage(
                publish.getTopic().toString(),
                publish.getPayloadAsBytes(),
                publish.getQos().getCode(),
                publish.isRetain(),
                properties,
                publish.getMessageExpiryInterval().orElse(-1),
                publish.getResponseTopic().map(Object::toString).orElse(null),
                publish.getCorrelationData().map(HiveMq5Client::bytes).orElse(null),
                List.of()));
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    @Override
    public boolean connect(boolean clean, @Nullable AppMessage will) {
        Await.until("the client has noticed its end", () -> !isConnected());
        Mqtt5ConnectBuilder connect = Mqtt5Connect.builder().cleanStart(clean).sessionExpiryInterval(clean ? 0 : 3600);
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
        client.subscribeWith()
                .topicFilter(filter)
                .qos(HiveMq3Client.qos(qos))
                .retainAsPublished(true)
                .send();
    }

    @Override
    public void publish(AppMessage message) {
        client.publish(publishOf(message));
    }

    private static Mqtt5Publish publishOf(AppMessage message) {
        Mqtt5UserPropertiesBuilder properties = Mqtt5UserProperties.builder();
        for (int i = 0; i < message.userProperties().size(); i += 2) {
            properties = properties.add(
                    message.userProperties().get(i), message.userProperties().get(i + 1));
        }
        Mqtt5PublishBuilder.Complete publish = Mqtt5Publish.builder()
                .topic(message.topic())
                .payload(message.payload())
                .qos(HiveMq3Client.qos(message.qos()))
                .retain(message.retain())
                .userProperties(properties.build())
                .responseTopic(message.responseTopic())
                .correlationData(message.correlationData());
        if (message.expirySeconds() >= 0) {
            publish = publish.messageExpiryInterval(message.expirySeconds());
        }
        return publish.build();
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
