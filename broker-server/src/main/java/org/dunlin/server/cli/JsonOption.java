package org.dunlin.server.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option {@code --json}, and JSON as commands show it. Main thread. */
public final class JsonOption {
    private static final ObjectMapper MAPPER = JsonMapper.builder().build();

    @Option(names = "--json", description = "Shows the answer as JSON.")
    private boolean on;

    public boolean isOn() {
        return on;
    }

    /** @param fields name and value of each, in that order */
    public static Map<String, @Nullable Object> object(@Nullable Object... fields) {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        for (int i = 0; i < fields.length; i += 2) {
            object.put(String.valueOf(fields[i]), fields[i + 1]);
        }
        return object;
    }

    /** @param answer of {@link #object}s, lists and values */
    public static JsonNode tree(Object answer) {
        return MAPPER.valueToTree(answer);
    }

    public static void print(Object answer, PrintWriter out) {
        out.println(tree(answer).toPrettyString());
        out.flush();
    }
}
