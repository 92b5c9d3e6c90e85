package org.dunlin.persistence.rocksdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreException.Kind;
import org.dunlin.core.spi.StoreSettings.Durability;
import org.dunlin.persistence.StoreExport;
import org.dunlin.persistence.StoreExport.ExportException;
import org.dunlin.persistence.StoreFiles;
import org.dunlin.persistence.StoreFiles.Census;
import org.dunlin.persistence.StoreFiles.Inspection;
import org.dunlin.persistence.StoreFiles.Repair;
import org.dunlin.persistence.Stores;
import org.dunlin.persistence.rocksdb.Layout.Family;
import org.dunlin.persistence.testing.Engine;
import org.dunlin.persistence.testing.Sample;
import org.dunlin.persistence.testing.Told;
import org.dunlin.persistence.testing.Uses;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/** What is done to the files of a store that no broker uses: whole ones, those of a killed broker, and damaged ones. */
class StoreFilesTest {
    @TempDir
    static Path fixtures;

    @TempDir
    Path directory;

    private static List<String> sample;

    @BeforeAll
    static void fill() throws Exception {
        Path live = fixtures.resolve("live");
        try (Store store = store(live)) {
            store.open(new Told());
            Sample.fill(store);
            Told told = new Told();
            copy(live, fixtures.resolve("killed"));
            try (Store copy = store(fixtures.resolve("look"))) {
                copy(live, fixtures.resolve("look"));
                copy.open(told);
                sample = Sample.contents(copy, told);
            }
        }
        copy(live, fixtures.resolve("closed"));
        assertTrue(sample.size() > 100, sample.toString());
    }

    private static Store store(Path path) {
        return Stores.create("rocksdb", Engine.settings(path, Durability.FSYNC));
    }

    private static StoreFiles files(Path path) throws StoreException {
        return Stores.files("rocksdb", Engine.settings(path, Durability.FSYNC));
    }

    /** Without what says that somebody uses it. */
    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Path name = to.resolve(from.relativize(file));
                if (Files.isDirectory(file)) {
                    Files.createDirectories(name);
                } else if (!file.startsWith(from.resolve("native"))) {
                    Files.copy(file, name);
                }
            }
        }
    }

    private Path data(String fixture, String name) throws IOException {
        Path data = directory.resolve(name);
        copy(fixtures.resolve(fixture), data);
        return data;
    }

    /** Every file and directory with all that the system says of it but the time of the last read. */
    private static Map<String, String> state(Path root) throws IOException {
        Map<String, String> state = new TreeMap<>();
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                String content = Files.isDirectory(file) ? "directory" : Arrays.hashCode(Files.readAllBytes(file)) + "";
                state.put(root.relativize(file).toString(), content + " " + Files.getLastModifiedTime(file));
            }
        }
        return state;
    }

    private static List<String> contents(Path data) throws StoreException {
        Told told = new Told();
        try (Store store = store(data)) {
            store.open(told);
            return Sample.contents(store, told);
        }
    }

    private static Inspection inspectUntouched(Path data) throws Exception {
        Map<String, String> before = state(data);
        Inspection found = files(data).inspect();
        assertEquals(before, state(data));
        return found;
    }

    private static String faults(Inspection found) {
        return found.faults().toString();
    }

    private static Path file(Path data, String ending) throws IOException {
        List<Path> found = filesOf(data, ending);
        assertFalse(found.isEmpty(), "no " + ending);
        return found.get(found.size() - 1);
    }

    private static List<Path> filesOf(Path data, String ending) throws IOException {
        List<Path> found = new ArrayList<>();
        try (Stream<Path> all = Files.list(data.resolve("db"))) {
            all.filter(name -> name.toString().endsWith(ending)).sorted().forEach(found::add);
        }
        return found;
    }

    /** The table with the most bytes of those that hold a text. */
    private static Path tableOf(Path data, Family family) throws Exception {
        try (Database database = Database.open(data.resolve("db"), 1 << 20, Database.Mode.INSPECT)) {
            return database.rocks.getLiveFilesMetaData().stream()
                    .filter(table -> Arrays.equals(table.columnFamilyName(), family.label))
                    .map(table -> data.resolve("db").resolve(table.fileName().substring(1)))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static void flip(Path file, long at) throws IOException {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(at);
            int old = bytes.read();
            bytes.seek(at);
            bytes.write(old ^ 0x10);
        }
    }

    private static void cut(Path file, long length) throws IOException {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.setLength(length);
        }
    }

    @Test
    void inspect_countsAllAndChangesNothing_whetherTheBrokerWasStoppedOrKilled() throws Exception {
        for (String fixture : List.of("closed", "killed")) {
            Inspection found = inspectUntouched(data(fixture, fixture));
            assertEquals(List.of(), found.faults());
            Census census = found.census();
            assertEquals(2, census.sessions());
            assertEquals(1, census.groups());
            assertEquals(3, census.subscriptions());
            assertEquals(38 + 13 + 13, census.queued());
            assertEquals(3, census.flows());
            assertEquals(Sample.RETAINED, census.retained());
            assertEquals(1, census.delayed());
            assertTrue(
                    census.bodies() > 10 && census.queuedBytes() > 10_000 && census.diskBytes() > 10_000, "" + census);
        }
    }

    @Test
    void everything_ofADirectoryInUse_isRefusedAndNamesWhoUsesIt() throws Exception {
        Path data = data("closed", "used");
        try (Store store = store(data)) {
            store.open(new Told());
            StoreFiles files = files(data);
            for (var use : List.<org.junit.jupiter.api.function.Executable>of(
                    files::inspect,
                    files::repair,
                    () -> files.backup(directory.resolve("copy")),
                    () -> StoreExport.write(files, new StringWriter()))) {
                StoreException refusal = assertThrows(StoreException.class, use);
                assertEquals(Kind.LOCKED, refusal.kind());
                assertTrue(
                        refusal.getMessage()
                                .contains("pid " + ProcessHandle.current().pid()),
                        refusal.getMessage());
            }
        }
    }

    @Test
    void everything_withoutAStore_isRefusedAndMakesNone() throws Exception {
        Path none = directory.resolve("none");
        assertThrows(StoreException.class, () -> files(none).inspect());
        assertThrows(StoreException.class, () -> files(none).repair());
        assertThrows(StoreException.class, () -> files(none).backup(directory.resolve("copy")));
        assertFalse(Files.exists(none));
        assertFalse(Files.exists(directory.resolve("copy")));
    }

    @Test
    void memory_hasNoFiles() {
        StoreException refusal = assertThrows(
                StoreException.class, () -> Stores.files("memory", Engine.settings(directory, Durability.FSYNC)));
        assertEquals(Kind.UNSUPPORTED, refusal.kind());
    }

    @Test
    void inspect_ofANewerLayout_isRefused() throws Exception {
        Path data = data("closed", "newer");
        Files.writeString(data.resolve("FORMAT"), "product=dunlin\nlayout=7\n");
        assertEquals(
                Kind.NEWER_FORMAT,
                assertThrows(StoreException.class, () -> files(data).inspect()).kind());
        assertEquals(
                Kind.NEWER_FORMAT,
                assertThrows(StoreException.class, () -> files(data).repair()).kind());
    }

    @Test
    void backup_canBeStartedFrom_andIsRefusedWhereSomethingIs() throws Exception {
        for (String fixture : List.of("closed", "killed")) {
            Path data = data(fixture, fixture);
            Path copy = directory.resolve("copy of " + fixture);
            Map<String, String> before = state(data);
            assertEquals(64, files(data).backup(copy).census().queued());
            assertEquals(before, state(data));
            assertThrows(StoreException.class, () -> files(data).backup(copy));
            assertEquals(sample, contents(copy));
        }
    }

    @Test
    void backup_ofADamagedStore_leavesNoCopy() throws Exception {
        Path data = data("closed", "data");
        flip(tableOf(data, Family.RETAINED), 100);
        Path copy = directory.resolve("copy");
        assertEquals(
                Kind.DAMAGED,
                assertThrows(StoreException.class, () -> files(data).backup(copy))
                        .kind());
        assertFalse(Files.exists(copy));
    }

    // --- damages and repairs

    /** Repairs and returns what became of it; afterwards nothing is wrong, a broker starts, and the old files are aside. */
    private static Repair repaired(Path data, boolean isDamage) throws Exception {
        Inspection found = inspectUntouched(data);
        assertEquals(isDamage, !found.faults().isEmpty(), faults(found));
        Map<String, String> before = state(data.resolve("db"));
        Repair repair = files(data).repair();
        before.keySet().removeIf(name -> name.startsWith("LOG") || name.equals("LOCK") || name.isEmpty());
        Map<String, String> aside = state(repair.aside().resolve("db"));
        before.forEach((name, content) -> assertEquals(content, aside.get(name), name));
        Inspection after = inspectUntouched(data);
        assertEquals(List.of(), after.faults());
        try (Store store = store(data)) {
            store.open(new Told());
            SessionKey late = new SessionKey(store.nextId(), 1);
            Uses.commit(store, batch -> batch.putSession(late, Uses.session("late")));
        }
        assertEquals(List.of(), files(data).inspect().faults());
        return repair;
    }

    @Test
    void repair_ofWhatIsWhole_changesNothing() throws Exception {
        Path data = data("closed", "data");
        Map<String, String> before = state(data.resolve("db"));
        Repair repair = files(data).repair();
        assertEquals(data, repair.aside());
        assertEquals(before, state(data.resolve("db")));
        assertEquals(sample, contents(data));
    }

    @Test
    void bitFlip_inATable_losesOneStretchOfItsRows() throws Exception {
        Path data = directory.resolve("data");
        try (Store store = store(data)) {
            store.open(new Told());
            Uses.commit(store, batch -> batch.putSession(Sample.ANN, Uses.session("ann")));
            for (int i = 1; i <= 1000; i++) {
                Uses.enqueue(store, Uses.message(i, "a/" + i, 100), Sample.ANN);
            }
        }
        Path table = tableOf(data, Family.QUEUE);
        flip(table, Files.size(table) / 2);
        String said = faults(inspectUntouched(data));
        assertTrue(
                said.contains("a table is damaged or missing")
                        && said.contains(table.getFileName().toString()),
                said);
        assertTrue(said.contains("rows cannot be read"), said);
        Repair repair = repaired(data, true);
        assertEquals(1, repair.gaps());
        long queued = files(data).inspect().census().queued();
        assertTrue(queued >= 900 && queued < 1000, queued + " are left");
        Told told = new Told();
        try (Store store = store(data)) {
            store.open(told);
            List<Long> places = Uses.readAll(store, 1).places();
            assertTrue(places.contains(1L) && places.contains(1000L), "both sides of the damage");
            assertEquals(queued, places.size());
        }
    }

    @Test
    void table_missingOrCut_losesItsRowsOnly() throws Exception {
        for (Family family : List.of(Family.QUEUE, Family.BODY, Family.RETAINED, Family.SESSION)) {
            Path data = data("closed", "missing " + family);
            Files.delete(tableOf(data, family));
            Repair repair = repaired(data, true);
            assertTrue(repair.gaps() > 0, repair.toString());
            Census left = files(data).inspect().census();
            assertEquals(family == Family.RETAINED ? 0 : Sample.RETAINED, left.retained());
            assertEquals(family == Family.SESSION ? 0 : 3, left.subscriptions());
            if (family == Family.BODY) {
                assertTrue(left.queued() > 20, "those in the queue itself are left: " + left);
            }
            Path cut = data("closed", "cut " + family);
            Path table = tableOf(cut, family);
            cut(table, Files.size(table) / 2);
            repaired(cut, true);
        }
    }

    @Test
    void bitFlip_inALog_losesWhatIsAroundIt() throws Exception {
        Path data = data("killed", "data");
        Path log = file(data, ".log");
        flip(log, Files.size(log) - 20_000);
        Repair repair = repaired(data, true);
        assertEquals(0, repair.lostChanges(), "behind the damage there is more");
        assertTrue(files(data).inspect().census().sessions() > 0, repair.toString());
    }

    @Test
    void log_missing_losesWhatWasInIt() throws Exception {
        Path data = data("killed", "data");
        try (Mark mark = Mark.open(data.resolve("seq.mark"))) {
            mark.write(new Mark.State(60, 1, 1, false));
        }
        Files.delete(file(data, ".log"));
        Repair repair = repaired(data, true);
        assertTrue(repair.lostChanges() > 0, repair.toString());
        assertEquals(0, files(data).inspect().census().queued());
    }

    @Test
    void log_tornBehindTheMark_isNoFault() throws Exception {
        Path data = data("killed", "data");
        try (Mark mark = Mark.open(data.resolve("seq.mark"))) {
            mark.write(new Mark.State(5, 1, 1, false));
        }
        Path log = file(data, ".log");
        cut(log, Files.size(log) - 7);
        Inspection found = inspectUntouched(data);
        assertEquals(List.of(), found.faults());
        Path rubbish = data("killed", "rubbish");
        try (RandomAccessFile end = new RandomAccessFile(file(rubbish, ".log").toFile(), "rw")) {
            end.seek(end.length());
            end.write(new byte[] {1, 2, 3, 4, 5, 0, 1, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20});
        }
        assertEquals(List.of(), inspectUntouched(rubbish).faults());
    }

    @Test
    void log_tornBeforeTheMark_isAFaultThatSaysHowMuchIsMissing() throws Exception {
        Path data = data("killed", "data");
        try (Mark mark = Mark.open(data.resolve("seq.mark"))) {
            mark.write(new Mark.State(100, 1, 1, false));
        }
        Path log = file(data, ".log");
        cut(log, Files.size(log) - 30_000);
        String said = faults(inspectUntouched(data));
        assertTrue(said.contains("changes that were on disk are missing from the log"), said);
        assertTrue(repaired(data, true).lostChanges() > 0);
    }

    @Test
    void currentOrFormatOrMark_missing_isMendedWithoutLoss() throws Exception {
        for (String name : List.of("db/CURRENT", "FORMAT", "seq.mark")) {
            Path data = data("closed", name.replace('/', ' '));
            Files.delete(data.resolve(name));
            Repair repair = files(data).repair();
            assertEquals(0, repair.dropped() + repair.gaps() + repair.lostChanges(), name + " " + repair);
            assertEquals(sample, contents(data), name);
        }
    }

    @Test
    void manifest_altered_isAFault_andIsRepairedOrLeftAlone() throws Exception {
        Path data = data("closed", "data");
        Path manifest = data.resolve("db")
                .resolve(Files.readString(data.resolve("db/CURRENT")).trim());
        int tried = 0;
        for (long at = 10; at < Files.size(manifest) - 300; at += 211) {
            Path altered = data("closed", "altered " + at);
            flip(altered.resolve("db").resolve(manifest.getFileName()), at);
            assertTrue(faults(inspectUntouched(altered)).contains("list of files is damaged"), "at " + at);
            assertThrows(StoreException.class, () -> export(altered));
            Map<String, String> before = state(altered.resolve("db"));
            tried++;
            try {
                files(altered).repair();
                assertEquals(List.of(), files(altered).inspect().faults());
                contents(altered);
            } catch (StoreException refusal) {
                assertTrue(refusal.getMessage().contains("Restore a backup"), refusal.getMessage());
                assertEquals(before, state(altered.resolve("db")));
                assertFalse(Files.exists(altered.resolve("db.work")) || Files.exists(altered.resolve("db.rebuilt")));
            }
        }
        assertTrue(tried > 2, tried + " places");
    }

    @Test
    void manifest_missing_cannotBeRepaired_andNothingIsChanged() throws Exception {
        Path data = data("closed", "data");
        try (Stream<Path> files = Files.list(data.resolve("db"))) {
            for (Path file : files.filter(path -> path.getFileName().toString().startsWith("MANIFEST"))
                    .toList()) {
                Files.delete(file);
            }
        }
        Map<String, String> before = state(data.resolve("db"));
        StoreException refusal =
                assertThrows(StoreException.class, () -> files(data).repair());
        assertTrue(refusal.getMessage().contains("MANIFEST"), refusal.getMessage());
        assertEquals(Kind.DAMAGED, refusal.kind());
        assertEquals(before, state(data.resolve("db")));
    }

    @Test
    void records_thatNoCodeWrote_areFoundByKind_andDropped() throws Exception {
        Path data = data("closed", "data");
        try (Database database = Database.open(data.resolve("db"), 1 << 20, Database.Mode.USE)) {
            put(database, Family.RETAINED, new byte[] {'x'}, new byte[] {9, 1, 2});
            put(database, Family.RETAINED, new byte[] {'y'}, new byte[] {9});
            put(database, Family.SUBSCRIPTION, Layout.key(77, new byte[] {'#'}), new byte[] {1, 1, 0, 0, 0, 0});
            put(database, Family.FLOW, new byte[] {1, 2}, Records.number(1));
            byte[] lost =
                    Records.queued(Uses.message(1, "t", 5), org.dunlin.mqtt.Qos.AT_LEAST_ONCE, false, new int[0], true);
            Records.setBody(lost, 9999);
            put(database, Family.QUEUE, Layout.key(1, 5000), lost);
            put(database, Family.BODY, Layout.key(5000), Records.message(Uses.message(1, "t", 5)));
            put(database, Family.SESSION, Layout.key(1L << 40), Records.session(1, Uses.session("far")));
        }
        String said = faults(inspectUntouched(data));
        for (String part : List.of(
                "has version 9",
                "count=2",
                "belongs to a session that is not there",
                "key of a packet identifier",
                "missing from the shared messages",
                "owner 1 place 5000",
                "are in no queue",
                "that is not reserved")) {
            assertTrue(said.contains(part), part + " is not in " + said);
        }
        Repair repair = repaired(data, true);
        assertEquals(6, repair.dropped());
        assertEquals(3, files(data).inspect().census().sessions() - 1, "far is kept, late was added");
    }

    private static void put(Database database, Family family, byte[] key, byte[] value) throws RocksDBException {
        try (WriteBatch batch = new WriteBatch();
                WriteOptions sync = new WriteOptions().setSync(true)) {
            batch.put(database.family(family), key, value);
            database.rocks.write(sync, batch);
        }
    }

    @Test
    void repair_thatWasCutShort_goesOn() throws Exception {
        Path data = data("closed", "data");
        Files.delete(data.resolve("db/CURRENT"));
        Path other = data("closed", "other");
        Files.move(other.resolve("db"), data.resolve("db.rebuilt"));
        Files.createDirectories(data.resolve("salvage-before"));
        Files.move(data.resolve("db"), data.resolve("salvage-before/db"));
        files(data).repair();
        assertEquals(sample, contents(data));
        assertEquals(List.of(), files(data).inspect().faults());
    }

    // --- export and import

    private static String export(Path data) throws Exception {
        StringWriter out = new StringWriter();
        StoreExport.write(files(data), out);
        return out.toString();
    }

    @Test
    void export_import_export_isTheSame_andAStoreHasTheSameContents() throws Exception {
        for (String fixture : List.of("closed", "killed")) {
            Path data = data(fixture, fixture);
            Map<String, String> before = state(data);
            String first = export(data);
            assertEquals(before, state(data));
            Path copy = directory.resolve("copy of " + fixture);
            Map<String, Long> counts = StoreExport.read(new StringReader(first), files(copy));
            assertEquals(64L, counts.get("queued"));
            assertEquals(2L, counts.get("session"));
            assertEquals(first, export(copy));
            assertEquals(List.of(), files(copy).inspect().faults());
            assertEquals(sample, contents(copy));
        }
    }

    @Test
    void export_ofADamagedStore_isRefused() throws Exception {
        Path data = data("closed", "data");
        Files.delete(tableOf(data, Family.BODY));
        assertEquals(
                Kind.DAMAGED,
                assertThrows(StoreException.class, () -> export(data)).kind());
    }

    @Test
    void import_ofACutOrAlteredExport_isRefused_andLeavesNothing() throws Exception {
        String whole = export(data("closed", "data"));
        List<String> lines = whole.lines().toList();
        AtomicInteger tried = new AtomicInteger();
        for (int cut = 0; cut < whole.length() - 1; cut += Math.max(1, whole.length() / 40)) {
            refused(whole.substring(0, cut), tried);
        }
        for (int left = 0; left < lines.size(); left += 7) {
            List<String> fewer = new ArrayList<>(lines);
            fewer.remove(left);
            refused(String.join("\n", fewer) + "\n", tried);
        }
        assertTrue(refused(whole + "{\"retained\":1}\n", tried).contains("behind the end"));
        assertTrue(refused(whole.replaceFirst("\"version\":1", "\"version\":2"), tried)
                .contains("version 2"));
        assertTrue(
                refused(whole.replaceFirst("\"qos\":\\d", "\"qos\":3"), tried).contains("qos is 3"));
        assertTrue(refused(whole.replaceFirst("\"client-id\"", "\"clientid\""), tried)
                .contains("client-id is missing"));
        assertTrue(refused("[[[[[[", tried).startsWith("line 1"));
        assertTrue(refused("{\"format\":{\"a\":{\"b\":{}}}}", tried).startsWith("line 1"));
        assertTrue(tried.get() > 40);
    }

    @Test
    void import_ofWhatIsThereTwice_isRefused_andLeavesNothing() throws Exception {
        String whole = export(data("closed", "data"));
        AtomicInteger tried = new AtomicInteger();
        for (String kind : List.of("subscription", "queued", "released", "retained", "delayed")) {
            String twice = doubled(whole, kind);
            Path target = directory.resolve("twice " + kind);
            StoreException refusal = assertThrows(
                    StoreException.class, () -> StoreExport.read(new StringReader(twice), files(target)), kind);
            assertTrue(refusal.getMessage().contains("twice"), refusal.getMessage());
            assertFalse(Files.exists(target));
        }
        for (String kind : List.of("session", "group")) {
            assertTrue(refused(doubled(whole, kind), tried).contains("second time"));
            String otherNumber = doubled(whole, kind).replaceFirst("\"" + kind + "\":(\\d)", "\"" + kind + "\":77$1");
            assertTrue(refused(otherNumber, tried).contains("' is there a second time"));
        }
    }

    /** With the first line of a kind twice, and the count of them at the end as it is then. */
    private static String doubled(String export, String kind) {
        List<String> lines = new ArrayList<>(export.lines().toList());
        for (int i = 0; i < lines.size() - 1; i++) {
            if (lines.get(i).startsWith("{\"" + kind + "\":")) {
                lines.add(i, lines.get(i));
                break;
            }
        }
        long count = lines.stream()
                .filter(line -> line.startsWith("{\"" + kind + "\":"))
                .count();
        int end = lines.size() - 1;
        lines.set(end, lines.get(end).replaceFirst("\"" + kind + "\":\\d+", "\"" + kind + "\":" + count));
        return String.join("\n", lines) + "\n";
    }

    private String refused(String text, AtomicInteger tried) throws Exception {
        Path target = directory.resolve("import " + tried.incrementAndGet());
        String said = assertThrows(ExportException.class, () -> StoreExport.read(new StringReader(text), files(target)))
                .getMessage();
        assertFalse(Files.exists(target), said);
        return said;
    }

    @Test
    void import_thatWasCutShort_isNamed_andCanBeRunAgain() throws Exception {
        String whole = export(data("closed", "data"));
        Path early = directory.resolve("early");
        Path filling = directory.resolve("filling");
        try (StoreFiles.Filling begun = files(filling).fill()) {
            begun.begin(1, 1, 1);
            copy(filling, early);
        }
        Path late = directory.resolve("late");
        StoreExport.read(new StringReader(whole), files(late));
        Files.move(late.resolve("db"), late.resolve("db.part"));
        for (Path part : List.of(early, late)) {
            for (String said : List.of(
                    assertThrows(StoreException.class, () -> store(part).open(new Told()))
                            .getMessage(),
                    assertThrows(StoreException.class, () -> files(part).inspect())
                            .getMessage(),
                    assertThrows(StoreException.class, () -> files(part).repair())
                            .getMessage())) {
                assertTrue(said.contains("import that was cut short"), said);
            }
            StoreExport.read(new StringReader(whole), files(part));
            assertEquals(whole, export(part));
            assertFalse(Files.exists(part.resolve("db.part")));
        }
    }

    @Test
    void import_intoADirectoryThatIsNotEmpty_isRefused() throws Exception {
        Path data = data("closed", "data");
        String whole = export(data);
        Map<String, String> before = state(data);
        assertThrows(StoreException.class, () -> StoreExport.read(new StringReader(whole), files(data)));
        assertEquals(before, state(data));
    }
}
