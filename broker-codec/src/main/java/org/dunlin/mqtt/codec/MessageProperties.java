package org.dunlin.mqtt.codec;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.dunlin.mqtt.Message;
import org.jspecify.annotations.Nullable;

/**
 * Thread of the connection only. The properties of a PUBLISH or of a will: those that go to the receivers unaltered
 * are cut out of the packet as they stand, the others are read.
 */
final class MessageProperties implements Property.Sink {
    /** Seconds, -1 if there is none. */
    long expirySeconds = -1;

    long delaySeconds;

    /** 0 if there is none. */
    int topicAlias;

    private final Frame in;
    private @Nullable List<Integer> subscriptionIds;

    /** Pairs of start and end in the frame of what is passed through. */
    private int[] runs = new int[2];

    private int runCount;
    private int passedBytes;

    MessageProperties(Frame in) {
        this.in = in;
    }

    @Override
    public void take(Property property, long number, int start, int value) {
        switch (property) {
            case MESSAGE_EXPIRY_INTERVAL -> expirySeconds = number;
            case WILL_DELAY_INTERVAL -> delaySeconds = number;
            case TOPIC_ALIAS -> topicAlias = (int) number;
            case SUBSCRIPTION_IDENTIFIER -> {
                List<Integer> ids = subscriptionIds;
                if (ids == null) {
                    ids = new ArrayList<>(1);
                    subscriptionIds = ids;
                }
                ids.add((int) number);
            }
            default -> pass(start, in.position());
        }
    }

    private void pass(int start, int end) {
        passedBytes += end - start;
        if (runCount > 0 && runs[2 * runCount - 1] == start) {
            runs[2 * runCount - 1] = end;
            return;
        }
        if (2 * runCount == runs.length) {
            runs = Arrays.copyOf(runs, 2 * runs.length);
        }
        runs[2 * runCount] = start;
        runs[2 * runCount + 1] = end;
        runCount++;
    }

    List<Integer> subscriptionIds() {
        List<Integer> ids = subscriptionIds;
        return ids == null ? List.of() : ids;
    }

    /** In wire form and the order they came in [MQTT-3.3.2-17] [MQTT-3.3.2-18]; while the frame is open. */
    byte[] passedThrough() {
        if (passedBytes == 0) {
            return Message.NO_BYTES;
        }
        byte[] properties = new byte[passedBytes];
        int at = 0;
        for (int i = 0; i < 2 * runCount; i += 2) {
            in.copy(runs[i], runs[i + 1], properties, at);
            at += runs[i + 1] - runs[i];
        }
        return properties;
    }
}
