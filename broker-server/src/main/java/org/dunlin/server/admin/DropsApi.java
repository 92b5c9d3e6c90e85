package org.dunlin.server.admin;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.dunlin.core.DropLedger;
import org.dunlin.core.spi.DropReason;
import org.dunlin.server.rest.ApiFault;
import org.dunlin.server.rest.Call;
import org.dunlin.server.rest.Endpoint;
import org.jspecify.annotations.Nullable;

/** What was lost, by whom and why. Workers' threads. */
final class DropsApi {
    private final DropLedger drops;

    DropsApi(DropLedger drops) {
        this.drops = drops;
    }

    /** @param byReason each reason that has come up */
    record Totals(long total, Map<String, Long> byReason) {}

    /**
     * @param client a client identifier, or the filter of a shared group
     * @param topic null for several messages at once
     */
    record Drop(
            long number, String at, String client, @Nullable String topic, String reason, long messages) {}

    /**
     * @param next to be given as 'after' for what comes later
     * @param missed losses between 'after' and these that are not kept any more
     */
    record Drops(List<Drop> items, long next, long missed) {}

    record Loser(String client, long total, Map<String, Long> byReason) {
        static Loser of(DropLedger.Losses losses) {
            Map<String, Long> byReason = new TreeMap<>();
            losses.messages().forEach((reason, count) -> byReason.put(reason.toString(), count));
            return new Loser(losses.client(), losses.total(), byReason);
        }
    }

    /** @param others what those have lost together that are not counted by themselves any more */
    record Losers(List<Loser> items, @Nullable String next, Loser others) {}

    List<Endpoint> endpoints() {
        return List.of(
                Endpoint.read(
                        "api/v1/drops",
                        "Counts the messages that were lost since the start, by reason.",
                        List.of(),
                        Totals.class,
                        call -> CompletableFuture.completedFuture(totals())),
                Endpoint.read(
                        "api/v1/drops/last",
                        "Lists the last losses one by one, oldest first.",
                        List.of(
                                Endpoint.Parameter.number("after", "Number of the last one known; 0 for all kept."),
                                Endpoint.PAGE.get(1)),
                        Drops.class,
                        this::last),
                Endpoint.read(
                        "api/v1/drops/clients",
                        "Lists who has lost messages, by client identifier.",
                        Endpoint.PAGE,
                        Losers.class,
                        this::clients));
    }

    private Totals totals() {
        Map<String, Long> byReason = new TreeMap<>();
        for (DropReason reason : DropReason.values()) {
            if (drops.total(reason) > 0) {
                byReason.put(reason.toString(), drops.total(reason));
            }
        }
        return new Totals(drops.total(), byReason);
    }

    private CompletionStage<Drops> last(Call call) throws ApiFault {
        DropLedger.Page page = drops.last(call.number("after", 0, 0, Long.MAX_VALUE), call.limit());
        List<Drop> items = page.drops().stream()
                .map(drop -> new Drop(
                        drop.number(),
                        Instant.ofEpochMilli(drop.atMillis()).toString(),
                        drop.client(),
                        drop.topic(),
                        drop.reason().toString(),
                        drop.messages()))
                .toList();
        return CompletableFuture.completedFuture(new Drops(items, page.next(), page.missed()));
    }

    private CompletionStage<Losers> clients(Call call) throws ApiFault {
        int limit = call.limit();
        List<Loser> items =
                drops.clients(call.text("after"), limit).stream().map(Loser::of).toList();
        String next = items.size() < limit ? null : items.get(limit - 1).client();
        return CompletableFuture.completedFuture(new Losers(items, next, Loser.of(drops.others())));
    }
}
