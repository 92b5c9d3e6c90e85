package org.dunlin.architecture;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.SynchronizedTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreeScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Budgets of size, which keep a class readable in one sitting. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TidyTest {
    private static final int LINES_OF_A_FILE = 600;
    private static final int LINES_OF_A_METHOD = 60;
    private static final int FILES_OF_A_PACKAGE = 25;

    private final Map<String, Integer> files = new TreeMap<>();
    private final Map<String, Integer> methods = new TreeMap<>();
    private final Map<Path, Integer> packages = new TreeMap<>();
    private final List<String> locks = new ArrayList<>();

    TidyTest() throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
            List<Path> sources = SourceTree.mainSources();
            JavacTask task = (JavacTask) compiler.getTask(
                    null, manager, null, List.of("-proc:none"), null, manager.getJavaFileObjectsFromPaths(sources));
            SourcePositions positions = Trees.instance(task).getSourcePositions();
            for (CompilationUnitTree unit : task.parse()) {
                Path path = Path.of(unit.getSourceFile().toUri());
                packages.merge(path.getParent(), 1, Integer::sum);
                scan(unit, path.getFileName().toString(), positions);
            }
        }
    }

    private void scan(CompilationUnitTree unit, String file, SourcePositions positions) {
        long end = positions.getEndPosition(unit, unit);
        files.merge(file, (int) unit.getLineMap().getLineNumber(Math.max(end, 0)), Math::max);
        String packageName = String.valueOf(unit.getPackageName());
        boolean lockFree = packageName.matches("org\\.dunlin\\.core\\.(client|session)");
        new TreeScanner<Void, Void>() {
            @Override
            public Void visitMethod(MethodTree method, Void none) {
                methods.merge(file + "#" + method.getName(), lines(method), Math::max);
                return super.visitMethod(method, none);
            }

            @Override
            public Void visitSynchronized(SynchronizedTree block, Void none) {
                if (lockFree) {
                    locks.add(file + ":" + unit.getLineMap().getLineNumber(positions.getStartPosition(unit, block)));
                }
                return super.visitSynchronized(block, none);
            }

            private int lines(Tree tree) {
                long first = unit.getLineMap().getLineNumber(positions.getStartPosition(unit, tree));
                return (int) (unit.getLineMap().getLineNumber(positions.getEndPosition(unit, tree)) - first + 1);
            }
        }.scan(unit, null);
    }

    @Test
    void theScan_findsTheSources() {
        assertTrue(files.size() > 60 && methods.size() > 300, files.size() + " files, " + methods.size() + " methods");
    }

    @Test
    void files_areNotTooLong() {
        assertWithin(LINES_OF_A_FILE, files);
    }

    @Test
    void methods_areNotTooLong() {
        assertWithin(LINES_OF_A_METHOD, methods);
    }

    @Test
    void packages_areNotTooWide() {
        packages.forEach((folder, count) ->
                assertTrue(count <= FILES_OF_A_PACKAGE, folder.getFileName() + " has " + count + " files"));
    }

    @Test
    void clientsAndSessions_haveNoLocks() {
        assertTrue(locks.isEmpty(), () -> "synchronized in " + locks);
    }

    private static void assertWithin(int budget, Map<String, Integer> sizes) {
        List<String> over = sizes.entrySet().stream()
                .filter(size -> size.getValue() > budget)
                .map(size -> size.getKey() + " has " + size.getValue() + " lines")
                .toList();
        assertTrue(over.isEmpty(), () -> "more than " + budget + " lines: " + over);
    }
}
