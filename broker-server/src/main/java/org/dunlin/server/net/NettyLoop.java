package org.dunlin.server.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoop;
import io.netty.channel.SingleThreadEventLoop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.dunlin.core.spi.Loop;
import org.dunlin.mqtt.codec.Frame;
import org.dunlin.mqtt.codec.OutboundTerms;
import org.dunlin.mqtt.codec.PacketEncoder;
import org.dunlin.mqtt.codec.PublishWriter;
import org.jspecify.annotations.Nullable;

/**
 * Any thread for what {@link Loop} promises, the loop's own thread for the rest. One Netty event loop with the end of its
 * turns: tasks given for it, then one flush of every connection that was written to. What a turn has no time for goes on in the
 * next one, first what is new: input of connections that have had their share, flushes when there are very many. Whatever a task
 * throws is reported to {@link Failures} and ends that task alone; Netty would let a timer's failure pass without a word.
 */
public final class NettyLoop implements Loop {
    private final EventLoop eventLoop;
    private final LongSupplier nowMillis;
    private final Failures failures;
    private final PublishWriter publishWriter = new PublishWriter();
    private final PacketEncoder encoder = new PacketEncoder();
    private final Frame frame = new Frame();
    private final Traffic traffic = new Traffic();
    private final LoopLag lag;
    private final Runnable endTurn = () -> run(this::endTurn);
    private ArrayList<Runnable> tasks = new ArrayList<>();
    private ArrayList<Runnable> tasksRunning = new ArrayList<>();
    private ArrayList<NettyConnection> touched = new ArrayList<>();
    private ArrayList<NettyConnection> touchedRunning = new ArrayList<>();
    /** Touched in an earlier turn and not flushed yet. */
    private final ArrayDeque<NettyConnection> flushedLater = new ArrayDeque<>(0);
    /** Whose input goes on when others have had their turn. */
    private final ArrayDeque<MqttChannelHandler> readLater = new ArrayDeque<>(0);

    private boolean readsOn;
    private final TurnClock clock;
    private boolean endArmed;
    private boolean ending;
    private byte @Nullable [] sharedPayload;
    private @Nullable ByteBuf shared;
    private @Nullable NettyConnection firstConnection;
    private int connections;
    private boolean closing;

    NettyLoop(EventLoop eventLoop, LongSupplier nowMillis, Failures failures, long turnNanos) {
        this.eventLoop = eventLoop;
        this.nowMillis = nowMillis;
        this.failures = failures;
        this.lag = new LoopLag(eventLoop);
        this.clock = new TurnClock(turnNanos);
    }

    /** Begins to measure how late it is. */
    void measure() {
        lag.start();
    }

    /** How late it gets to what is due. Any thread. */
    public LoopLag.Reading lag() {
        return lag.read();
    }

    Traffic traffic() {
        return traffic;
    }

    EventLoop eventLoop() {
        return eventLoop;
    }

    Failures failures() {
        return failures;
    }

    PublishWriter publishWriter() {
        return publishWriter;
    }

    /** For the next packet to a peer that takes packets by those terms. */
    PacketEncoder encoder(OutboundTerms terms, boolean explains) {
        return encoder.version(terms.version())
                .maximumPacketSize(terms.maximumPacketSize())
                .problemInformation(explains);
    }

    /** What a decoder on this thread reads with. */
    Frame frame() {
        return frame;
    }

    @Override
    public boolean inLoop() {
        return eventLoop.inEventLoop();
    }

    @Override
    public void execute(Runnable task) {
        eventLoop.execute(() -> run(task));
    }

    @Override
    public void atEndOfTurn(Runnable task) {
        assert inLoop();
        tasks.add(task);
        armEnd();
    }

    @Override
    public boolean isTurnLong() {
        assert inLoop();
        if (clock.runs()) {
            return clock.step();
        }
        clock.begin();
        armEnd();
        return false;
    }

    /** What somebody may do in a turn that is long: as many steps as are asked for with {@link #isTurnLong}. */
    int leastOfTurn() {
        return clock.least();
    }

    @Override
    public boolean isLate() {
        return lag.isLate();
    }

    /** Has a connection go on with its input when others have had their turn. */
    void readLater(MqttChannelHandler input) {
        assert inLoop();
        readLater.add(input);
        if (!readsOn) {
            readsOn = true;
            inNextTurn(this::readOn);
        }
    }

    private void readOn() {
        int waiting = readLater.size();
        do {
            run(readLater.remove()::resume);
        } while (--waiting > 0 && !isTurnLong());
        readsOn = !readLater.isEmpty();
        if (readsOn) {
            inNextTurn(this::readOn);
        }
    }

    @Override
    public Timer schedule(Runnable task, long delayMillis) {
        Later later = new Later(task);
        later.future = eventLoop.schedule(later, Math.max(delayMillis, 0), TimeUnit.MILLISECONDS);
        return later;
    }

    /** Both in one object, for each connection has a timer. */
    private final class Later implements Runnable, Timer {
        private final Runnable task;
        private @Nullable Future<?> future;

        private Later(Runnable task) {
            this.task = task;
        }

        @Override
        public void run() {
            NettyLoop.this.run(task);
        }

        @Override
        public void cancel() {
            Future<?> waiting = future;
            if (waiting != null) {
                waiting.cancel(false);
            }
        }
    }

    @Override
    public long nowMillis() {
        return nowMillis.getAsLong();
    }

    /** To be flushed when this turn ends. */
    void touch(NettyConnection connection) {
        assert inLoop();
        touched.add(connection);
        armEnd();
    }

    /**
     * Netty runs tail tasks until there are none: what is asked for while the turn ends must come by way of the next
     * turn, which an ordinary task brings about at once.
     */
    private void armEnd() {
        if (endArmed) {
            return;
        }
        endArmed = true;
        if (ending) {
            eventLoop.execute(this::hookEnd);
        } else {
            hookEnd();
        }
    }

    private void hookEnd() {
        if (eventLoop instanceof SingleThreadEventLoop hooked) {
            hooked.executeAfterEventLoopIteration(endTurn);
        } else {
            eventLoop.execute(endTurn);
        }
    }

    private void endTurn() {
        endArmed = false;
        ending = true;
        ArrayList<Runnable> due = tasks;
        tasks = tasksRunning;
        tasksRunning = due;
        for (int i = 0; i < due.size(); i++) {
            run(due.get(i));
        }
        due.clear();
        flush();
        publishWriter.forget();
        forgetShared();
        if (!flushedLater.isEmpty()) {
            armEnd();
        }
        ending = false;
        clock.end();
        if (!endArmed && (!tasks.isEmpty() || !touched.isEmpty())) {
            armEnd();
        }
    }

    /** A system call each: with very many of them others have their turn before the last. */
    private void flush() {
        ArrayList<NettyConnection> written = touched;
        touched = touchedRunning;
        touchedRunning = written;
        clock.begin();
        int i = 0;
        while (i < written.size() && (i == 0 || !clock.step())) {
            written.get(i++).flush(this);
        }
        int before = flushedLater.size();
        while (i < written.size()) {
            flushedLater.add(written.get(i++));
        }
        written.clear();
        if (before > 0) {
            clock.begin();
            do {
                flushedLater.remove().flush(this);
            } while (--before > 0 && !clock.step());
        }
    }

    private void run(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            failures.report("A task of an event loop failed", e);
        }
    }

    /**
     * A payload as a buffer that can be written, one more reference to the same copy for each receiver within a turn; the
     * caller owns the reference.
     */
    ByteBuf shared(byte[] payload) {
        assert inLoop();
        ByteBuf buffer = shared;
        if (buffer == null || sharedPayload != payload) {
            forgetShared();
            buffer = ByteBufAllocator.DEFAULT.directBuffer(payload.length, payload.length);
            buffer.writeBytes(payload);
            shared = buffer;
            sharedPayload = payload;
            armEnd();
        }
        return buffer.retainedDuplicate();
    }

    private void forgetShared() {
        ByteBuf buffer = shared;
        if (buffer != null) {
            shared = null;
            sharedPayload = null;
            buffer.release();
        }
    }

    /** From now on the connection lives here. */
    void add(NettyConnection connection) {
        assert inLoop();
        NettyConnection first = firstConnection;
        connection.next = first;
        if (first != null) {
            first.previous = connection;
        }
        firstConnection = connection;
        connections++;
        if (closing) {
            connection.close();
        }
    }

    void remove(NettyConnection connection) {
        assert inLoop();
        NettyConnection previous = connection.previous;
        NettyConnection next = connection.next;
        if (previous == null && next == null && firstConnection != connection) {
            return;
        }
        if (previous == null) {
            firstConnection = next;
        } else {
            previous.next = next;
        }
        if (next != null) {
            next.previous = previous;
        }
        connection.previous = null;
        connection.next = null;
        connections--;
    }

    /** Connections that live here, those on the way to here not counted; on the loop's thread. */
    public int connections() {
        assert inLoop();
        return connections;
    }

    /** Who traces has changed. */
    void retap() {
        assert inLoop();
        for (NettyConnection each = firstConnection; each != null; each = each.next) {
            each.retap();
        }
    }

    /** Closes every connection that is here and every one that still arrives. */
    void closeConnections() {
        assert inLoop();
        closing = true;
        for (NettyConnection each = firstConnection; each != null; each = each.next) {
            each.close();
        }
    }
}
