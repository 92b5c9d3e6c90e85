package org.dunlin.persistence.rocksdb;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Where things lie: column families and their keys, all integers big-endian, so that keys sort as the numbers do. Any thread.
 *
 * <pre>
 * default   name                          reserved identifiers, owners that are to be cleared away
 * session   sid                           a session or a shared group
 * sub       sid | filter                  subscription
 * queue     sid | seq                     one message of a queue: itself, or which body
 * msg       body                          a message that several queues share, or that is large
 * flow      sid | kind | packet id or seq the packet identifiers of QoS 2
 * retained  topic                         stamp and message
 * timer     due | id                      message to be published later
 * </pre>
 */
public final class Layout {
    /** Of this layout; raised when a store of it could not be read by the version before. */
    public static final int NUMBER = 1;

    /** Kinds of {@link Family#FLOW}. */
    public static final byte RELEASED = 0;

    public static final byte INBOUND = 1;
    public static final byte NUMBERED = 2;

    /** The first identifier that is not reserved yet. */
    public static final byte[] IDS = "ids".getBytes(StandardCharsets.US_ASCII);

    private static final byte[] GONE = "gone:".getBytes(StandardCharsets.US_ASCII);

    private Layout() {}

    /** The column families, in the order of their handles. */
    public enum Family {
        META("default"),
        SESSION("session"),
        SUBSCRIPTION("sub"),
        QUEUE("queue"),
        BODY("msg"),
        FLOW("flow"),
        RETAINED("retained"),
        TIMER("timer");

        public final byte[] label;

        Family(String label) {
            this.label = label.getBytes(StandardCharsets.US_ASCII);
        }
    }

    public static byte[] key(long number) {
        return ByteBuffer.allocate(8).putLong(number).array();
    }

    public static byte[] key(long first, long second) {
        return ByteBuffer.allocate(16).putLong(first).putLong(second).array();
    }

    public static byte[] key(long sid, byte[] rest) {
        return ByteBuffer.allocate(8 + rest.length).putLong(sid).put(rest).array();
    }

    public static byte[] flow(long sid, byte kind, int packetId) {
        return ByteBuffer.allocate(11)
                .putLong(sid)
                .put(kind)
                .putShort((short) packetId)
                .array();
    }

    public static byte[] numbered(long sid, long seq) {
        return ByteBuffer.allocate(17).putLong(sid).put(NUMBERED).putLong(seq).array();
    }

    /** Says that what is left of an owner is to be cleared away. */
    public static byte[] gone(long sid) {
        return ByteBuffer.allocate(GONE.length + 8).put(GONE).putLong(sid).array();
    }

    /** The owner that a key of {@link #gone} is of, or -1 if it is of something else. */
    public static long goneSid(byte[] key) {
        if (key.length != GONE.length + 8) {
            return -1;
        }
        for (int i = 0; i < GONE.length; i++) {
            if (key[i] != GONE[i]) {
                return -1;
            }
        }
        return number(key, GONE.length);
    }

    public static long number(byte[] key, int at) {
        return ByteBuffer.wrap(key).getLong(at);
    }
}
