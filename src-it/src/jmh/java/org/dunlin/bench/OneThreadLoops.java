package org.dunlin.bench;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.core.spi.Loop;
import org.jspecify.annotations.Nullable;

/** One thread. Several loops that take turns on it until none has anything left; their timers never run. */
final class OneThreadLoops {
    private static final Loop.Timer NEVER = () -> {};

    private final List<Loop> loops = new ArrayList<>();
    private @Nullable Turns running;
    private long nowMillis;

    OneThreadLoops(int count) {
        for (int i = 0; i < count; i++) {
            loops.add(new Turns());
        }
    }

    List<Loop> all() {
        return loops;
    }

    Loop get(int index) {
        return loops.get(index);
    }

    void runAll() {
        nowMillis = System.currentTimeMillis();
        boolean ran = true;
        while (ran) {
            ran = false;
            for (int i = 0; i < loops.size(); i++) {
                ran |= ((Turns) loops.get(i)).turn();
            }
        }
        running = null;
    }

    private final class Turns implements Loop {
        private final ArrayDeque<Runnable> ready = new ArrayDeque<>();
        private ArrayList<Runnable> atEnd = new ArrayList<>();
        private ArrayList<Runnable> ending = new ArrayList<>();

        /** @return false if there was nothing to do */
        boolean turn() {
            if (ready.isEmpty() && atEnd.isEmpty()) {
                return false;
            }
            running = this;
            for (int left = ready.size(); left > 0; left--) {
                ready.remove().run();
            }
            ArrayList<Runnable> now = atEnd;
            atEnd = ending;
            for (int i = 0; i < now.size(); i++) {
                now.get(i).run();
            }
            now.clear();
            ending = now;
            return true;
        }

        @Override
        public boolean inLoop() {
            return running == this;
        }

        @Override
        public void execute(Runnable task) {
            ready.add(task);
        }

        @Override
        public void atEndOfTurn(Runnable task) {
            atEnd.add(task);
        }

        @Override
        public boolean isTurnLong() {
            return false;
        }

        @Override
        public boolean isLate() {
            return false;
        }

        @Override
        public Timer schedule(Runnable task, long delayMillis) {
            return NEVER;
        }

        @Override
        public long nowMillis() {
            return nowMillis;
        }
    }
}
