package org.dunlin.conformance;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.dunlin.conformance.Statement.Source;
import org.dunlin.it.Clause;
import org.junit.platform.commons.annotation.Testable;

/** Which test proves which statement: the lists of {@code spec/} joined with the {@link Clause}s of the tests. One thread. */
final class Conformance {
    /** In the order of the lists. */
    private final Map<String, Statement> statements = new LinkedHashMap<>();

    private final Map<String, SortedSet<String>> proofs = new TreeMap<>();
    private final Map<String, String> reasons = new TreeMap<>();
    private final SortedSet<String> open = new TreeSet<>();
    private final SortedSet<String> untested = new TreeSet<>();

    /**
     * @param lists folder of the lists
     * @param tests folder of the compiled tests
     */
    Conformance(Path lists, Path tests) throws IOException {
        for (Source source : Source.values()) {
            source.statements(lists).forEach(statement -> statements.put(statement.key(), statement));
        }
        for (List<String> row : Statement.rows(lists.resolve("not-observable.tsv"))) {
            reasons.put(row.get(0) + " " + row.get(1), row.get(2));
        }
        for (List<String> row : Statement.rows(lists.resolve("unproved.tsv"))) {
            open.add(row.get(0) + " " + row.get(1));
        }
        for (JavaClass type : new ClassFileImporter().importPath(tests)) {
            for (JavaMethod method : type.getMethods()) {
                method.tryGetAnnotationOfType(Clause.class).ifPresent(clause -> proof(method, clause));
            }
        }
    }

    private void proof(JavaMethod method, Clause clause) {
        String test = method.getOwner().getSimpleName() + "." + method.getName();
        if (!method.isMetaAnnotatedWith(Testable.class)) {
            untested.add(test + " has a clause and is no test");
            return;
        }
        proof(test, Source.V5, clause.v5());
        proof(test, Source.V3, clause.v3());
        proof(test, Source.EDGE, clause.edge());
    }

    private void proof(String test, Source source, String[] ids) {
        for (String id : ids) {
            proofs.computeIfAbsent(source.key + " " + id, key -> new TreeSet<>())
                    .add(test);
        }
    }

    /** What tests or lists name and no list of statements has. */
    SortedSet<String> unknown() {
        SortedSet<String> unknown = new TreeSet<>(proofs.keySet());
        unknown.addAll(reasons.keySet());
        unknown.addAll(open);
        unknown.removeAll(statements.keySet());
        return unknown;
    }

    /** Methods that claim to prove something and are never run. */
    SortedSet<String> untested() {
        return untested;
    }

    /** Binding statements with neither a test nor a reason. */
    SortedSet<String> unproved() {
        SortedSet<String> unproved = new TreeSet<>();
        for (Statement statement : statements.values()) {
            if (statement.binds() && !proofs.containsKey(statement.key()) && !reasons.containsKey(statement.key())) {
                unproved.add(statement.key());
            }
        }
        return unproved;
    }

    /** The known gaps; a list that may only become shorter. */
    SortedSet<String> open() {
        return open;
    }

    /** Statements that are said to be not observable and have a test all the same. */
    SortedSet<String> provedThoughNotObservable() {
        SortedSet<String> both = new TreeSet<>(reasons.keySet());
        both.retainAll(proofs.keySet());
        return both;
    }

    /** The content of docs/conformance.md. */
    String page() {
        StringBuilder page = new StringBuilder("""
                # Conformance

                Made by `ConformanceTest` from the statements in `src-it/src/test/resources/spec` and the `@Clause` of the tests
                over the wire. Statements are paraphrased; the OASIS standards are the authority. What binds a broker are the duties of
                a server, the rules for both sides and for formats, and of the edge cases those that a standard demands or recommends.

                | | binding | proved by a test | not observable | no test yet |
                |---|---|---|---|---|
                """);
        for (Source source : Source.values()) {
            page.append(summary(source));
        }
        for (Source source : Source.values()) {
            page.append("\n## ").append(source.title).append("\n\n");
            page.append("| id | ").append(source == Source.EDGE ? "strength" : "role");
            page.append(" | statement | proof |\n|---|---|---|---|\n");
            for (Statement statement : statements.values()) {
                if (statement.source() == source) {
                    page.append("| ").append(statement.id()).append(" | ").append(statement.duty());
                    page.append(" | ").append(cell(statement.text()));
                    page.append(" | ").append(answer(statement)).append(" |\n");
                }
            }
        }
        return page.toString();
    }

    private String summary(Source source) {
        int binding = 0;
        int proved = 0;
        int unobservable = 0;
        for (Statement statement : statements.values()) {
            if (statement.source() == source && statement.binds()) {
                binding++;
                if (proofs.containsKey(statement.key())) {
                    proved++;
                } else if (reasons.containsKey(statement.key())) {
                    unobservable++;
                }
            }
        }
        return "| " + source.title + " | " + binding + " | " + proved + " | " + unobservable + " | "
                + (binding - proved - unobservable) + " |\n";
    }

    private String answer(Statement statement) {
        SortedSet<String> tests = proofs.get(statement.key());
        if (tests != null) {
            return "`" + String.join("`, `", tests) + "`";
        }
        String reason = reasons.get(statement.key());
        if (reason != null) {
            return "not observable: " + cell(reason);
        }
        return statement.binds() ? "**no test yet**" : "";
    }

    /** Text that Markdown leaves alone inside a table. */
    private static String cell(String text) {
        return text.replaceAll("([\\\\|*_<>`\\[\\]#])", "\\\\$1");
    }
}
