package org.dunlin.server.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import org.dunlin.core.Broker;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.Store.Opening.Stage;
import org.dunlin.core.spi.Store.Part;
import org.dunlin.server.http.Response;
import org.junit.jupiter.api.Test;

class HealthApiTest {
    private static Broker.Starting starting(Stage stage, long restored) {
        return new Broker.Starting(
                new Store.Opening(stage, 240L << 20, new Part(1200, 5000), new Part(7, 7), new Part(0, 0), Part.NONE),
                restored,
                5000);
    }

    private static String body(Broker.Starting starting) {
        Response response = HealthApi.comingUp(starting);
        assertEquals(503, response.status());
        return new String(response.body(), StandardCharsets.UTF_8);
    }

    @Test
    void eachStage_saysHowFarItIs() {
        assertEquals("{\"ok\":false,\"status\":\"starting\",\"loading\":null}", body(starting(Stage.NOT_BEGUN, 0)));
        assertEquals(
                "starting: opening the store, with 240 MB of log to be worked through",
                HealthApi.words(starting(Stage.OPENING_FILES, 0)));
        assertEquals(
                "starting: reading the store, 1200 of about 5000 sessions and groups, 7 subscriptions, 0 queued messages,"
                        + " 0 retained messages",
                HealthApi.words(starting(Stage.READING, 0)));
        assertEquals(
                "starting: the store has been read; 3000 of about 5000 sessions are back",
                HealthApi.words(starting(Stage.DONE, 3000)));
        assertEquals(
                "starting: the store has been read",
                HealthApi.words(new Broker.Starting(
                        new Store.Opening(Stage.DONE, 0, Part.NONE, Part.NONE, Part.NONE, Part.NONE), 0, 0)));
        String json = body(starting(Stage.READING, 0));
        assertTrue(
                json.contains("\"step\":\"reading\"") && json.contains("\"sessions\":{\"done\":1200,\"about\":5000}"),
                json);
    }
}
