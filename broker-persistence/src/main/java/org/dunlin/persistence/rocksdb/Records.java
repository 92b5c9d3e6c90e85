package org.dunlin.persistence.rocksdb;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.dunlin.core.spi.SessionRecord;
import org.dunlin.core.spi.Store.Stored;
import org.dunlin.core.spi.StoreBatch.SubscriptionRecord;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Will;
import org.dunlin.persistence.Contents;
import org.jspecify.annotations.Nullable;

/** Values to bytes and back. Each begins with the version of its record; integers are big-endian. Any thread. */
public final class Records {
    public static final byte VERSION = 1;

    /** How much of a queue value says what it weighs and where its body is. */
    public static final int QUEUE_HEAD = 14;

    /** What a queue value has at least: its head with the message behind it, or {@link #QUEUE_HEAD} and identifiers. */
    static final int LEAST_QUEUED = QUEUE_HEAD + 2;

    /** A message in more than one queue is kept once if it is larger than what that costs, a large one always. */
    private static final int SHARED_OVER = 100;

    private static final int APART_OVER = 1024;

    private static final int WEIGHT_AT = 2;
    private static final int BODY_AT = 6;
    private static final int APART = 8;
    private static final int RETAIN = 4;
    private static final int HAS_EXPIRY = 8;
    private static final byte SESSION = 1;
    private static final byte GROUP = 2;

    private Records() {}

    /** A value that cannot be what was written: damaged, or of a version that is not known here. */
    public static final class Unreadable extends Exception {
        private static final long serialVersionUID = 1L;

        public Unreadable(String message) {
            super(message);
        }
    }

    /**
     * Publishers that were read of late: a million messages of one shall not have a million copies of its name. Threads may
     * miss what others have put in.
     */
    private record Name(byte[] utf8, String text) {
        private static final int LONGEST = 64;
        private static final Name[] OF_LATE = new Name[256];

        static String of(byte[] utf8) {
            if (utf8.length > LONGEST) {
                return new String(utf8, StandardCharsets.UTF_8);
            }
            int hash = Arrays.hashCode(utf8);
            int at = (hash ^ hash >>> 16) & OF_LATE.length - 1;
            Name name = OF_LATE[at];
            if (name == null || !Arrays.equals(name.utf8, utf8)) {
                name = new Name(utf8, new String(utf8, StandardCharsets.UTF_8));
                OF_LATE[at] = name;
            }
            return name.text;
        }
    }

    /** What is kept of an owner: one of the two. */
    public record OwnerRecord(
            long generation,
            @Nullable SessionRecord session,
            @Nullable String group) {}

    /** A retained message and its stamp. */
    public record Retained(long stamp, Message message) {}

    public static boolean isApart(Message message, int queues) {
        int size = message.payload().length + message.properties().length;
        return size > APART_OVER || queues > 1 && size > SHARED_OVER;
    }

    public static byte[] message(Message message) {
        byte[] publisher = message.publisher().getBytes(StandardCharsets.UTF_8);
        ByteBuffer out = ByteBuffer.allocate(1 + sizeOf(message, publisher));
        put(out.put(VERSION), message, publisher);
        return out.array();
    }

    public static Message message(byte[] value) throws Unreadable {
        ByteBuffer in = open(value, "a message");
        try {
            return takeMessage(in);
        } catch (BufferUnderflowException | IndexOutOfBoundsException | IllegalArgumentException e) {
            throw cut("a message", value);
        }
    }

    public static byte[] retained(long stamp, Message message) {
        byte[] publisher = message.publisher().getBytes(StandardCharsets.UTF_8);
        ByteBuffer out = ByteBuffer.allocate(9 + sizeOf(message, publisher));
        put(out.put(VERSION).putLong(stamp), message, publisher);
        return out.array();
    }

    public static Retained retained(byte[] value) throws Unreadable {
        ByteBuffer in = open(value, "a retained message");
        try {
            return new Retained(in.getLong(), takeMessage(in));
        } catch (BufferUnderflowException | IndexOutOfBoundsException | IllegalArgumentException e) {
            throw cut("a retained message", value);
        }
    }

    /** A queue value with the message in it, or, if apart, with room for {@link #setBody}. */
    public static byte[] queued(Message message, Qos qos, boolean retain, int[] subscriptionIds, boolean apart) {
        byte[] publisher = apart ? Message.NO_BYTES : message.publisher().getBytes(StandardCharsets.UTF_8);
        int size = (apart ? QUEUE_HEAD : BODY_AT) + 2 + 4 * subscriptionIds.length;
        ByteBuffer out = ByteBuffer.allocate(apart ? size : size + sizeOf(message, publisher));
        out.put(VERSION).put((byte) (qos.value() | (retain ? RETAIN : 0) | (apart ? APART : 0)));
        out.putInt(message.weight());
        if (apart) {
            out.putLong(0);
        }
        out.putShort((short) subscriptionIds.length);
        for (int id : subscriptionIds) {
            out.putInt(id);
        }
        if (!apart) {
            put(out, message, publisher);
        }
        return out.array();
    }

    /** A queue value whose message is kept elsewhere. */
    public static byte[] reference(Contents.Reference to) {
        ByteBuffer out = ByteBuffer.allocate(QUEUE_HEAD + 2 + 4 * to.subscriptionIds().length);
        out.put(VERSION).put((byte) (to.qos().value() | (to.retain() ? RETAIN : 0) | APART));
        out.putInt(to.weight()).putLong(to.body()).putShort((short) to.subscriptionIds().length);
        for (int id : to.subscriptionIds()) {
            out.putInt(id);
        }
        return out.array();
    }

    public static void setBody(byte[] queued, long body) {
        ByteBuffer.wrap(queued).putLong(BODY_AT, body);
    }

    /** What the message weighs that this value, or the first {@link #QUEUE_HEAD} bytes of it, is about. */
    public static int weight(ByteBuffer queued) throws Unreadable {
        check(queued.get(0), "a queued message");
        return queued.getInt(WEIGHT_AT);
    }

    /** The body of a queue value, of which the first {@link #QUEUE_HEAD} bytes suffice; 0 if it is in the value. */
    public static long body(ByteBuffer queued) {
        return (queued.get(1) & APART) == 0 ? 0 : queued.getLong(BODY_AT);
    }

    /** Whether the message of a queue value is kept elsewhere. */
    public static boolean isReference(byte[] queued) {
        return (queued[1] & APART) != 0;
    }

    /** @param apart the message if it is not in the value, else null */
    public static Stored queued(long seq, byte[] value, @Nullable Message apart) throws Unreadable {
        ByteBuffer in = open(value, "a queued message");
        try {
            int flags = in.get();
            in.getInt();
            long body = (flags & APART) == 0 ? 0 : in.getLong();
            int[] ids = new int[in.getShort() & 0xFFFF];
            for (int i = 0; i < ids.length; i++) {
                ids[i] = in.getInt();
            }
            Message message = apart == null ? takeMessage(in) : apart;
            return new Stored(seq, body, message, Qos.of(flags & 3), (flags & RETAIN) != 0, ids);
        } catch (BufferUnderflowException | IndexOutOfBoundsException | IllegalArgumentException e) {
            throw cut("a queued message", value);
        }
    }

    public static byte[] session(long generation, SessionRecord session) {
        byte[] clientId = session.clientId().getBytes(StandardCharsets.UTF_8);
        String name = session.userName();
        byte[] userName = name == null ? null : name.getBytes(StandardCharsets.UTF_8);
        Will will = session.will();
        int size = 44 + 4 + clientId.length + 4 + (userName == null ? 0 : userName.length) + 1;
        if (will != null) {
            size += 29 + will.topic().utf8().length + will.properties().length + will.payload().length;
        }
        ByteBuffer out = ByteBuffer.allocate(size);
        out.put(VERSION).put(SESSION).putLong(generation);
        out.put((byte) session.version().level()).put((byte) (session.connected() ? 1 : 0));
        out.putLong(session.expirySeconds()).putLong(session.expiresAtMillis()).putLong(session.willDueAtMillis());
        out.putLong(session.sentThrough());
        putBytes(out, clientId);
        if (userName == null) {
            out.putInt(-1);
        } else {
            putBytes(out, userName);
        }
        out.put((byte) (will == null ? 0 : 1));
        if (will != null) {
            out.put((byte) (will.qos().value() | (will.retain() ? RETAIN : 0)));
            out.putLong(will.expirySeconds()).putLong(will.delaySeconds());
            putBytes(out, will.topic().utf8());
            putBytes(out, will.properties());
            putBytes(out, will.payload());
        }
        return out.array();
    }

    public static byte[] group(String filter) {
        byte[] text = filter.getBytes(StandardCharsets.UTF_8);
        ByteBuffer out = ByteBuffer.allocate(6 + text.length);
        putBytes(out.put(VERSION).put(GROUP), text);
        return out.array();
    }

    public static OwnerRecord owner(byte[] value) throws Unreadable {
        ByteBuffer in = open(value, "a session");
        try {
            byte kind = in.get();
            if (kind == GROUP) {
                return new OwnerRecord(0, null, takeText(in));
            }
            if (kind != SESSION) {
                throw new Unreadable("an owner is of the unknown kind " + kind);
            }
            long generation = in.getLong();
            return new OwnerRecord(generation, takeSession(in), null);
        } catch (BufferUnderflowException | IndexOutOfBoundsException | IllegalArgumentException e) {
            throw cut("a session", value);
        }
    }

    private static SessionRecord takeSession(ByteBuffer in) {
        ProtocolVersion version = version(in.get());
        boolean connected = in.get() != 0;
        long expirySeconds = in.getLong();
        long expiresAtMillis = in.getLong();
        long willDueAtMillis = in.getLong();
        long sentThrough = in.getLong();
        String clientId = takeText(in);
        int length = in.getInt();
        String userName = length < 0 ? null : new String(take(in, length), StandardCharsets.UTF_8);
        Will will = in.get() == 0 ? null : takeWill(in);
        return new SessionRecord(
                clientId,
                userName,
                version,
                connected,
                expirySeconds,
                expiresAtMillis,
                will,
                willDueAtMillis,
                sentThrough);
    }

    private static ProtocolVersion version(int level) {
        for (ProtocolVersion version : ProtocolVersion.values()) {
            if (version.level() == level) {
                return version;
            }
        }
        return ProtocolVersion.MQTT_5;
    }

    private static Will takeWill(ByteBuffer in) {
        int flags = in.get();
        long expirySeconds = in.getLong();
        long delaySeconds = in.getLong();
        TopicName topic = topic(take(in, in.getInt()));
        byte[] properties = take(in, in.getInt());
        byte[] payload = take(in, in.getInt());
        return new Will(
                topic, payload, Qos.of(flags & 3), (flags & RETAIN) != 0, properties, expirySeconds, delaySeconds);
    }

    public static byte[] subscription(SubscriptionRecord subscription) {
        int flags = subscription.qos().value()
                | (subscription.noLocal() ? 4 : 0)
                | (subscription.retainAsPublished() ? 8 : 0);
        ByteBuffer out = ByteBuffer.allocate(6);
        return out.put(VERSION)
                .put((byte) flags)
                .putInt(subscription.subscriptionId())
                .array();
    }

    public static SubscriptionRecord subscription(String filter, byte[] value) throws Unreadable {
        ByteBuffer in = open(value, "a subscription");
        try {
            int flags = in.get();
            return new SubscriptionRecord(filter, Qos.of(flags & 3), (flags & 4) != 0, (flags & 8) != 0, in.getInt());
        } catch (BufferUnderflowException | IndexOutOfBoundsException | IllegalArgumentException e) {
            throw cut("a subscription", value);
        }
    }

    public static byte[] number(long number) {
        return ByteBuffer.allocate(9).put(VERSION).putLong(number).array();
    }

    public static long number(byte[] value, String what) throws Unreadable {
        ByteBuffer in = open(value, what);
        if (in.remaining() < 8) {
            throw cut(what, value);
        }
        return in.getLong();
    }

    private static int sizeOf(Message message, byte[] publisher) {
        return 9
                + (message.hasExpiry() ? 8 : 0)
                + 12
                + publisher.length
                + message.topic().utf8().length
                + message.properties().length
                + message.payload().length;
    }

    private static void put(ByteBuffer out, Message message, byte[] publisher) {
        out.putLong(message.id());
        out.put((byte)
                (message.qos().value() | (message.retain() ? RETAIN : 0) | (message.hasExpiry() ? HAS_EXPIRY : 0)));
        if (message.hasExpiry()) {
            out.putLong(message.expiresAtMillis());
        }
        putBytes(out, publisher);
        putBytes(out, message.topic().utf8());
        putBytes(out, message.properties());
        out.put(message.payload());
    }

    private static Message takeMessage(ByteBuffer in) {
        long id = in.getLong();
        int flags = in.get();
        long expiresAtMillis = (flags & HAS_EXPIRY) == 0 ? Message.NEVER : in.getLong();
        String publisher = Name.of(take(in, in.getInt()));
        TopicName topic = topic(take(in, in.getInt()));
        byte[] properties = take(in, in.getInt());
        byte[] payload = take(in, in.remaining());
        return new Message(
                id, publisher, topic, payload, Qos.of(flags & 3), (flags & RETAIN) != 0, expiresAtMillis, properties);
    }

    private static TopicName topic(byte[] utf8) {
        return TopicName.ofChecked(new String(utf8, StandardCharsets.UTF_8), utf8);
    }

    private static void putBytes(ByteBuffer out, byte[] bytes) {
        out.putInt(bytes.length).put(bytes);
    }

    private static String takeText(ByteBuffer in) {
        return new String(take(in, in.getInt()), StandardCharsets.UTF_8);
    }

    private static byte[] take(ByteBuffer in, int length) {
        if (length == 0) {
            return Message.NO_BYTES;
        }
        if (length < 0 || length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }

    private static ByteBuffer open(byte[] value, String what) throws Unreadable {
        if (value.length == 0) {
            throw cut(what, value);
        }
        ByteBuffer in = ByteBuffer.wrap(value);
        check(in.get(), what);
        return in;
    }

    private static void check(byte version, String what) throws Unreadable {
        if (version != VERSION) {
            throw new Unreadable("the record of " + what + " has version " + version + ", known here is " + VERSION
                    + ": a newer Dunlin wrote it, or it is damaged");
        }
    }

    private static Unreadable cut(String what, byte[] value) {
        return new Unreadable("the record of " + what + " is damaged (" + value.length + " bytes)");
    }
}
