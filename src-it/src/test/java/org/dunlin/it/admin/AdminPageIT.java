package org.dunlin.it.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The examples of docs/admin.md, taken out of the page and run. */
class AdminPageIT {
    private static final Pattern EXAMPLE = Pattern.compile("(?s)```sh\n(.*?)```");

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES) // a dozen commands, each a java of its own
    void everyExample_works(@TempDir Path folder) throws Exception {
        Path data = folder.resolve("data");
        try (RunningBroker broker = RunningBroker.start(List.of(
                        "storage.path=" + data,
                        "auth.allow-anonymous=true",
                        "auth.password-file=" + Files.writeString(folder.resolve("users"), ""),
                        "auth.acl-file=" + Files.writeString(folder.resolve("acl"), "topic readwrite #\n"),
                        "auth.ban-file=" + Files.writeString(folder.resolve("bans"), "")));
                MqttSocket first = broker.socket();
                MqttSocket second = broker.socket()) {
            for (MqttSocket socket : List.of(first, second)) {
                socket.connect(Connect.builder(ProtocolVersion.MQTT_5, "sensor-" + (socket == first ? 1 : 2))
                        .sessionExpirySeconds(600)
                        .build());
            }
            AdminPort admin = AdminPort.of(broker, data);
            String script = script(admin.url());
            assertTrue(script.lines().filter(line -> line.startsWith("api ")).count() > 30, script);
            ProcessBuilder shell = new ProcessBuilder("bash", "-eu", "-o", "pipefail", "-c", script)
                    .directory(folder.toFile())
                    .redirectErrorStream(true);
            shell.environment().keySet().removeIf(name -> name.startsWith("DUNLIN_"));
            Process process = shell.start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, process.waitFor(), said);
        }
    }

    private static String script(String url) throws Exception {
        Path page = Path.of(System.getProperty("dunlin.root", ".."), "docs", "admin.md");
        StringBuilder script = new StringBuilder("dunlin() { echo \"dunlin $*\"; '" + RunningBroker.java()
                + "' -XX:TieredStopAtLevel=1 -jar '" + RunningBroker.jar() + "' \"$@\" --url " + url + "; }\n");
        Matcher examples = EXAMPLE.matcher(Files.readString(page));
        while (examples.find()) {
            for (String line : examples.group(1).split("\n")) {
                String shown = line.replace("'", "'\\''");
                script.append("echo '+ ").append(shown).append("'\n");
                script.append(line.replace("http://127.0.0.1:18083", url)).append('\n');
            }
        }
        return script.toString();
    }
}
