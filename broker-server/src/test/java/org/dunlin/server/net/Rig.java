package org.dunlin.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.LeakPresenceDetector;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.core.spi.Connection;
import org.dunlin.core.spi.DropReason;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Ingress;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.codec.PacketDecoder;
import org.dunlin.mqtt.codec.PacketEncoder;
import org.dunlin.server.net.entry.AutoLayer;
import org.dunlin.server.net.entry.ProxyLayer;
import org.dunlin.server.net.tls.CertificateWatch;
import org.dunlin.server.net.tls.Pair;
import org.dunlin.server.net.tls.TlsProvider;
import org.dunlin.server.net.tls.TlsSettings;
import org.dunlin.server.net.websocket.WebSocketLayer;
import org.dunlin.server.share.AddressBlock;
import org.dunlin.server.share.Addresses;
import org.jspecify.annotations.Nullable;

/** Loops, a listener and scripted protocols over real sockets; closing it checks that nothing is left. */
final class Rig implements AutoCloseable {
    static final long WAIT_MILLIS = 20_000;
    static final int[] NO_IDS = {};

    /** What lies between socket and MQTT. */
    enum Layer {
        PLAIN,
        TLS,
        WEBSOCKET,
        TLS_WEBSOCKET,
        /** A header of the PROXY protocol, and then TLS and WebSocket that are recognised. */
        RECOGNISED,
        // The same with TLS of BoringSSL, where that is.
        BORING_TLS,
        BORING_TLS_WEBSOCKET,
        BORING_RECOGNISED;

        boolean boring() {
            return this == BORING_TLS || this == BORING_TLS_WEBSOCKET || this == BORING_RECOGNISED;
        }

        boolean tls() {
            return this == TLS || this == TLS_WEBSOCKET || this == RECOGNISED || boring();
        }

        boolean webSocket() {
            return this == WEBSOCKET || this == TLS_WEBSOCKET || this == BORING_TLS_WEBSOCKET || recognised();
        }

        boolean recognised() {
            return this == RECOGNISED || this == BORING_RECOGNISED;
        }
    }

    /** What the budget is told that buffers take. */
    volatile long buffers;

    /** Tests may use it up. */
    final MemoryBudget memory = new MemoryBudget(1 << 30, WAIT_MILLIS, () -> buffers, (exhausted, used, limit) -> {});

    final NettyLoops loops;
    final Listeners listeners;
    final InetSocketAddress address;
    final Layer layer;
    private final List<org.dunlin.server.net.Layer> layers;
    final Queue<Probe> probes = new ConcurrentLinkedQueue<>();
    final Queue<String> refused = new ConcurrentLinkedQueue<>();

    /** Assertions and the like that failed on a loop: the test has failed, whatever else it saw. */
    private final Queue<Throwable> errors = new ConcurrentLinkedQueue<>();

    /** What the process would have ended with. */
    volatile int status;

    private final Queue<Client> clients = new ConcurrentLinkedQueue<>();

    /**
     * What else there may be to say of it.
     *
     * @param layers between socket and MQTT; null for those that its clients' layer needs
     * @param turnNanos as for {@link NettyLoops}; with 0 every step is the last of its turn, so that all that can go on in the
     *     next one does
     */
    record Setting(
            @Nullable List<org.dunlin.server.net.Layer> layers,
            Limits limits,
            Addresses addresses,
            int maxConnections,
            long turnNanos) {
        static final Setting DEFAULTS = of(Limits.DEFAULTS);

        static Setting of(Limits limits) {
            return new Setting(null, limits, Addresses.unlimited(), Integer.MAX_VALUE, 0);
        }

        Setting layers(List<org.dunlin.server.net.Layer> others) {
            return new Setting(others, limits, addresses, maxConnections, turnNanos);
        }

        Setting addresses(Addresses others) {
            return new Setting(layers, limits, others, maxConnections, turnNanos);
        }

        Setting maxConnections(int other) {
            return new Setting(layers, limits, addresses, other, turnNanos);
        }

        Setting turnNanos(long other) {
            return new Setting(layers, limits, addresses, maxConnections, other);
        }
    }

    /** @param layer how its clients speak */
    Rig(Transport transport, Layer layer, Setting setting, Function<Probe, Consumer<Packet>> script) throws Exception {
        this.layer = layer;
        this.layers = setting.layers != null ? setting.layers : layers(layer);
        loops = new NettyLoops(
                transport,
                2,
                System::currentTimeMillis,
                new Failures(this::failed, halted -> status = halted),
                setting.turnNanos);
        listeners = new Listeners(loops, setting.limits, memory, setting.addresses, events(), connection -> {
            Probe probe = new Probe(connection, loops);
            probe.script = script.apply(probe);
            probes.add(probe);
            return probe;
        });
        address = listeners.open(new Listener("test", "127.0.0.1", 0, 128, setting.maxConnections, layers));
    }

    Rig(Transport transport, Layer layer, Function<Probe, Consumer<Packet>> script) throws Exception {
        this(transport, layer, Setting.DEFAULTS, script);
    }

    /** Whatever comes is answered by the same message; the terms are agreed on CONNECT. */
    static Consumer<Packet> echo(Probe probe) {
        return packet -> {
            if (packet instanceof Connect connect) {
                probe.agree(connect.version());
            } else if (packet instanceof Publish publish) {
                probe.echo(publish);
            }
        };
    }

    /** Whoever waits for an answer need not wait any longer. */
    private void failed(Throwable failure) {
        if (failure instanceof Error) {
            errors.add(failure);
            clients.forEach(Client::abandon);
        }
    }

    private BrokerEvents events() {
        return new BrokerEvents() {
            @Override
            public void connected(Peer peer, boolean present, int keepAliveSeconds, long sessionExpirySeconds) {}

            @Override
            public void refused(Peer peer, ReasonCode reason, String detail) {
                refused.add(detail);
            }

            @Override
            public void disconnected(Peer peer, String by, ReasonCode reason, String detail) {}

            @Override
            public void dropped(String clientId, TopicName topic, DropReason reason) {}

            @Override
            public void discarded(String clientId, long messages, DropReason reason) {}

            @Override
            public void unreadable(String filter, String cause) {}

            @Override
            public void denied(Peer peer, String what, ReasonCode reason, String detail) {}
        };
    }

    Client connect() throws Exception {
        Client client = new Client(address, layer);
        clients.add(client);
        if (!errors.isEmpty()) {
            client.abandon();
        }
        return client;
    }

    Probe probe() {
        await("a connection", () -> !probes.isEmpty());
        return probes.element();
    }

    /** That of the connection which came after so many others. */
    Probe probe(int before) {
        await("a connection", () -> probes.size() > before);
        return List.copyOf(probes).get(before);
    }

    @Override
    public void close() {
        listeners.close();
        int open = listeners.connections();
        loops.close();
        layers.forEach(org.dunlin.server.net.Layer::close);
        if (!errors.isEmpty()) {
            AssertionError failed = new AssertionError("an error on an event loop: " + errors.element());
            errors.forEach(failed::addSuppressed);
            throw failed;
        }
        assertEquals(0, open, "open sockets");
        for (Probe probe : probes) {
            assertEquals(List.of(), List.copyOf(probe.faults));
            assertEquals(1, probe.closed, "closed() of " + probe.connection.peer());
        }
        LeakPresenceDetector.check();
    }

    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(WAIT_MILLIS);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                fail("waited in vain for " + what);
            }
            Thread.onSpinWait();
            Thread.yield();
        }
    }

    /** Records what a connection tells, and whether it tells it on the right thread. */
    static final class Probe implements Connection.Inbound {
        final Connection connection;
        final NettyLoops loops;
        final Queue<String> faults = new ConcurrentLinkedQueue<>();
        final Queue<Packet> packets = new ConcurrentLinkedQueue<>();
        Consumer<Packet> script = packet -> {};
        Runnable whenRead = () -> {};
        Runnable whenAccumulating = () -> {};
        Runnable whenWritable = () -> {};
        Runnable whenClosed = () -> {};
        Runnable whenViolated = () -> {};
        volatile int closed;
        volatile int writable;
        volatile int moves;
        volatile int reads;
        volatile @Nullable String cause;
        volatile @Nullable ReasonCode violation;

        Probe(Connection connection, NettyLoops loops) {
            this.connection = connection;
            this.loops = loops;
        }

        private void onLoop(String what) {
            if (!connection.loop().inLoop()) {
                faults.add(what + " on a wrong thread: " + Thread.currentThread());
            }
            if (closed > 0) {
                faults.add(what + " after closed");
            }
        }

        @Override
        public void received(Packet packet) {
            onLoop("received");
            packets.add(packet);
            script.accept(packet);
        }

        @Override
        @SuppressWarnings("NonAtomicOperationOnVolatileField")
        public void readComplete() {
            onLoop("readComplete");
            reads++;
            whenRead.run();
        }

        @Override
        public void accumulating() {
            onLoop("accumulating");
            whenAccumulating.run();
        }

        @Override
        public void violated(ReasonCode reason, String detail) {
            onLoop("violated");
            violation = reason;
            whenViolated.run();
        }

        @Override
        @SuppressWarnings("NonAtomicOperationOnVolatileField")
        public void writable() {
            onLoop("writable");
            writable++;
            whenWritable.run();
        }

        @Override
        @SuppressWarnings("NonAtomicOperationOnVolatileField")
        public void closed(@Nullable String told) {
            onLoop("closed");
            cause = told;
            closed++;
            whenClosed.run();
        }

        void agree(ProtocolVersion version) {
            connection.agree(terms(version));
        }

        static Connection.Terms terms(ProtocolVersion version) {
            return new Connection.Terms(version, Long.MAX_VALUE, 0, 0, 10 << 20, true, Ingress.NONE);
        }

        void echo(Publish publish) {
            deliver(publish.message());
        }

        void deliver(Message message) {
            connection.deliver(message, Qos.AT_MOST_ONCE, false, false, 0, NO_IDS);
        }

        NettyLoop otherLoop() {
            return connection.loop() == loops.all().get(0)
                    ? loops.all().get(1)
                    : loops.all().get(0);
        }

        @SuppressWarnings("NonAtomicOperationOnVolatileField")
        void move(Runnable arrived) {
            NettyLoop target = otherLoop();
            connection.moveTo(target, () -> {
                onLoop("arrived");
                if (connection.loop() != target) {
                    faults.add("arrived elsewhere");
                }
                moves++;
                arrived.run();
            });
        }

        /** Runs something on the loop that the connection lives on. */
        void run(Runnable task) {
            connection.loop().execute(task);
        }
    }

    // ---------------------------------------------------------------------------------------------------- client

    static ByteBuf encode(Packet packet) {
        ByteBuf out = Unpooled.buffer();
        new PacketEncoder(PacketDecoder.Role.CLIENT)
                .version(ProtocolVersion.MQTT_3_1_1)
                .encode(packet, out);
        return out;
    }

    static byte[] bytes(Packet packet) {
        ByteBuf out = encode(packet);
        byte[] bytes = new byte[out.readableBytes()];
        out.readBytes(bytes);
        return bytes;
    }

    static byte[] connectBytes() {
        return bytes(Connect.builder(ProtocolVersion.MQTT_3_1_1, "c").build());
    }

    static Message message(int size, int seed) {
        byte[] payload = new byte[size];
        for (int i = 0; i < size; i++) {
            payload[i] = (byte) (seed * 31 + i * 7);
        }
        return new Message(
                0,
                "",
                TopicName.of("t/" + seed % 10),
                payload,
                Qos.AT_MOST_ONCE,
                false,
                Message.NEVER,
                Message.NO_BYTES);
    }

    static byte[] publishBytes(int size, int seed) {
        return bytes(new Publish(message(size, seed), 0, false));
    }

    /** PUBLISHes of that many bytes in all, or a little more. */
    static byte[] stream(int bytes, int seed) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int i = 0; all.size() < bytes; i++) {
            all.writeBytes(publishBytes((i * 37 + seed) % 700, i + seed));
        }
        return all.toByteArray();
    }

    static byte[] join(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    /** A blocking client that sends bytes and reads bytes through the layer. */
    static final class Client implements AutoCloseable {
        final Socket socket;
        private static final String PROXY_HEADER = "PROXY TCP4 192.0.2.7 192.0.2.1 4711 8883\r\n";

        private final Layer layer;
        private final InputStream in;
        private final OutputStream out;
        private byte[] frame = {};
        private int framePosition;

        Client(InetSocketAddress address, Layer layer) throws Exception {
            this.layer = layer;
            Socket plain = new Socket();
            plain.connect(address);
            if (layer.recognised()) {
                plain.getOutputStream().write(PROXY_HEADER.getBytes(StandardCharsets.US_ASCII));
            }
            socket = layer.tls()
                    ? Pair.client(null)
                            .getSocketFactory()
                            .createSocket(plain, address.getHostString(), address.getPort(), true)
                    : plain;
            socket.setTcpNoDelay(true);
            socket.setSoTimeout((int) WAIT_MILLIS);
            in = socket.getInputStream();
            out = socket.getOutputStream();
            if (layer.webSocket()) {
                upgrade();
            }
        }

        private void upgrade() throws IOException {
            out.write(("GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            + "Sec-WebSocket-Key: " + Base64.getEncoder().encodeToString(new byte[16])
                            + "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
            StringBuilder head = new StringBuilder();
            while (head.indexOf("\r\n\r\n") < 0) {
                int b = in.read();
                if (b < 0) {
                    fail("no answer to the upgrade: " + head);
                }
                head.append((char) b);
            }
            if (!head.toString().startsWith("HTTP/1.1 101")) {
                fail(head.toString());
            }
        }

        void send(byte[] bytes) throws IOException {
            if (!layer.webSocket()) {
                out.write(bytes);
                out.flush();
                return;
            }
            ByteArrayOutputStream frames = new ByteArrayOutputStream();
            for (int from = 0; from < bytes.length; from += 50_000) {
                int length = Math.min(50_000, bytes.length - from);
                frames.write(0x82);
                if (length < 126) {
                    frames.write(0x80 | length);
                } else {
                    frames.write(0x80 | 126);
                    frames.write(length >> 8);
                    frames.write(length);
                }
                frames.writeBytes(new byte[4]); // a mask of zeros
                frames.write(bytes, from, length);
            }
            out.write(frames.toByteArray());
            out.flush();
        }

        /** That many bytes, fewer if the peer ends first. */
        byte[] read(int count) throws IOException {
            if (!layer.webSocket()) {
                return in.readNBytes(count);
            }
            byte[] bytes = new byte[count];
            int have = 0;
            while (have < count) {
                if (framePosition == frame.length && !readFrame()) {
                    return java.util.Arrays.copyOf(bytes, have);
                }
                int n = Math.min(count - have, frame.length - framePosition);
                System.arraycopy(frame, framePosition, bytes, have, n);
                framePosition += n;
                have += n;
            }
            return bytes;
        }

        private boolean readFrame() throws IOException {
            int first = in.read();
            if (first < 0 || (first & 0x0f) == 8) {
                return false;
            }
            long length = in.read();
            if (length >= 126) {
                int more = length == 126 ? 2 : 8;
                length = 0;
                for (int i = 0; i < more; i++) {
                    length = length << 8 | in.read();
                }
            }
            frame = in.readNBytes((int) length);
            framePosition = 0;
            return true;
        }

        /** What comes until the peer ends. */
        byte[] readAll() throws IOException {
            if (!layer.webSocket()) {
                return in.readAllBytes();
            }
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            byte[] one = read(1);
            while (one.length > 0) {
                all.writeBytes(one);
                one = read(1);
            }
            return all.toByteArray();
        }

        void abandon() {
            try {
                socket.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Ends with a RST. */
        void reset() throws IOException {
            socket.setSoLinger(true, 0);
            socket.close();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    // ---------------------------------------------------------------------------------------------------- layers

    /** One certificate for all; each rig has contexts of its own, so that it can count what they take. */
    private static final class Tls {
        private static final CertificateWatch JAVA = new CertificateWatch(Duration.ofHours(1), TlsProvider.JDK);
        private static final CertificateWatch BORING = new CertificateWatch(Duration.ofHours(1), TlsProvider.AUTO);
        private static final TlsSettings SETTINGS;

        static {
            try {
                Path folder = Files.createTempDirectory("dunlin-net");
                folder.toFile().deleteOnExit();
                SETTINGS = Pair.make("localhost").settings(folder);
                try (Stream<Path> files = Files.list(folder)) {
                    files.forEach(file -> file.toFile().deleteOnExit());
                }
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }

        static org.dunlin.server.net.Layer layer(Layer layer) throws ListenException {
            return (layer.boring() ? BORING : JAVA).open("test", SETTINGS);
        }

        private Tls() {}
    }

    private static List<org.dunlin.server.net.Layer> layers(Layer layer) throws ListenException {
        List<org.dunlin.server.net.Layer> layers = new ArrayList<>();
        if (layer.recognised()) {
            AddressBlock here = Objects.requireNonNull(AddressBlock.parse("127.0.0.0/8"));
            layers.add(new ProxyLayer(ProxyLayer.Demand.AUTO, List.of(here)));
            layers.add(new AutoLayer(
                    EnumSet.allOf(AutoLayer.Kind.class),
                    Tls.layer(layer),
                    new WebSocketLayer("/mqtt", List.of(), Limits.DEFAULTS::maxPacketSizeBytes)));
            return layers;
        }
        if (layer.tls()) {
            layers.add(Tls.layer(layer));
        }
        if (layer.webSocket()) {
            layers.add(new WebSocketLayer("/mqtt", List.of(), Limits.DEFAULTS::maxPacketSizeBytes));
        }
        return layers;
    }
}
