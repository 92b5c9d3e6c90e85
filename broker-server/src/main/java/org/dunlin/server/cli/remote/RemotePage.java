package org.dunlin.server.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;

/** What is said below a page. Any thread. */
final class RemotePage {
    private RemotePage() {}

    /** Whether there is more, and how to come to it. */
    static void more(JsonNode page, PrintWriter out) {
        JsonNode next = page.path("next");
        if (next.isTextual()) {
            out.println("There is more: --after '" + Table.plain(next.asText()) + "'");
        }
    }
}
