package org.dunlin.server.admin;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.server.config.Quote;
import org.dunlin.server.http.Request;
import org.dunlin.server.http.Response;
import org.dunlin.server.rest.ApiFault;
import org.dunlin.server.rest.Call;
import org.dunlin.server.rest.Endpoint;
import org.dunlin.server.rest.Json;
import org.dunlin.server.rest.Principal;
import org.dunlin.server.share.AddressBlock;
import org.dunlin.server.trace.Target;
import org.dunlin.server.trace.Trace;
import org.dunlin.server.trace.TracedPacket;
import org.dunlin.server.trace.Traces;

/** Packets as they come and go. Workers' threads, and one for each trace that runs. */
final class TraceApi {
    private static final int SECONDS_USUAL = 600;
    private static final int SECONDS_MOST = 24 * 3600;
    private static final int COUNT_MOST = 1_000_000_000;
    /** Between two looks at a ring that was empty, or at a reader that took nothing. */
    private static final long PAUSE_NANOS = 25_000_000;

    private static final AtomicInteger NUMBER = new AtomicInteger();

    /** Between two looks whether who reads is still let in. */
    private static final long BETWEEN_LOOKS_NANOS = 1_000_000_000;

    private final Traces traces;
    private final Gate gate;
    private final BooleanSupplier showsUserNames;

    /** @param showsUserNames false where they may be tokens */
    TraceApi(Traces traces, Gate gate, BooleanSupplier showsUserNames) {
        this.traces = traces;
        this.gate = gate;
        this.showsUserNames = showsUserNames;
    }

    /**
     * The last event of a trace.
     *
     * @param why in a few words
     * @param packets that were shown
     * @param leftOut packets behind the last one that its reader did not take in time
     */
    record End(String why, long packets, int leftOut) {}

    List<Endpoint> endpoints() {
        return List.of(new Endpoint(
                "GET",
                "api/v1/trace",
                Principal.Scope.WRITE,
                "Shows the packets of a client, address or topic as they come and go, payloads included, as Server-Sent"
                        + " Events: 'packet' with a TracedPacket, at last 'end'.",
                List.of(
                        Endpoint.Parameter.text("client", "Client identifier; it need not be connected yet."),
                        Endpoint.Parameter.text("address", "Address or block like 10.0.0.0/8; from the first byte on."),
                        Endpoint.Parameter.text("topic", "Topic filter: every PUBLISH to its topics."),
                        Endpoint.Parameter.text(
                                "payload", "none, head for the first 64 bytes, or full; head if not said."),
                        Endpoint.Parameter.number("count", "Packets after which it ends; none if it is not said."),
                        Endpoint.Parameter.number("seconds", "After which it ends; 600 if it is not said.")),
                null,
                null,
                this::trace));
    }

    private CompletionStage<Response> trace(Call call) throws ApiFault {
        Target target = target(call);
        Trace.Payload payload = switch (call.text("payload").toLowerCase(Locale.ROOT)) {
            case "none" -> Trace.Payload.NONE;
            case "", "head" -> Trace.Payload.HEAD;
            case "full" -> Trace.Payload.FULL;
            default -> throw ApiFault.badRequest("the parameter payload is none, head or full");
        };
        long count = call.number("count", COUNT_MOST, 1, COUNT_MOST);
        long seconds = call.number("seconds", SECONDS_USUAL, 1, SECONDS_MOST);
        call.about(target.toString());
        if (call.request().method().equals("HEAD")) { // there is nobody to show packets to
            return CompletableFuture.completedFuture(Response.of(200, Response.EVENTS, new byte[0]));
        }
        Trace trace = traces.start(target, payload, showsUserNames.getAsBoolean());
        if (trace == null) {
            throw new ApiFault(429, Traces.MOST + " traces run already; end one of them first");
        }
        return CompletableFuture.completedFuture(Response.events(to -> {
            Thread reader = new Thread(() -> new Reading(trace, call.request(), to, count, seconds).run());
            reader.setName("admin-trace-" + NUMBER.incrementAndGet());
            reader.setDaemon(true);
            reader.start();
        }));
    }

    private static Target target(Call call) throws ApiFault {
        String client = call.text("client");
        String address = call.text("address");
        String topic = call.text("topic");
        int said = (client.isEmpty() ? 0 : 1) + (address.isEmpty() ? 0 : 1) + (topic.isEmpty() ? 0 : 1);
        if (said != 1) {
            throw ApiFault.badRequest("name one of client, address and topic");
        }
        if (!client.isEmpty()) {
            return new Target.Client(client);
        }
        if (!address.isEmpty()) {
            AddressBlock block = AddressBlock.parse(address);
            if (block == null) {
                throw ApiFault.badRequest("the parameter address is " + Quote.of(address)
                        + "; it has to be an address like 10.0.0.1 or ::1, or a block like 10.0.0.0/8");
            }
            return new Target.Address(block);
        }
        String fault = TopicFilter.fault(topic);
        if (fault != null) {
            throw ApiFault.badRequest("the parameter topic is no topic filter: " + fault);
        }
        return new Target.Topic(TopicFilter.of(topic));
    }

    /** One trace and who reads it. On a thread of its own, but for the news that its reader has gone. */
    private final class Reading {
        private final Trace trace;
        private final Request by;
        private final Response.Events to;
        private final long count;
        private final long deadlineNanos;
        private long shown;
        private long lookedNanos = System.nanoTime();
        private boolean shutOut;
        private volatile boolean gone;

        Reading(Trace trace, Request by, Response.Events to, long count, long seconds) {
            this.trace = trace;
            this.by = by;
            this.to = to;
            this.count = count;
            this.deadlineNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        }

        void run() {
            to.whenClosed(() -> gone = true);
            try {
                while (!gone && !isShutOut() && shown < count && System.nanoTime() - deadlineNanos < 0) {
                    if (!showNext()) {
                        LockSupport.parkNanos(PAUSE_NANOS);
                    }
                }
            } finally {
                traces.end(trace);
                end();
            }
        }

        /** Whoever asked may not ask any more: the token is gone, or the account. */
        private boolean isShutOut() {
            long now = System.nanoTime();
            if (now - lookedNanos >= BETWEEN_LOOKS_NANOS) {
                lookedNanos = now;
                shutOut = !gate.stands(by);
            }
            return shutOut;
        }

        /** @return false if there is nothing, or the reader takes nothing now */
        private boolean showNext() {
            TracedPacket packet = trace.peek();
            if (packet == null || !to.send("packet", json(packet))) {
                return false;
            }
            trace.remove();
            shown++;
            return true;
        }

        private void end() {
            boolean enough = shown >= count; // what comes behind is not asked for
            String why = enough
                    ? "as many packets as asked for"
                    : shutOut ? "the token or login is not good any more" : "its time is up";
            to.send("end", json(new End(why, shown, enough ? 0 : trace.leftOut() + trace.waiting())));
            to.close();
        }
    }

    private static String json(Object value) {
        return new String(Json.bytes(value), StandardCharsets.UTF_8);
    }
}
