package org.dunlin.core.session;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.dunlin.core.spi.DropReason;
import org.dunlin.core.spi.Store;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/** The test's thread only. The owner of a queue, with a store in which pages wait until the test lets them come. */
final class ScriptedPages implements MessageQueue.Owner {
    private static final TopicName TOPIC = TopicName.of("t");

    /** What the store holds, by place. */
    final TreeMap<Long, Store.Stored> store = new TreeMap<>();
    /** What was dropped, as "name reason". */
    final List<String> drops = new ArrayList<>();
    /** Places that pages were asked for, as "after-through". */
    final List<String> asked = new ArrayList<>();
    /** What pages have failed with. */
    final List<String> failures = new ArrayList<>();

    /** What the next page fails with, if it does. */
    @Nullable
    String failure;

    /** The next page is read when it is let come, and told when it is let come once more. */
    boolean late;

    private final ArrayDeque<Runnable> pages = new ArrayDeque<>();
    private long lastSeq;
    int loaded;

    static String name(Message message) {
        return new String(message.payload(), StandardCharsets.UTF_8);
    }

    static Message message(String name) {
        return message(name, Message.NEVER);
    }

    static Message message(String name, long expiresAt) {
        byte[] payload = name.getBytes(StandardCharsets.UTF_8);
        return new Message(1, "p", TOPIC, payload, Qos.EXACTLY_ONCE, false, expiresAt, Message.NO_BYTES);
    }

    /** What is not stored at all. */
    static Outgoing unstored(String name) {
        return new Outgoing(message(name), Qos.EXACTLY_ONCE, false, new int[0], 0, 0, null);
    }

    Outgoing stored(String name) {
        return stored(message(name));
    }

    /** Gives it a place and keeps it. */
    Outgoing stored(Message message) {
        long seq = ++lastSeq;
        store.put(seq, new Store.Stored(seq, 0, message, Qos.EXACTLY_ONCE, false, new int[0]));
        return new Outgoing(message, Qos.EXACTLY_ONCE, false, new int[0], seq, 0, null);
    }

    /** Acknowledged, or dropped. */
    void done(long seq) {
        store.remove(seq);
    }

    int pagesWaiting() {
        return pages.size();
    }

    /** Lets the next page come, as the store is now. */
    void page() {
        pages.remove().run();
    }

    void allPages() {
        while (!pages.isEmpty()) {
            page();
        }
    }

    @Override
    public void dropped(Outgoing message, DropReason reason) {
        drops.add(name(message.message()) + " " + reason);
        if (message.seq > 0) {
            done(message.seq);
        }
    }

    @Override
    public void read(long afterSeq, long throughSeq, int maxMessages, long maxBytes, Store.Page page) {
        asked.add(afterSeq + "-" + throughSeq);
        pages.add(() -> readNow(afterSeq, throughSeq, maxMessages, maxBytes, page));
    }

    private void readNow(long afterSeq, long throughSeq, int maxMessages, long maxBytes, Store.Page page) {
        if (failure != null) {
            String cause = failure;
            failure = null;
            page.read(List.of(), true, cause);
            return;
        }
        List<Store.Stored> read = new ArrayList<>();
        long bytes = 0;
        boolean more = false;
        for (Store.Stored stored :
                store.subMap(afterSeq, false, throughSeq, true).values()) {
            bytes += stored.message().weight();
            if (read.size() == maxMessages || !read.isEmpty() && bytes > maxBytes) {
                more = true;
                break;
            }
            read.add(stored);
        }
        boolean others = more;
        if (late) {
            late = false;
            pages.addFirst(() -> page.read(read, others, null));
        } else {
            page.read(read, others, null);
        }
    }

    @Override
    public void loaded() {
        loaded++;
    }

    @Override
    public void failed(String cause) {
        failures.add(cause);
    }
}
