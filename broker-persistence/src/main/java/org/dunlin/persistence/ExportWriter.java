package org.dunlin.persistence;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.io.SerializedString;
import java.io.IOException;
import java.io.Writer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.SessionRecord;
import org.dunlin.core.spi.Store.Stored;
import org.dunlin.core.spi.StoreBatch.SubscriptionRecord;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.Will;

/** Writes one line for each thing that is kept; what has its usual value is left out. One thread, once. */
final class ExportWriter implements Contents<IOException> {
    private final Writer out;
    private final JsonGenerator json;
    private final Map<String, Long> counts = new LinkedHashMap<>();

    ExportWriter(Writer out) throws IOException {
        this.out = out;
        this.json = StoreExport.JSON
                .createGenerator(out)
                .disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET)
                .disable(JsonGenerator.Feature.FLUSH_PASSED_TO_STREAM)
                .setRootValueSeparator(new SerializedString("\n"));
    }

    /** Writes the last line, without which a file is not whole. Returns how many lines there are of each kind. */
    Map<String, Long> end() throws IOException {
        json.writeStartObject();
        json.writeObjectFieldStart("end");
        for (Map.Entry<String, Long> count : counts.entrySet()) {
            json.writeNumberField(count.getKey(), count.getValue());
        }
        json.writeEndObject();
        json.writeEndObject();
        json.close();
        out.write('\n');
        out.flush();
        return Map.copyOf(counts);
    }

    /** The first field names the kind of the line, and whose it is or what number it has. */
    private void line(String kind, long number) throws IOException {
        counts.merge(kind, 1L, Long::sum);
        json.writeStartObject();
        json.writeNumberField(kind, number);
    }

    private void unless(long usual, String name, long value) throws IOException {
        if (value != usual) {
            json.writeNumberField(name, value);
        }
    }

    private void ifSet(String name, boolean value) throws IOException {
        if (value) {
            json.writeBooleanField(name, true);
        }
    }

    private void bytes(String name, byte[] value) throws IOException {
        if (value.length > 0) {
            json.writeBinaryField(name, value);
        }
    }

    @Override
    public void begin(long brokerMillis, long wallMillis, long nextId) throws IOException {
        json.writeStartObject();
        json.writeStringField("format", StoreExport.FORMAT);
        json.writeNumberField("version", StoreExport.VERSION);
        json.writeNumberField("broker-time", brokerMillis);
        json.writeNumberField("wall-time", wallMillis);
        json.writeNumberField("next-id", nextId);
        json.writeEndObject();
    }

    @Override
    public void session(SessionKey key, SessionRecord state) throws IOException {
        line("session", key.sid());
        json.writeNumberField("generation", key.generation());
        json.writeStringField("client-id", state.clientId());
        if (state.userName() != null) {
            json.writeStringField("user", state.userName());
        }
        json.writeStringField("mqtt", state.version().toString());
        ifSet("connected", state.connected());
        json.writeNumberField("expiry", state.expirySeconds());
        unless(Long.MAX_VALUE, "expires-at", state.expiresAtMillis());
        unless(Long.MAX_VALUE, "will-due-at", state.willDueAtMillis());
        unless(0, "sent-through", state.sentThrough());
        Will will = state.will();
        if (will != null) {
            json.writeObjectFieldStart("will");
            json.writeStringField("topic", will.topic().text());
            json.writeNumberField("qos", will.qos().value());
            ifSet("retain", will.retain());
            unless(-1, "expiry", will.expirySeconds());
            unless(0, "delay", will.delaySeconds());
            bytes("properties", will.properties());
            bytes("payload", will.payload());
            json.writeEndObject();
        }
        json.writeEndObject();
    }

    @Override
    public void group(SessionKey key, String filter) throws IOException {
        line("group", key.sid());
        json.writeStringField("filter", filter);
        json.writeEndObject();
    }

    @Override
    public void subscription(long owner, SubscriptionRecord subscription) throws IOException {
        line("subscription", owner);
        json.writeStringField("filter", subscription.filter());
        json.writeNumberField("qos", subscription.qos().value());
        ifSet("no-local", subscription.noLocal());
        ifSet("retain-as-published", subscription.retainAsPublished());
        unless(0, "id", subscription.subscriptionId());
        json.writeEndObject();
    }

    @Override
    public void body(long number, Message message) throws IOException {
        line("body", number);
        message(message);
        json.writeEndObject();
    }

    @Override
    public void queued(long owner, Stored stored) throws IOException {
        line("queued", owner);
        place(stored.seq(), stored.qos(), stored.retain(), stored.subscriptionIds());
        message(stored.message());
        json.writeEndObject();
    }

    @Override
    public void reference(long owner, Reference reference) throws IOException {
        line("queued", owner);
        place(reference.seq(), reference.qos(), reference.retain(), reference.subscriptionIds());
        json.writeNumberField("body", reference.body());
        json.writeNumberField("weight", reference.weight());
        json.writeEndObject();
    }

    private void place(long seq, Qos qos, boolean retain, int[] subscriptionIds) throws IOException {
        json.writeNumberField("seq", seq);
        json.writeNumberField("qos", qos.value());
        ifSet("retain", retain);
        if (subscriptionIds.length > 0) {
            json.writeFieldName("subscription-ids");
            json.writeArray(subscriptionIds, 0, subscriptionIds.length);
        }
    }

    private void message(Message message) throws IOException {
        json.writeObjectFieldStart("message");
        json.writeNumberField("id", message.id());
        json.writeStringField("publisher", message.publisher());
        json.writeStringField("topic", message.topic().text());
        json.writeNumberField("qos", message.qos().value());
        ifSet("retain", message.retain());
        unless(Message.NEVER, "expires-at", message.expiresAtMillis());
        bytes("properties", message.properties());
        bytes("payload", message.payload());
        json.writeEndObject();
    }

    @Override
    public void released(long owner, long seq, int packetId) throws IOException {
        line("released", owner);
        json.writeNumberField("seq", seq);
        json.writeNumberField("packet-id", packetId);
        json.writeEndObject();
    }

    @Override
    public void numbered(long owner, long seq, int packetId) throws IOException {
        line("numbered", owner);
        json.writeNumberField("seq", seq);
        json.writeNumberField("packet-id", packetId);
        json.writeEndObject();
    }

    @Override
    public void inboundId(long owner, int packetId) throws IOException {
        line("inbound", owner);
        json.writeNumberField("packet-id", packetId);
        json.writeEndObject();
    }

    @Override
    public void retained(Message message, long stamp) throws IOException {
        line("retained", stamp);
        message(message);
        json.writeEndObject();
    }

    @Override
    public void delayed(long id, long dueAtMillis, Message message) throws IOException {
        line("delayed", id);
        json.writeNumberField("due-at", dueAtMillis);
        message(message);
        json.writeEndObject();
    }
}
