package org.dunlin.it.crash;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Which message it is: the payload says who published it, as what number of its topic, and how long it has to be. Any thread.
 *
 * @param topic the one it is delivered under
 * @param number from 1, rising by one with each message of that publisher to that topic
 */
record MessageKey(String publisher, String topic, int number) {

    /** A payload of at least that many bytes. */
    byte[] payload(int size) {
        String head = publisher + "|" + number + "|" + size + "|";
        return (head + filler(size - head.length())).getBytes(StandardCharsets.UTF_8);
    }

    private String filler(int length) {
        return Character.toString('a' + number % 26).repeat(Math.max(0, length));
    }

    /** The key of a payload, or null if it is not exactly what {@link #payload(int)} makes. */
    static @Nullable MessageKey read(String topic, byte[] payload) {
        String text = new String(payload, StandardCharsets.UTF_8);
        String[] parts = text.split("\\|", 4);
        if (parts.length != 4 || !parts[1].matches("\\d{1,9}") || !parts[2].matches("\\d{1,9}")) {
            return null;
        }
        MessageKey key = new MessageKey(parts[0], topic, Integer.parseInt(parts[1]));
        int size = Integer.parseInt(parts[2]);
        int head = text.length() - parts[3].length();
        return parts[3].equals(key.filler(size - head)) ? key : null;
    }

    @Override
    public String toString() {
        return publisher + "'s " + topic + " #" + number;
    }
}
