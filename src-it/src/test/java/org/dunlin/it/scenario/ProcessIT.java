package org.dunlin.it.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The broker as a process: what it does with signals, its output and what it is told at the start. */
class ProcessIT {
    private static final Pattern PORT = Pattern.compile("tcp://127\\.0\\.0\\.1:(\\d+)");

    @Test
    void outputThatNobodyReads_doesNotStopTheService() throws Exception {
        List<String> command = RunningBroker.command(List.of("-Xmx256m"), List.of("log.level=debug"));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try {
            BufferedReader lines =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            String line = lines.readLine();
            while (line != null && !line.contains(" Ready ")) {
                line = lines.readLine();
            }
            Matcher port = PORT.matcher(String.valueOf(line));
            assertTrue(port.find(), "not ready: " + line);
            int number = Integer.parseInt(port.group(1));
            // each logs more than 200 bytes: far more than a pipe and a buffer hold
            for (int i = 0; i < 3000; i++) {
                try (MqttSocket client = MqttSocket.open(number)) {
                    client.connect(ProtocolVersion.MQTT_3_1_1, "unheard-" + i);
                }
            }
            try (MqttSocket client = MqttSocket.open(number)) {
                client.connect(ProtocolVersion.MQTT_5, "unheard").subscribe("unheard", Qos.AT_MOST_ONCE);
                client.publish("unheard", "served", Qos.AT_MOST_ONCE);
                client.expectPublish("unheard", "served");
            }
            process.destroy();
            assertTrue(process.waitFor(30, TimeUnit.SECONDS), "SIGTERM does not end it");
            assertEquals(0, process.exitValue());
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void sigterm_tellsTheClients_andEndsWithExitCode0() {
        try (RunningBroker broker = RunningBroker.start(List.of("limits.max-connections=1000"))) {
            List<MqttSocket> clients = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                ProtocolVersion version = ProtocolVersion.values()[i % 3];
                clients.add(broker.socket().connect(version, "sigterm-" + i));
            }
            assertEquals(0, broker.stop());
            clients.forEach(client -> client.expectDisconnect(ReasonCode.SERVER_SHUTTING_DOWN));
            clients.forEach(MqttSocket::close);
        }
    }

    /** No option of the virtual machine is given, as nobody does who types what the README says. */
    @Test
    void noMemoryLeft_endsTheProcess() throws Exception {
        // a heap in which there is no room for the broker itself beside its budget
        List<String> command = RunningBroker.command(
                List.of("-Xmx24m"), List.of("limits.max-retained-bytes=1GB", "memory.budget=19MB"));
        try (RunningBroker broker = RunningBroker.run(command);
                MqttSocket client = broker.socket().connect(ProtocolVersion.MQTT_3_1_1, "greedy")) {
            String payload = "x".repeat(50_000);
            Thread publisher = new Thread(() -> {
                for (int i = 0; i < 10_000; i++) {
                    client.publish(MqttSocket.message("retained/" + i, payload, Qos.AT_MOST_ONCE, true));
                }
            });
            publisher.setUncaughtExceptionHandler((thread, closed) -> {});
            publisher.setDaemon(true);
            publisher.start();
            assertEquals(1, broker.awaitExit());
        }
    }

    @Test
    void addressInUse_isExitCode4_andOneLine() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String port = Integer.toString(taken.getLocalPort());
            String error = expectExit(4, "start", "-p", port);
            assertTrue(error.contains(port), error);
        }
    }

    @Test
    void wrongConfiguration_isExitCode2_andOneLineForEachFault() throws Exception {
        String error = expectExit(2, "start", "-p", "0", "--set", "limits.max-qoss=1");
        assertTrue(error.contains("limits.max-qos"), error);
        expectExit(2, "start", "-p", "0", "--set", "limits.max-qos=3");
    }

    @Test
    void transportOfAnotherSystem_isExitCode2_andOneLine() throws Exception {
        String foreign = System.getProperty("os.name").startsWith("Mac") ? "epoll" : "kqueue";
        String error = expectExit(2, "start", "-p", "0", "--set", "server.transport=" + foreign);
        assertTrue(error.startsWith("dunlin: server.transport: '" + foreign + "' does not work here"), error);
        assertTrue(error.contains("nio"), error);
    }

    /** In a container no locale is set: what was "k?che/#" when it was shown would have been another topic. */
    @Test
    void shownConfiguration_inAPlainLocale_isWhatWasRead(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(
                folder.resolve("c.yaml"), "queue:\n  rules:\n    - {filter: k\u00fcche/#, overflow: reject}\n");
        ProcessBuilder builder = new ProcessBuilder(
                RunningBroker.java(), "-jar", RunningBroker.jar().toString(), "config", "show", "-c", file.toString());
        builder.environment().put("LC_ALL", "C");
        Process process = builder.start();
        String shown = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor());
        assertTrue(shown.contains("filter: \"k\u00fcche/#\""), shown);
    }

    @Test
    void twoListenersOnOneAddress_isSaidToBeTheBrokersOwn() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        String error = expectExit(
                4,
                "start",
                "--set",
                "auth.allow-anonymous=true",
                "--set",
                "listeners[0].port=" + port,
                "--set",
                "listeners[1].port=" + port,
                "--set",
                "listeners[1].name=everywhere",
                "--set",
                "listeners[1].bind=0.0.0.0");
        assertTrue(
                error.contains("listener everywhere: 0.0.0.0 port " + port + " is taken by another listener"), error);
    }

    /** @return the one line of its standard error */
    private static String expectExit(int code, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(RunningBroker.java(), "-jar", RunningBroker.jar().toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD);
        builder.environment().put("DUNLIN_ADMIN_PORT", "0");
        Process process = builder.start();
        try {
            String error = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(process.waitFor(30, TimeUnit.SECONDS), "does not end");
            assertEquals(code, process.exitValue(), error);
            assertEquals(1, error.lines().count(), error);
            return error;
        } finally {
            process.destroyForcibly();
        }
    }
}
