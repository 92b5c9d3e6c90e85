package org.dunlin.it.power;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** The power fails while a broker starts for the first time, or when it has just acknowledged its first message. */
@Timeout(value = 20, unit = TimeUnit.MINUTES)
class FirstStartIT {
    private static final int CUTS = 2 * Integer.getInteger("dunlin.it.cuts", 3);
    private static final long SEED = Long.getLong("dunlin.seed", new Random().nextLong());
    private static final int DRAWS = 30;
    private static final Connect AWAY = Connect.builder(ProtocolVersion.MQTT_5, "away")
            .cleanStart(false)
            .sessionExpirySeconds(3600)
            .build();

    private final Random random = new Random(SEED);

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    private Path work;

    private Path folder;
    private Path journal;

    @BeforeEach
    void prepare() throws IOException {
        System.out.println("FirstStartIT: -Ddunlin.seed=" + SEED);
        folder = Files.createDirectory(work.toRealPath().resolve("disk"));
        journal = work.toRealPath().resolve("journal");
    }

    @Test
    void firstStart_cutAnywhere_startsAgain() {
        firstMessage().kill();
        List<Long> places = new ArrayList<>();
        Journal.read(journal, Long.MAX_VALUE, note -> {
            if (note.kind() != 'W') { // nearly all of them are of the native library
                places.add(note.end());
            }
        });
        assertTrue(places.size() > 100, places::toString);
        for (int cut = 0; cut < CUTS; cut++) {
            int place = (int) ((cut + random.nextDouble()) * places.size() / CUTS);
            try (RunningBroker again = startAfterCut(cut, places.get(place))) {
                assertEquals(0, again.stop());
            }
        }
    }

    /** What the mark says must not be there before the database that it is about. */
    @Test
    void firstStart_cutAsTheMarkIsOnDisk_startsAgainWhateverNamesAreLeft() {
        firstMessage().kill();
        long place = markOnDisk();
        Map<Set<String>, Disk> left = new LinkedHashMap<>();
        for (int draw = 0; draw < DRAWS; draw++) {
            Disk disk = cut(place);
            left.putIfAbsent(disk.files().keySet(), disk);
        }
        int number = 0;
        for (Disk disk : left.values()) {
            try (RunningBroker again = start(disk, number++)) {
                assertEquals(0, again.stop());
            }
        }
    }

    /** Where the journal says that the first mark was synced. */
    private long markOnDisk() {
        int[] file = {-1};
        List<Long> places = new ArrayList<>();
        Journal.read(journal, Long.MAX_VALUE, note -> {
            if (note.kind() == 'O' && note.path().endsWith("/seq.mark")) {
                file[0] = note.fd();
            } else if (note.kind() == 'E' && note.fd() == file[0]) {
                places.add(note.end());
            }
        });
        return places.get(0);
    }

    @Test
    void firstAcknowledged_cutAtOnce_isThere() throws IOException {
        RunningBroker broker = firstMessage();
        long acknowledged = Files.size(journal);
        broker.kill();
        for (int cut = 0; cut < CUTS / 2; cut++) {
            try (RunningBroker again = startAfterCut(cut, acknowledged);
                    MqttSocket client = again.socket()) {
                assertTrue(client.connect(AWAY).sessionPresent());
                client.expectPublish("a/b", "first");
            }
        }
    }

    @Test
    void orderlyEnd_leavesWhatTheJournalSays() {
        assertEquals(0, firstMessage().stop());
        Disk disk = Disk.empty(folder);
        disk.replay(journal);
        assertEquals(List.of(), disk.differences());
    }

    /** A new broker that has acknowledged a message for a client that is away. */
    private RunningBroker firstMessage() {
        List<String> command = new ArrayList<>(Shim.watching(folder, journal, ""));
        command.addAll(command(folder));
        RunningBroker broker = RunningBroker.run(command);
        try (MqttSocket client = broker.socket();
                MqttSocket publisher = broker.socket()) {
            client.connect(AWAY);
            client.subscribe("a/b", Qos.AT_LEAST_ONCE);
            client.disconnect();
            publisher.connect(ProtocolVersion.MQTT_5, "publisher").publish("a/b", "first", Qos.AT_LEAST_ONCE);
        }
        return broker;
    }

    private RunningBroker startAfterCut(int cut, long place) {
        System.out.println("FirstStartIT: cut " + cut + " at byte " + place + " of the journal");
        return start(cut(place), cut);
    }

    private Disk cut(long place) {
        Disk disk = Disk.empty(folder);
        disk.replay(journal, place);
        disk.cut(random);
        return disk;
    }

    private RunningBroker start(Disk disk, int number) {
        Path left = work.resolve("left" + number);
        disk.restore(left);
        return RunningBroker.run(command(left));
    }

    private static List<String> command(Path folder) {
        return RunningBroker.command(
                List.of("-XX:TieredStopAtLevel=1"),
                List.of("storage.path=" + folder.resolve("dunlin").resolve("data")));
    }
}
