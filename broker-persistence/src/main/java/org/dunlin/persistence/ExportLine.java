package org.dunlin.persistence;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.dunlin.persistence.StoreExport.ExportException;
import org.jspecify.annotations.Nullable;

/** The fields of one line, or of the object in it, each taken once; what is left over was not expected. One thread. */
final class ExportLine {
    private final int number;
    private final Map<String, Object> fields;

    private ExportLine(int number, Map<String, Object> fields) {
        this.number = number;
        this.fields = fields;
    }

    /** The next line; null if there is none. */
    static @Nullable ExportLine next(JsonParser json) throws IOException, ExportException {
        JsonToken start = json.nextToken();
        if (start == null) {
            return null;
        }
        int number = json.currentTokenLocation().getLineNr();
        if (start != JsonToken.START_OBJECT) {
            throw new ExportException("line " + number + ": is no JSON object");
        }
        return new ExportLine(number, object(json, number, true));
    }

    private static Map<String, Object> object(JsonParser json, int line, boolean mayHoldAnother)
            throws IOException, ExportException {
        Map<String, Object> fields = new LinkedHashMap<>();
        for (JsonToken token = json.nextToken(); token != JsonToken.END_OBJECT; token = json.nextToken()) {
            String name = json.currentName();
            JsonToken value = json.nextToken();
            Object read = null;
            if (value == JsonToken.VALUE_STRING) {
                read = json.getText();
            } else if (value == JsonToken.VALUE_NUMBER_INT) {
                read = json.getLongValue();
            } else if (value == JsonToken.VALUE_TRUE || value == JsonToken.VALUE_FALSE) {
                read = value == JsonToken.VALUE_TRUE;
            } else if (value == JsonToken.START_ARRAY) {
                read = numbers(json, line, name);
            } else if (value == JsonToken.START_OBJECT && mayHoldAnother) {
                read = new ExportLine(line, object(json, line, false));
            }
            if (read == null) {
                throw new ExportException(
                        "line " + line + ": " + name + " has a value of a kind that is not used here");
            }
            if (fields.put(name, read) != null) {
                throw new ExportException("line " + line + ": " + name + " is there twice");
            }
        }
        return fields;
    }

    private static List<Long> numbers(JsonParser json, int line, String name) throws IOException, ExportException {
        List<Long> numbers = new ArrayList<>();
        for (JsonToken token = json.nextToken(); token != JsonToken.END_ARRAY; token = json.nextToken()) {
            if (token != JsonToken.VALUE_NUMBER_INT) {
                throw new ExportException("line " + line + ": " + name + " may hold whole numbers only");
            }
            numbers.add(json.getLongValue());
        }
        return numbers;
    }

    ExportException fault(String what) {
        return new ExportException("line " + number + ": " + what);
    }

    /** The name of the first field. */
    String kind() throws ExportException {
        if (fields.isEmpty()) {
            throw fault("is empty");
        }
        return fields.keySet().iterator().next();
    }

    boolean has(String name) {
        return fields.containsKey(name);
    }

    private <T> T take(String name, Class<T> type, @Nullable T other) throws ExportException {
        Object value = fields.remove(name);
        if (value == null && other != null) {
            return other;
        }
        if (!type.isInstance(value)) {
            throw fault(value == null ? name + " is missing" : name + " is not of the right kind");
        }
        return type.cast(value);
    }

    ExportLine object(String name) throws ExportException {
        return take(name, ExportLine.class, null);
    }

    String text(String name) throws ExportException {
        return take(name, String.class, null);
    }

    boolean flag(String name) throws ExportException {
        return take(name, Boolean.class, false);
    }

    long number(String name) throws ExportException {
        return take(name, Long.class, null);
    }

    long number(String name, long other) throws ExportException {
        return take(name, Long.class, other);
    }

    long number(String name, long least, long most) throws ExportException {
        return within(name, least, most, number(name));
    }

    private long within(String name, long least, long most, long value) throws ExportException {
        if (value < least || value > most) {
            throw fault(name + " is " + value + ", which is not from " + least + " to " + most);
        }
        return value;
    }

    Qos qos() throws ExportException {
        return Qos.of((int) number("qos", 0, 2));
    }

    TopicName topic() throws ExportException {
        String text = text("topic");
        String wrong = TopicName.fault(text);
        if (wrong != null) {
            throw fault("topic " + wrong);
        }
        return TopicName.of(text);
    }

    byte[] bytes(String name) throws ExportException {
        try {
            byte[] bytes = Base64.getDecoder().decode(take(name, String.class, ""));
            return bytes.length == 0 ? Message.NO_BYTES : bytes;
        } catch (IllegalArgumentException e) {
            throw fault(name + " is no base64");
        }
    }

    int[] numbers(String name) throws ExportException {
        List<?> list = take(name, List.class, List.of());
        int[] numbers = new int[list.size()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (int) within(name, 0, Integer.MAX_VALUE, (Long) list.get(i));
        }
        return numbers;
    }

    Message message() throws ExportException {
        ExportLine in = object("message");
        Message message = new Message(
                in.number("id"),
                in.text("publisher"),
                in.topic(),
                in.bytes("payload"),
                in.qos(),
                in.flag("retain"),
                in.number("expires-at", Message.NEVER),
                in.bytes("properties"));
        in.end();
        return message;
    }

    /** All that is left, of which each must be a number. */
    Map<String, Long> rest() throws ExportException {
        Map<String, Long> rest = new LinkedHashMap<>();
        for (String name : List.copyOf(fields.keySet())) {
            rest.put(name, number(name));
        }
        return rest;
    }

    void end() throws ExportException {
        if (!fields.isEmpty()) {
            throw fault(fields.keySet().iterator().next() + " is not known here");
        }
    }
}
