package org.dunlin.server.http;

import java.util.concurrent.CompletionStage;

/** Answers requests. Called by worker threads, several at a time; may block for a moment, not for long. */
public interface Service {
    /** What is thrown, now or later, becomes status 500 and a line in the log. */
    CompletionStage<Response> answer(Request request);
}
