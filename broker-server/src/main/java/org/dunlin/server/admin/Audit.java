package org.dunlin.server.admin;

import org.dunlin.server.http.Request;
import org.dunlin.server.rest.Call;
import org.dunlin.server.rest.Principal;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/** Who has changed what through the admin port, a line each, in the log under its own name. Any thread. */
final class Audit {
    private static final Logger LOG = LoggerFactory.getLogger("dunlin.audit");

    /** Something was changed, or was not allowed to be. */
    void changed(Call call, int status) {
        Principal by = call.by();
        LoggingEventBuilder line = line(status < 400 ? Level.INFO : Level.WARN, call.request(), by)
                .addKeyValue(
                        "action", call.request().method() + " " + call.request().pathText())
                .addKeyValue("status", status);
        (call.subject().isEmpty() ? line : line.addKeyValue("about", call.subject()))
                .log(status < 400 ? "Changed" : "Not changed");
    }

    void login(Request request, Principal by) {
        line(Level.INFO, request, by).log("Logged in");
    }

    void failedLogin(Request request, String who) {
        line(Level.WARN, request, null).addKeyValue("as", who).log("Failed to log in");
    }

    private static LoggingEventBuilder line(Level level, Request request, @Nullable Principal by) {
        return LOG.atLevel(level)
                .addKeyValue("by", by == null ? "-" : by.name())
                .addKeyValue("address", request.peer().getAddress().getHostAddress());
    }
}
