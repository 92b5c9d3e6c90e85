package org.dunlin.it.crash;

import java.util.List;
import org.dunlin.it.CuttingProxy;
import org.dunlin.it.RunningBroker;
import org.jspecify.annotations.Nullable;

/** A broker that goes on while its whole network breaks: to the clients that looks like a crash without any loss. One thread. */
final class NetworkVictim implements Victim {
    private final RunningBroker broker;
    private @Nullable CuttingProxy proxy;

    NetworkVictim(RunningBroker broker) {
        this.broker = broker;
    }

    @Override
    public void launch(boolean newPort) {
        proxy = CuttingProxy.to(broker.port());
    }

    @Override
    public int awaitReady() {
        CuttingProxy now = proxy;
        if (now == null) {
            throw new IllegalStateException("not launched");
        }
        return now.port();
    }

    @Override
    public void kill() {
        if (proxy != null) {
            proxy.close();
        }
    }

    @Override
    public void stop() {
        kill();
    }

    @Override
    public Promises promises() {
        return Promises.ALL;
    }

    @Override
    public String logTail() {
        List<String> log = broker.log();
        return String.join("\n", log.subList(Math.max(0, log.size() - 30), log.size()));
    }

    @Override
    public void close() {
        kill();
    }
}
