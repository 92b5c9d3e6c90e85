package org.dunlin.server.net;

import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.NotSslRecordException;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import javax.net.ssl.SSLException;
import org.dunlin.server.logging.LastWords;
import org.dunlin.server.logging.Logging;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Any thread. What becomes of a failure that no code on an event loop expects: it is logged and the loop goes on, but
 * if the JVM itself has failed (no memory, no stack) or a loop has died, the process ends at once. Half dead it would
 * go on to acknowledge what it no longer keeps.
 */
final class Failures {
    /** What the process ends with, which tells a supervisor that it failed. */
    static final int HALT_STATUS = 1;

    /** Why a connection ended in whose service our own code failed. */
    static final String OUR_FAULT = "internal error";

    private static final Logger log = LoggerFactory.getLogger(Failures.class);
    private static final Duration LAST_WORDS = Duration.ofMillis(500);

    private final Consumer<Throwable> seen;
    private final IntConsumer halt;

    /**
     * @param seen is told of every failure
     * @param halt ends the process with that status; only for a test may it return
     */
    Failures(Consumer<Throwable> seen, IntConsumer halt) {
        this.seen = seen;
        this.halt = halt;
    }

    static Failures ofTheProcess() {
        return new Failures(failure -> {}, Failures::halt);
    }

    /** @param what a sentence without its full stop */
    void report(String what, Throwable failure) {
        if (LastWords.isFatal(failure)) {
            end(what + ": " + failure);
        } else {
            log.error(what, failure);
        }
        seen.accept(failure);
    }

    /** What people are told of a failure that is TLS's, which is its client's; null if it is another's. */
    static @Nullable String ofTls(Throwable failure) {
        Throwable deeper = failure instanceof DecoderException ? failure.getCause() : failure;
        if (deeper instanceof NotSslRecordException) { // whose message has what was sent, perhaps a password
            return "TLS failed: what the client sent is not TLS";
        }
        if (deeper instanceof SSLException tls) {
            return "TLS failed: " + tls.getMessage();
        }
        return deeper instanceof RejectedExecutionException ? "TLS failed: too many handshakes at a time" : null;
    }

    /** A loop has ended though nobody had asked for it: its sessions and sockets are nobody's. */
    void loopEnded() {
        end("an event loop has ended");
    }

    private void end(String why) {
        try {
            log.error("The broker ends at once: {}", why);
        } finally {
            halt.accept(HALT_STATUS);
        }
    }

    /** The log gets a moment to say why; an output that nobody reads gets no more than that. */
    private static void halt(int status) {
        try {
            Logging.flush(LAST_WORDS);
        } finally {
            Runtime.getRuntime().halt(status);
        }
    }
}
