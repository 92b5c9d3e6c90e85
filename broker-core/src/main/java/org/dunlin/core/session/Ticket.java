package org.dunlin.core.session;

import java.util.ArrayList;
import java.util.List;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.routing.Answer;
import org.dunlin.core.spi.Connection;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.jspecify.annotations.Nullable;

/**
 * A PUBLISH whose acknowledgement has to wait. On the publisher's shard only, but for its {@link Sheet}s. Transitions:
 * GATHERING (shards say who is owed what) → GATHERED → SUBMITTED (the batch is with the store) → DONE.
 */
final class Ticket {
    enum State {
        GATHERING,
        GATHERED,
        SUBMITTED,
        DONE
    }

    final Qos qos;
    private final MemoryBudget.Account memory;
    /** Null once nothing is to be done with it any more: only the acknowledgement waits. */
    private @Nullable Message message;

    /** Where the acknowledgement goes; null for a message without a publisher to answer, such as a will. */
    final @Nullable InboundWindow publisher;
    /** Acknowledged there only: another connection of the session has not sent this PUBLISH. */
    @Nullable
    Connection origin;

    final int packetId;

    State state = State.GATHERING;
    ReasonCode reason = ReasonCode.SUCCESS;
    /** Why, if it is refused and the reason code does not say all. */
    @Nullable
    String detail;

    /** Of the retained message that it is; 0 if it changes none. */
    long stamp;

    /** Runs when it is given to the store, and what it gives has to be durable with it; null for nothing. */
    @Nullable
    Runnable withIt;

    /** Its PUBLISH is not passed on; only an answer waits for its turn. */
    boolean answerOnly;

    /** How often the PUBLISH has come again on the same connection: each is answered. */
    int repetitions;

    private int shardsOwing;
    private boolean taken;
    private boolean refused;
    private @Nullable List<StoreBatch.Target> targets;

    Ticket(
            Message message,
            @Nullable InboundWindow publisher,
            @Nullable Connection origin,
            int packetId,
            MemoryBudget.Account memory) {
        this.memory = memory;
        memory.hold(message);
        this.message = message;
        this.qos = message.qos();
        this.publisher = publisher;
        this.origin = origin;
        this.packetId = packetId;
    }

    /** The message, until the ticket is done. */
    Message message() {
        Message present = message;
        assert present != null : "asked for the message of a ticket that is done";
        return present;
    }

    void done() {
        state = State.DONE;
        memory.letGo(message());
        message = null;
        targets = null;
    }

    List<StoreBatch.Target> targets() {
        return targets == null ? List.of() : targets;
    }

    void expectShards(int count) {
        shardsOwing += count;
    }

    boolean isUnanswered() {
        return shardsOwing == 0 && state == State.GATHERING;
    }

    /** One shard's sheet is complete. @return true if it was the last */
    boolean collect(Sheet sheet) {
        taken |= sheet.taken;
        refused |= sheet.refused;
        if (sheet.targets != null) {
            if (targets == null) {
                targets = sheet.targets;
            } else {
                targets.addAll(sheet.targets);
            }
        }
        return --shardsOwing == 0;
    }

    /** Asks every shard whose receivers hold the message back for an answer now. On the publisher's shard. */
    void giveUpHeld(Shard asking) {
        if (shardsOwing > 0) {
            for (int i = 0; i < asking.shards().count(); i++) {
                Shard answering = asking.shards().shard(i);
                answering.runOrPost(asking, () -> answering.publishing().giveUpHeld(this));
            }
        }
    }

    /** Nobody took it, and at least one receiver wants the publisher to know. */
    boolean isRefused() {
        return refused && !taken && targets == null;
    }

    /** One shard's answers. On that shard's thread, then on the publisher's. */
    static final class Sheet implements Answer {
        private final Ticket ticket;
        private final Shard answering;
        private final Shard asking;
        private boolean taken;
        private boolean refused;
        private @Nullable List<StoreBatch.Target> targets;
        private int held;
        private @Nullable List<Runnable> giveUps;
        private boolean filled;

        Sheet(Ticket ticket, Shard answering, Shard asking) {
            this.ticket = ticket;
            this.answering = answering;
            this.asking = asking;
        }

        @Override
        public void taken() {
            taken = true;
        }

        @Override
        public void refused() {
            refused = true;
        }

        @Override
        public void reserve(StoreBatch.Target target) {
            if (targets == null) {
                targets = new ArrayList<>(4);
            }
            targets.add(target);
        }

        @Override
        public Answer held(Runnable giveUp) {
            held++;
            if (giveUps == null) {
                giveUps = new ArrayList<>(1);
                answering.publishing().holds(ticket, this);
            }
            giveUps.add(giveUp);
            return new Later();
        }

        /** Asks those who hold the message back for their word now. */
        void giveUpHeld() {
            if (giveUps != null) {
                List.copyOf(giveUps).forEach(Runnable::run);
            }
        }

        /** All receivers have been asked. */
        void filled() {
            filled = true;
            handOverIfComplete();
        }

        private void handOverIfComplete() {
            if (filled && held == 0) {
                if (giveUps != null) {
                    answering.publishing().holdsNoMore(ticket);
                }
                asking.runOrPost(answering, () -> asking.publishing().collect(ticket, this));
            }
        }

        /** The one word of a receiver that has held the message back. */
        private final class Later implements Answer {
            @Override
            public void taken() {
                Sheet.this.taken();
                settle();
            }

            @Override
            public void refused() {
                Sheet.this.refused();
                settle();
            }

            @Override
            public void reserve(StoreBatch.Target target) {
                Sheet.this.reserve(target);
                settle();
            }

            @Override
            public Answer held(Runnable giveUp) {
                return this;
            }

            private void settle() {
                held--;
                handOverIfComplete();
            }
        }
    }
}
