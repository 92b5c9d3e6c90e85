package org.dunlin.it.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * As many wrong logins as a program in C can send, while a client that is connected goes on and others of its user come in anew.
 * How long it takes is printed and decides nothing; {@code -Ddunlin.it.flood.seconds=20} is what docs/performance.md has.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class LoginFloodIT {
    private static final int KNOWN = 10;
    private static final long PAUSE_NANOS = 2_000_000;
    private static final int SECONDS = Integer.getInteger("dunlin.it.flood.seconds", 5);

    @ParameterizedTest
    @CsvSource({
        // what they meet; hash; auth.ban.after; addresses; users; version
        "banned addresses,             sha512, 10,    20,  1000, 5",
        "banned addresses 3.1.1,       sha512, 10,    20,  1000, 4",
        "no bans,                      sha512,  0,   100,  1000, 5",
        "no bans and slow hashes,      argon2,  0,   100,  1000, 5",
        "many addresses,               argon2, 10, 50000, 50000, 5",
        "her own account,              argon2, 10, 50000,     1, 5",
    })
    void flood_leavesOthersTheirService(
            String what, String hash, int after, int addresses, int users, int version, @TempDir Path folder)
            throws Exception {
        Accounts accounts = new Accounts(folder.resolve("users"));
        if (hash.equals("argon2")) {
            accounts.add("ann", "sesame");
        } else {
            Files.writeString(accounts.file(), Hashes.line("ann", "sesame"));
        }
        List<String> settings = List.of(
                "auth.password-file=" + accounts.file(),
                "auth.ban.after=" + after,
                "auth.ban.exempt=127.0.0.1/32",
                "limits.exempt-addresses=127.0.0.1/32");
        ExecutorService clients = Executors.newFixedThreadPool(2);
        try (RunningBroker broker = RunningBroker.start(settings);
                MqttSocket healthy = broker.socket()) {
            healthy.connect(ann("healthy"));
            boolean guessesHers = users == 1;
            for (int i = 0; guessesHers && i < KNOWN; i++) {
                comeIn(broker, i); // an address that was right before is let in at once
            }
            LoginStorm storm = new LoginStorm(
                    broker,
                    "seconds=" + SECONDS,
                    "addresses=" + addresses,
                    guessesHers ? "user=ann" : "users=" + users,
                    "version=" + version);
            long before = cpuMillis(broker);
            Future<List<Long>> trips = clients.submit(publishing(healthy, storm));
            Future<List<Long>> logins =
                    clients.submit(comingIn(broker, storm, guessesHers ? KNOWN : Integer.MAX_VALUE));
            Map<String, Double> figures = storm.figures();
            print(what, "round trips", trips.get());
            print(what, "new logins", logins.get());
            double attempts = figures.get("attempts");
            System.out.printf(
                    "%s: broker CPU %.0f us an attempt%n", what, (cpuMillis(broker) - before) * 1000 / attempts);
            assertEquals(0, figures.get("accepted"));
            assertEquals(0, figures.get("errors"));
            assertTrue(figures.get("refused") + figures.get("busy") + figures.get("closed") > 0, figures::toString);
            if (what.startsWith("banned")) {
                assertTrue(figures.get("closed") > 0, () -> "nobody was closed when it was accepted: " + figures);
            }
        } finally {
            clients.shutdownNow();
        }
    }

    private static Connect ann(String clientId) {
        return Connect.builder(ProtocolVersion.MQTT_5, clientId)
                .userName("ann")
                .password("sesame".getBytes(StandardCharsets.UTF_8))
                .build();
    }

    private static long cpuMillis(RunningBroker broker) {
        return ProcessHandle.of(broker.pid())
                .orElseThrow()
                .info()
                .totalCpuDuration()
                .orElseThrow()
                .toMillis();
    }

    /** Each message is acknowledged, one after the other, at the pace of a busy client that is no load itself. @return nanoseconds of each */
    private static Callable<List<Long>> publishing(MqttSocket healthy, LoginStorm storm) {
        return () -> {
            List<Long> taken = new ArrayList<>();
            for (int id = 1; !storm.isOver(); id = id % 65_535 + 1) {
                long began = System.nanoTime();
                healthy.send(new Publish(MqttSocket.message("flood", "m", Qos.AT_LEAST_ONCE, false), id, false));
                assertEquals(id, healthy.receiveAck(PacketType.PUBACK).packetId());
                taken.add(System.nanoTime() - began);
                LockSupport.parkNanos(PAUSE_NANOS);
            }
            return taken;
        };
    }

    /** Each from another of so many addresses, where nobody has failed; not more than a user would have. */
    private static Callable<List<Long>> comingIn(RunningBroker broker, LoginStorm storm, int addresses) {
        return () -> {
            List<Long> taken = new ArrayList<>();
            for (int i = 0; !storm.isOver(); i++) {
                long began = System.nanoTime();
                comeIn(broker, i % addresses);
                taken.add(System.nanoTime() - began);
                LockSupport.parkNanos(10 * PAUSE_NANOS);
            }
            return taken;
        };
    }

    private static void comeIn(RunningBroker broker, int address) {
        String from = "127.200." + address / 250 + "." + (address % 250 + 1);
        try (MqttSocket fresh = MqttSocket.open(broker.port(), from)) {
            assertEquals(ReasonCode.SUCCESS, fresh.connect(ann("fresh")).reason());
        }
    }

    private static void print(String what, String kind, List<Long> nanos) {
        assertTrue(nanos.size() > 0, "not one of the " + kind);
        Collections.sort(nanos);
        System.out.printf(
                "%s: %d %s, p50 %.2f ms, p99 %.2f ms, max %.2f ms%n",
                what,
                nanos.size(),
                kind,
                nanos.get(nanos.size() / 2) / 1e6,
                nanos.get(nanos.size() * 99 / 100) / 1e6,
                nanos.get(nanos.size() - 1) / 1e6);
    }
}
