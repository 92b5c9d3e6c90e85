package org.dunlin.it.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;

/** A broker with a configuration file that is changed while it runs. One thread. */
final class ConfiguredBroker implements AutoCloseable {
    private final Path file;
    private final RunningBroker broker;
    private final AdminPort admin;

    private ConfiguredBroker(Path file, RunningBroker broker, AdminPort admin) {
        this.file = file;
        this.broker = broker;
        this.admin = admin;
    }

    /** @param folder for its data and the file */
    static ConfiguredBroker start(Path folder, String yaml) throws IOException {
        Path file = Files.writeString(folder.resolve("dunlin.yaml"), yaml);
        Path data = folder.resolve("data");
        RunningBroker broker =
                RunningBroker.run(command(file, List.of("storage.path=" + data, "storage.durability=async")));
        return new ConfiguredBroker(file, broker, AdminPort.of(broker, data));
    }

    /** What starts one with a file that may describe listeners, too. */
    static List<String> command(Path file, List<String> settings) {
        List<String> command = new ArrayList<>(RunningBroker.command(List.of(), settings));
        int port = command.indexOf("-p");
        command.subList(port, port + 2).clear();
        command.addAll(List.of("--set", "listeners[0].port=0", "-c", file.toString()));
        return command;
    }

    RunningBroker broker() {
        return broker;
    }

    AdminPort admin() {
        return admin;
    }

    MqttSocket socket() {
        return broker.socket();
    }

    /** @param address of this machine that it comes from */
    MqttSocket socket(String address) {
        return MqttSocket.open(broker.port(), address);
    }

    /** At once, as editors do it. */
    void write(String yaml) throws IOException {
        Path next = Files.writeString(file.resolveSibling("next.yaml"), yaml);
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** With another file; the broker follows it itself, too, so what this says may be that nothing is new. */
    JsonNode reload(String yaml) throws IOException {
        write(yaml);
        return admin.change("POST", "/api/v1/config/reload", null);
    }

    /** What the file says is in force when this returns. */
    void now(String yaml) throws IOException {
        JsonNode outcome = reload(yaml);
        assertEquals(0, outcome.path("faults").size(), outcome.toString());
    }

    /** The file has a fault, which is told with these words. */
    void refuses(String yaml, String words) throws IOException {
        JsonNode outcome = reload(yaml);
        assertFalse(outcome.path("faults").isEmpty(), "is taken");
        assertEquals(0, outcome.path("changes").size(), outcome.toString());
        String faults = outcome.path("faults").toString();
        assertEquals(words, faults.contains(words) ? words : faults);
    }

    String inForce(String key) {
        for (JsonNode item : admin.get("/api/v1/config").path("items")) {
            if (item.path("key").asText().equals(key)) {
                return item.path("value").asText();
            }
        }
        return "none";
    }

    @Override
    public void close() {
        broker.close();
    }
}
