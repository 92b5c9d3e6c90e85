package org.dunlin.core.client;

import java.security.SecureRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.spi.Authenticator;
import org.jspecify.annotations.Nullable;

/** What all connections share: who gets in and how many. Any thread. */
public final class Admittance {
    private static final String ASSIGNED = "dunlin-";
    private static final int ASSIGNED_CHARACTERS = 16;

    private volatile Limits limits;
    private final Authenticator authenticator;
    private volatile boolean closesOnDeniedPublish;
    private volatile @Nullable String responseInformation;
    private final AtomicInteger connections = new AtomicInteger();
    /** Second in the upper half, CONNECTs of that second in the lower. */
    private final AtomicLong rate = new AtomicLong();

    private final SecureRandom random = new SecureRandom();
    private volatile boolean closed;

    public Admittance(
            Limits limits,
            Authenticator authenticator,
            boolean closesOnDeniedPublish,
            @Nullable String responseInformation) {
        this.limits = limits;
        this.authenticator = authenticator;
        this.closesOnDeniedPublish = closesOnDeniedPublish;
        this.responseInformation = responseInformation;
    }

    /** Others count from now on. */
    public void limits(Limits next) {
        limits = next;
    }

    /** Other answers are given from now on, to those who are there, too. */
    public void answers(boolean closes, @Nullable String information) {
        closesOnDeniedPublish = closes;
        responseInformation = information;
    }

    Limits limits() {
        return limits;
    }

    Authenticator authenticator() {
        return authenticator;
    }

    /** Whether a PUBLISH without the right to it ends a 3.x connection. */
    boolean closesOnDeniedPublish() {
        return closesOnDeniedPublish;
    }

    @Nullable
    String responseInformation() {
        return responseInformation;
    }

    /** Refuses every CONNECT from now on. */
    public void close() {
        closed = true;
    }

    boolean isClosed() {
        return closed;
    }

    /** Connections that were accepted and have not ended. */
    public int connections() {
        return connections.get();
    }

    /** @return false if there are too many connections */
    boolean enter() {
        if (connections.incrementAndGet() <= limits.maxConnections()) {
            return true;
        }
        connections.decrementAndGet();
        return false;
    }

    /** Counts a connection in whose favour another one leaves at once: for that moment there is one more. */
    void enterInsteadOfAnother() {
        connections.incrementAndGet();
    }

    void leave() {
        connections.decrementAndGet();
    }

    /** @return false if this second has seen as many CONNECTs as it may */
    boolean mayConnect(long nowMillis) {
        int most = limits.connectRatePerSecond();
        if (most == 0) {
            return true;
        }
        long second = nowMillis / 1000;
        long next = rate.updateAndGet(old -> old >>> 32 == (second & 0xFFFF_FFFFL) ? old + 1 : second << 32 | 1);
        return (int) next <= most;
    }

    /**
     * A client identifier that no other client has, now or after a restart [MQTT-3.2.2-16], and that nobody can guess: who knew it
     * could take over the session. 23 characters, which every server has to take.
     */
    String assignClientId() {
        StringBuilder id = new StringBuilder(ASSIGNED);
        for (int i = 0; i < ASSIGNED_CHARACTERS; i++) {
            id.append(Character.forDigit(random.nextInt(Character.MAX_RADIX), Character.MAX_RADIX));
        }
        return id.toString();
    }

    /** Whether a client identifier looks like one that was assigned; whoever makes one up does not meet that of anybody else. */
    public static boolean isAssigned(String clientId) {
        boolean is = clientId.length() == ASSIGNED.length() + ASSIGNED_CHARACTERS && clientId.startsWith(ASSIGNED);
        for (int i = ASSIGNED.length(); is && i < clientId.length(); i++) {
            char c = clientId.charAt(i);
            is = c >= '0' && c <= '9' || c >= 'a' && c <= 'z';
        }
        return is;
    }
}
