package org.dunlin.it.admin;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/** What the broker says of its admin port, and whether answers are so. Immutable; any thread. */
final class OpenApiDocument {
    private final JsonNode root;

    OpenApiDocument(JsonNode root) {
        this.root = root;
    }

    JsonNode root() {
        return root;
    }

    /** @param path a template; scope "" if anybody may */
    record Operation(String method, String path, String scope, JsonNode node) {
        /** Its path, each variable being the same word. */
        String target(String word) {
            return path.replaceAll("\\{[^}]*}", word);
        }

        @Override
        public String toString() {
            return method + " " + path;
        }
    }

    List<Operation> operations() {
        List<Operation> all = new ArrayList<>();
        for (Map.Entry<String, JsonNode> path : root.path("paths").properties()) {
            for (Map.Entry<String, JsonNode> method : path.getValue().properties()) {
                JsonNode node = method.getValue();
                String description = node.path("description").asText();
                String scope = node.path("security").isEmpty()
                        ? ""
                        : description.replaceFirst("Needs the scope (\\w+)\\.", "$1");
                all.add(new Operation(method.getKey().toUpperCase(Locale.ROOT), path.getKey(), scope, node));
            }
        }
        return all;
    }

    /** The operation of a method and a target without query. */
    Operation find(String method, String target) {
        String[] segments = target.split("/", -1);
        Operation best = null;
        for (Operation operation : operations()) {
            if (operation.method().equals(method)
                    && isAt(operation.path().split("/", -1), segments)
                    && (best == null || best.path().contains("{"))) {
                best = operation;
            }
        }
        if (best == null) {
            throw new AssertionError(method + " " + target + " is not in the document");
        }
        return best;
    }

    private static boolean isAt(String[] template, String[] segments) {
        if (template.length != segments.length) {
            return false;
        }
        for (int i = 0; i < template.length; i++) {
            if (!template[i].startsWith("{") && !template[i].equals(segments[i])) {
                return false;
            }
        }
        return true;
    }

    /** Faults of an answer, as the document has it; none if it is right. */
    List<String> faults(Operation operation, int status, String type, JsonNode body) {
        JsonNode responses = operation.node().path("responses");
        JsonNode response =
                responses.has(Integer.toString(status)) ? responses.path("" + status) : responses.path("default");
        JsonNode content = response.path("content");
        List<String> faults = new ArrayList<>();
        if (content.isMissingNode()) {
            return faults;
        }
        if (!content.has(type)) {
            faults.add(operation + ": " + status + " has the type " + type + ", which is none of " + content);
            return faults;
        }
        check(content.path(type).path("schema"), body, operation + " " + status, faults);
        return faults;
    }

    /** Strict: whatever the schema does not name is a fault, and so is a keyword that this does not know. */
    void check(JsonNode schema, JsonNode value, String where, List<String> faults) {
        if (schema.has("$ref")) {
            check(root.at(schema.path("$ref").asText().substring(1)), value, where, faults);
            return;
        }
        if (schema.has("anyOf")) {
            for (JsonNode choice : schema.path("anyOf")) {
                List<String> why = new ArrayList<>();
                check(choice, value, where, why);
                if (why.isEmpty()) {
                    return;
                }
            }
            faults.add(where + ": " + value + " is none of " + schema);
            return;
        }
        String type = schema.path("type").asText();
        boolean fits = switch (type) {
            case "object" -> value.isObject();
            case "array" -> value.isArray();
            case "string" -> value.isTextual();
            case "boolean" -> value.isBoolean();
            case "integer" -> value.isIntegralNumber();
            case "number" -> value.isNumber();
            case "null" -> value.isNull();
            default -> false;
        };
        if (!fits) {
            faults.add(where + ": " + value + " is no " + schema);
        } else if (schema.has("enum") && !contains(schema.path("enum"), value)) {
            faults.add(where + ": " + value + " is none of " + schema.path("enum"));
        } else if (type.equals("array")) {
            for (int i = 0; i < value.size(); i++) {
                check(schema.path("items"), value.get(i), where + "[" + i + "]", faults);
            }
        } else if (type.equals("object")) {
            checkObject(schema, value, where, faults);
        }
    }

    private void checkObject(JsonNode schema, JsonNode value, String where, List<String> faults) {
        JsonNode more = schema.path("additionalProperties");
        for (Map.Entry<String, JsonNode> each : value.properties()) {
            JsonNode known = schema.path("properties").path(each.getKey());
            if (!known.isMissingNode()) {
                check(known, each.getValue(), where + "." + each.getKey(), faults);
            } else if (more.isObject()) {
                check(more, each.getValue(), where + "." + each.getKey(), faults);
            } else {
                faults.add(where + ": " + each.getKey() + " is not in the schema");
            }
        }
        for (JsonNode required : schema.path("required")) {
            if (!value.has(required.asText())) {
                faults.add(where + ": " + required.asText() + " is missing");
            }
        }
    }

    private static boolean contains(JsonNode words, JsonNode value) {
        for (JsonNode word : words) {
            if (word.equals(value)) {
                return true;
            }
        }
        return false;
    }

    /** What OpenAPI 3.1 asks of a document and this one lacks. */
    List<String> faults() {
        List<String> faults = new ArrayList<>();
        TreeSet<String> ids = new TreeSet<>();
        if (!root.path("openapi").asText().startsWith("3.1.")) {
            faults.add("it is no OpenAPI 3.1");
        }
        for (String needed : List.of("title", "version")) {
            if (root.path("info").path(needed).asText().isEmpty()) {
                faults.add("info has no " + needed);
            }
        }
        for (Operation operation : operations()) {
            if (!ids.add(operation.node().path("operationId").asText())) {
                faults.add(operation + ": its operationId is another's, too");
            }
            checkParameters(operation, faults);
            for (JsonNode response : operation.node().path("responses")) {
                if (response.path("description").asText().isEmpty()) {
                    faults.add(operation + ": an answer has no description");
                }
            }
        }
        for (JsonNode reference : root.findValues("$ref")) {
            if (root.at(reference.asText().substring(1)).isMissingNode()) {
                faults.add(reference + " leads nowhere");
            }
        }
        return faults;
    }

    private static void checkParameters(Operation operation, List<String> faults) {
        TreeSet<String> names = new TreeSet<>();
        for (JsonNode parameter : operation.node().path("parameters")) {
            String name = parameter.path("name").asText();
            if (!names.add(parameter.path("in").asText() + " " + name)) {
                faults.add(operation + ": has the parameter " + name + " twice");
            }
            if (parameter.path("in").asText().equals("path")
                    && (!parameter.path("required").asBoolean()
                            || !operation.path().contains("{" + name + "}"))) {
                faults.add(operation + ": the parameter " + name + " is not in its path, or not required");
            }
        }
        long variables = operation.path().chars().filter(c -> c == '{').count();
        if (names.stream().filter(name -> name.startsWith("path ")).count() != variables) {
            faults.add(operation + ": not every variable is described");
        }
    }
}
