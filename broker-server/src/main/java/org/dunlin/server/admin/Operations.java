package org.dunlin.server.admin;

import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.dunlin.core.Broker;
import org.dunlin.core.DropLedger;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.server.acl.AclAuthorizer;
import org.dunlin.server.backup.Backups;
import org.dunlin.server.ban.Bans;
import org.dunlin.server.config.Config;
import org.dunlin.server.config.Fault;
import org.dunlin.server.config.Settings;
import org.dunlin.server.events.RecentEvents;
import org.dunlin.server.metrics.Metrics;
import org.dunlin.server.metrics.Rates;
import org.dunlin.server.trace.Traces;
import org.jspecify.annotations.Nullable;

/**
 * What the admin port looks at and works on. Any thread.
 *
 * @param config in force at the moment
 * @param started time of day
 * @param durability what the store promises, in words
 * @param phase of the broker's life
 * @param listeners as they are open
 * @param stop ends the process in order; returns at once
 */
public record Operations(
        Supplier<Config> config,
        String version,
        Instant started,
        Broker broker,
        DropLedger drops,
        RecentEvents recent,
        Metrics metrics,
        Rates rates,
        MemoryBudget memory,
        String durability,
        String transport,
        int loops,
        Traces traces,
        Supplier<Phase> phase,
        Supplier<List<OpenListener>> listeners,
        Access access,
        Configuration configuration,
        Backups backups,
        Runnable stop) {
    /** Whether clients send a secret where others send who they are. */
    boolean userNamesAreTokens() {
        Config.Jwt jwt = config.get().auth().jwt();
        return jwt.isOn() && jwt.from() == Config.TokenField.USER_NAME;
    }

    /** The configuration, which can be read again. Any thread but a loop. */
    public interface Configuration {
        /** The values in force. */
        List<Settings.Item> items();

        /** What {@link #reload} would change. Changes nothing. */
        Outcome check();

        /** Reads it again, all of it or, if it has a fault, nothing. @param why for the log */
        Outcome reload(String why);

        /**
         * @param faults if there is one, nothing has changed
         * @param changes those that are live are in force; the others need a restart
         */
        record Outcome(List<Fault> faults, List<Settings.Change> changes) {}
    }

    /**
     * Who may connect and what they may do.
     *
     * @param users has the file of users looked at; completes when what it says is in force
     * @param rules the same of the ACL file
     * @param bansFile the same of the ban file
     */
    public record Access(
            AclAuthorizer authorizer,
            Bans bans,
            Supplier<CompletionStage<Void>> users,
            Supplier<CompletionStage<Void>> rules,
            Supplier<CompletionStage<Void>> bansFile) {}

    /** Where the broker is in its life. */
    public enum Phase {
        STARTING,
        SERVING,
        DRAINING;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * A listener that is open.
     *
     * @param url with the port it has got
     * @param whoMayConnect in words
     * @param connections sockets that are open
     * @param certificateEnds time of day at which the first of its certificates ends; null without TLS
     * @param filesRefused how often new files of its TLS were not taken
     */
    public record OpenListener(
            String name,
            String type,
            String url,
            String whoMayConnect,
            int connections,
            @Nullable String certificateEnds,
            int filesRefused) {}
}
