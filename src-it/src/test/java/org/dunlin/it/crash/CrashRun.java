package org.dunlin.it.crash;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.dunlin.it.crash.Stage.Phase;

/**
 * Ends a broker again and again while clients work, and compares what they saw with what was promised. The seed decides what
 * the clients do and when the broker ends, as far as threads let it. One thread; it starts one for each client.
 */
public final class CrashRun implements AutoCloseable {
    private static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(40);
    private static final long GIVE_UP_NANOS = TimeUnit.SECONDS.toNanos(12);
    private static final Set<Violation.Kind> MAY_STILL_COME = EnumSet.of(
            Violation.Kind.LOST, Violation.Kind.SUBSCRIPTION, Violation.Kind.WILL, Violation.Kind.IDENTIFIER);
    private static final long HOPELESS_NANOS = TimeUnit.SECONDS.toNanos(3);
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(300);
    private static final int ENDS_BETWEEN_DRAINS = 10;
    private static final int SHOWN = 60;

    private final Victim victim;
    private final boolean orderly;
    private final Random random;
    private final long seed;
    private final PrintStream out;
    private final Stage stage = new Stage();
    private final List<Participant> cast;
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean over;
    private int ends;
    private int inRecovery;
    private int inARow;
    private int readers;
    private long startNanos;

    /**
     * A run that has not begun.
     *
     * @param orderly end the broker by SIGTERM, else by SIGKILL
     */
    public CrashRun(Victim victim, boolean orderly, long seed, PrintStream out) {
        this.victim = victim;
        this.orderly = orderly;
        this.seed = seed;
        this.out = out;
        this.random = new Random(seed);
        this.cast = Cast.of(stage, random, victim.promises());
    }

    /** Ends the broker so many times. @return what was broken, in words; it stops at the first check that finds anything */
    public List<String> run(int count) {
        long begun = System.nanoTime();
        victim.launch(true);
        ready();
        startNanos = System.nanoTime() - begun;
        cast.forEach(this::start);
        await("the subscriptions stand", () -> cast.stream().allMatch(Participant::isSettled));
        stage.phase(Phase.WORK);
        List<Violation> found = List.of();
        int drainAt = ENDS_BETWEEN_DRAINS;
        while (ends < count && found.isEmpty()) {
            endOnce();
            if (ends >= drainAt && ends < count) {
                found = drain();
                drainAt = ends + ENDS_BETWEEN_DRAINS;
                stage.phase(Phase.WORK);
            }
        }
        if (found.isEmpty()) {
            workAWhile();
            found = drain();
        }
        stage.phase(Phase.END);
        over = true;
        out.println("CrashRun: " + summary() + ", " + found.size() + " violations, "
                + TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun) + " s");
        return report(found);
    }

    private String summary() {
        History history = stage.history();
        return "seed " + seed + ", " + ends + " ends by " + (orderly ? "SIGTERM" : "SIGKILL") + " (" + inRecovery
                + " while starting, " + inARow + " at once after), " + history.acknowledged()
                + " messages acknowledged, "
                + history.delivered() + " deliveries";
    }

    private List<String> report(List<Violation> found) {
        List<String> lines = new ArrayList<>();
        if (!found.isEmpty()) {
            writeHistory();
            Map<Violation.Kind, Integer> counts = new EnumMap<>(Violation.Kind.class);
            found.forEach(violation -> counts.merge(violation.kind(), 1, Integer::sum));
            lines.add(summary() + ": " + counts);
            found.stream().limit(SHOWN).map(Violation::toString).forEach(lines::add);
        }
        return lines;
    }

    // ---- the broker

    private void endOnce() {
        workAWhile();
        end();
        while (!orderly && random.nextInt(4) == 0) { // during recovery
            victim.launch(false);
            LockSupport.parkNanos((long) (startNanos * 1.2 * random.nextDouble()));
            inRecovery++;
            end();
        }
        boolean hold = random.nextBoolean();
        stage.phase(hold ? Phase.HOLD : Phase.WORK);
        victim.launch(random.nextInt(4) == 0);
        ready();
        if (!orderly && random.nextInt(6) == 0) { // as its clients come back
            stage.phase(Phase.WORK);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(40)));
            inARow++;
            end();
            stage.phase(hold ? Phase.HOLD : Phase.WORK);
            victim.launch(false);
            ready();
        }
        RetainedReader.read(stage, victim.promises(), "reader" + readers++, hold);
        stage.phase(Phase.WORK);
    }

    /** Until something is acknowledged, and for up to half a second more. */
    private void workAWhile() {
        if (random.nextInt(5) > 0) {
            int wanted = stage.history().acknowledged() + random.nextInt(100);
            await("messages are acknowledged", () -> stage.history().acknowledged() > wanted);
        }
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(500)));
    }

    private void end() {
        ends++;
        stage.history().add(new Event.Ending(ends, orderly));
        if (orderly) {
            victim.stop();
        } else {
            victim.kill();
        }
    }

    private void ready() {
        stage.port(victim.awaitReady());
        stage.history().add(new Event.Ready(ends));
    }

    // ---- the clients

    private void start(Participant participant) {
        Thread thread = new Thread(
                () -> {
                    try {
                        while (!over) {
                            participant.step();
                        }
                        participant.end();
                    } catch (RuntimeException | AssertionError e) {
                        stage.history()
                                .add(new Event.Fault(participant.name(), Violation.Kind.PROTOCOL, "ended by " + e));
                    }
                },
                participant.name());
        thread.setDaemon(true);
        thread.start();
        threads.add(thread);
    }

    private void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + DEADLINE_NANOS;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                List<String> behind = cast.stream()
                        .filter(member -> !member.isSettled())
                        .map(Participant::name)
                        .toList();
                throw new AssertionError("not in time: " + what + "; " + summary() + "; not settled: " + behind + "; "
                        + Checker.check(stage.history().entries(), victim.promises()) + "\n"
                        + victim.logTail());
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
    }

    /** Lets everything come that has to, and compares. */
    private List<Violation> drain() {
        stage.phase(Phase.DRAIN);
        LockSupport.parkNanos(
                TimeUnit.MILLISECONDS.toNanos(50)); // so that nobody is taken for settled by the last phase
        await("all is acknowledged", () -> cast.stream().allMatch(Participant::isSettled));
        RetainedReader.read(stage, victim.promises(), "reader" + readers++, true);
        List<Violation> found = List.of();
        int size = -1;
        long quietSince = System.nanoTime();
        while (System.nanoTime() - quietSince < GIVE_UP_NANOS) {
            LockSupport.parkNanos(LOOK_NANOS);
            int now = stage.history().delivered();
            if (now != size) {
                size = now;
                quietSince = System.nanoTime();
                continue;
            }
            found = Checker.check(stage.history().entries(), victim.promises());
            boolean all = found.isEmpty();
            boolean hopeless = found.stream().anyMatch(violation -> !MAY_STILL_COME.contains(violation.kind()));
            if (all || hopeless && System.nanoTime() - quietSince > HOPELESS_NANOS) {
                return found;
            }
        }
        return found;
    }

    /** Writes down all that happened, for whoever looks for the cause of a violation. */
    private void writeHistory() {
        Path file = Path.of("target", "crash-" + seed + ".txt");
        try {
            Files.createDirectories(file.getParent());
            List<String> lines = new ArrayList<>();
            for (History.Entry entry : stage.history().entries()) {
                lines.add(lines.size() + " " + entry.nanos() / 1000 + " us " + entry.event());
            }
            Files.write(file, lines);
            out.println(
                    "CrashRun: the history is in " + file + "; the log of the broker ends with:\n" + victim.logTail());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        over = true;
        victim.close();
        for (Thread thread : threads) {
            try {
                thread.join(TimeUnit.SECONDS.toMillis(15));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }
}
