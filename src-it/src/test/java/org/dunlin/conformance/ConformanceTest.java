package org.dunlin.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every duty of a broker has a test or a reason, and docs/conformance.md says which. */
class ConformanceTest {
    private static final String CURE = "; write the page and the list of gaps anew by: mvn -B -q test -pl src-it -am"
            + " -Dtest=ConformanceTest -Dsurefire.failIfNoSpecifiedTests=false -Ddunlin.conformance.write=true";
    private static final boolean WRITE = Boolean.getBoolean("dunlin.conformance.write");
    private static final Path ROOT = Path.of(System.getProperty("dunlin.root", ".."));
    private static final Path LISTS = ROOT.resolve("src-it/src/test/resources/spec");
    private static final Path PAGE = ROOT.resolve("docs/conformance.md");

    private Conformance conformance;

    @BeforeEach
    void read() throws IOException {
        conformance = new Conformance(LISTS, ROOT.resolve("src-it/target/test-classes"));
    }

    @Test
    void lists_areComplete() throws IOException {
        assertEquals(251, Statement.Source.V5.statements(LISTS).size());
        assertEquals(141, Statement.Source.V3.statements(LISTS).size());
        assertEquals(184, Statement.Source.EDGE.statements(LISTS).size());
    }

    @Test
    void clausesAndLists_nameNoUnknownStatement() {
        assertNone("no list of statements has", conformance.unknown());
    }

    @Test
    void clauses_standAtTests() {
        assertNone("no proof:", conformance.untested());
    }

    @Test
    void notObservable_hasNoTest() {
        assertNone("not-observable.tsv lists what a test proves:", conformance.provedThoughNotObservable());
    }

    @Test
    void bindingStatements_haveATestOrAReason() throws IOException {
        SortedSet<String> gaps = conformance.unproved();
        SortedSet<String> lost = new TreeSet<>(gaps);
        lost.removeAll(conformance.open());
        assertNone("neither test nor reason for", lost);
        SortedSet<String> closed = new TreeSet<>(conformance.open());
        closed.removeAll(gaps);
        if (WRITE) {
            writeGaps(gaps);
        } else {
            assertTrue(closed.isEmpty(), () -> "unproved.tsv lists what has a test or a reason: " + closed + CURE);
        }
    }

    @Test
    void page_isUpToDate() throws IOException {
        String page = conformance.page();
        if (WRITE) {
            Files.writeString(PAGE, page);
        }
        assertTrue(
                Files.exists(PAGE) && Files.readString(PAGE).equals(page), "docs/conformance.md is out of date" + CURE);
    }

    private static void writeGaps(Collection<String> gaps) throws IOException {
        Path list = LISTS.resolve("unproved.tsv");
        StringBuilder text = new StringBuilder(Files.readAllLines(list).get(0)).append('\n');
        for (String key : gaps) {
            text.append(String.join("\t", List.of(key.split(" ")))).append('\n');
        }
        Files.writeString(list, text);
    }

    private static void assertNone(String fault, Collection<String> found) {
        assertTrue(found.isEmpty(), () -> fault + " " + found);
    }
}
