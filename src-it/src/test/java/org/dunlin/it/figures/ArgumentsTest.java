package org.dunlin.it.figures;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ArgumentsTest {
    private static final Map<String, String> DEFAULTS = Map.of("rounds", "5", "java", "-Xmx1g", "work", "target/x");

    @Test
    void whatIsGiven_isTaken_theRestIsByDefault() {
        Arguments arguments = new Arguments(DEFAULTS, "java=-Xmx2g,-Da=b", "rounds=7", "rounds=8");
        assertEquals(8, arguments.number("rounds"));
        assertEquals(8.0, arguments.decimal("rounds"));
        assertEquals(List.of("-Xmx2g", "-Da=b"), arguments.list("java"));
        assertEquals(Path.of("target/x").toAbsolutePath(), arguments.path("work"));
    }

    @Test
    void whatIsUnknownOrNoPair_isRefused_withWhatThereIs() {
        for (String wrong : List.of("round=7", "rounds", "=7", "")) {
            assertEquals(
                    "unknown argument " + wrong + "; known, with defaults: {java=-Xmx1g, rounds=5, work=target/x}",
                    assertThrows(IllegalArgumentException.class, () -> new Arguments(DEFAULTS, wrong))
                            .getMessage());
        }
    }

    @Test
    void whatIsNoNumber_isSaid() {
        Arguments arguments = new Arguments(DEFAULTS, "rounds=many");
        assertEquals(
                "rounds=many: expected a whole number",
                assertThrows(IllegalArgumentException.class, () -> arguments.number("rounds"))
                        .getMessage());
        assertEquals(
                "rounds=many: expected a number",
                assertThrows(IllegalArgumentException.class, () -> arguments.decimal("rounds"))
                        .getMessage());
    }
}
