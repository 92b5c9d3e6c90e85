package org.dunlin.server.metrics;

import java.time.Instant;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.dunlin.core.Broker;
import org.dunlin.core.DropLedger;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.spi.Store;
import org.dunlin.server.net.Listeners;
import org.dunlin.server.net.NettyLoops;
import org.dunlin.server.net.tls.TlsLayer;

/**
 * Where figures come from: each of them is kept by whoever it is about, and can be read by any thread at any time without
 * waiting for anybody.
 *
 * @param started time of day
 * @param serving whether clients are served
 */
public record Sources(
        String version,
        Instant started,
        BooleanSupplier serving,
        Broker broker,
        DropLedger drops,
        EventCounts events,
        MemoryBudget memory,
        Store store,
        NettyLoops loops,
        Supplier<List<Listeners.Status>> listeners,
        Supplier<List<TlsLayer.Status>> certificates) {}
