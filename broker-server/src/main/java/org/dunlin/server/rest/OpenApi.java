package org.dunlin.server.rest;

import java.lang.reflect.AnnotatedParameterizedType;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.dunlin.server.http.Response;
import org.jspecify.annotations.Nullable;

/** What the admin port says of itself: an OpenAPI document, made of the endpoints and their records. One thread. */
public final class OpenApi {
    private final Map<String, Object> schemas = new TreeMap<>();

    private OpenApi() {}

    /**
     * The endpoint that tells of all the others and itself.
     *
     * @param cookie by which browsers are known that have logged in
     */
    public static Endpoint endpoint(List<Endpoint> others, String version, String cookie) {
        List<Endpoint> all = new ArrayList<>(others);
        Supplier<Response> answer = onceAsked(all, version, cookie);
        Endpoint self = new Endpoint(
                "GET",
                "api/v1/openapi.json",
                null,
                "Describes all of this as an OpenAPI document.",
                List.of(),
                null,
                null,
                call -> CompletableFuture.completedFuture(answer.get()));
        all.add(self);
        return self;
    }

    /** Made when somebody asks: it looks at every record there is, which would take a tenth of each start. */
    private static Supplier<Response> onceAsked(List<Endpoint> all, String version, String cookie) {
        return new Supplier<>() {
            private @Nullable Response made;

            @Override
            public synchronized Response get() {
                Response answer = made;
                if (answer == null) {
                    answer = Json.response(200, document(all, version, cookie));
                    made = answer;
                }
                return answer;
            }
        };
    }

    static Map<String, Object> document(List<Endpoint> endpoints, String version, String cookie) {
        OpenApi api = new OpenApi();
        Map<String, Map<String, Object>> paths = new TreeMap<>();
        for (Endpoint endpoint : endpoints) {
            paths.computeIfAbsent("/" + endpoint.template(), path -> new TreeMap<>())
                    .put(endpoint.method().toLowerCase(Locale.ROOT), api.operation(endpoint));
        }
        api.schema(ApiFault.Problem.class);
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("openapi", "3.1.0");
        document.put(
                "info",
                ordered(
                        "title",
                        "Dunlin",
                        "description",
                        "Operation of a Dunlin MQTT broker.",
                        "version",
                        version,
                        "license",
                        ordered("name", "Apache 2.0", "identifier", "Apache-2.0")));
        document.put("paths", paths);
        document.put(
                "components",
                ordered(
                        "schemas",
                        api.schemas,
                        "securitySchemes",
                        ordered(
                                "token", ordered("type", "http", "scheme", "bearer"),
                                "login", ordered("type", "apiKey", "in", "cookie", "name", cookie))));
        return document;
    }

    private static Map<String, Object> ordered(Object... namesAndValues) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            map.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return map;
    }

    private Map<String, Object> operation(Endpoint endpoint) {
        Map<String, Object> operation = new LinkedHashMap<>();
        operation.put("summary", endpoint.summary());
        operation.put("operationId", operationId(endpoint));
        if (endpoint.scope() != null) {
            operation.put("description", "Needs the scope " + endpoint.scope() + ".");
            operation.put("security", List.of(Map.of("token", List.of()), Map.of("login", List.of())));
        } else {
            operation.put("security", List.of());
        }
        List<Object> parameters = new ArrayList<>();
        for (Endpoint.Parameter parameter : endpoint.parameters()) {
            parameters.add(ordered(
                    "name", parameter.name(),
                    "in", parameter.inPath() ? "path" : "query",
                    "required", parameter.required(),
                    "description", parameter.meaning(),
                    "schema",
                            Map.of(
                                    "type",
                                    switch (parameter.type()) {
                                        case TEXT -> "string";
                                        case NUMBER -> "integer";
                                        case FLAG -> "boolean";
                                    })));
        }
        operation.put("parameters", parameters);
        Class<?> body = endpoint.body();
        if (body != null) {
            operation.put("requestBody", ordered("required", true, "content", json(schema(body))));
        }
        operation.put("responses", responses(endpoint));
        return operation;
    }

    private Map<String, Object> responses(Endpoint endpoint) {
        Class<?> answer = endpoint.answer();
        Map<String, Object> responses = ordered(
                "200",
                answer == null
                        ? Map.of("description", "The answer.")
                        : ordered("description", "The answer.", "content", json(schema(answer))));
        new TreeMap<>(endpoint.others())
                .forEach((status, other) -> responses.put(
                        status.toString(),
                        ordered(
                                "description",
                                status < 400 ? "Not done yet; it goes on." : "Why not.",
                                "content",
                                json(schema(other)))));
        responses.put(
                "default",
                ordered("description", "Why not.", "content", json(Map.of("$ref", "#/components/schemas/Problem"))));
        return responses;
    }

    private static String operationId(Endpoint endpoint) {
        return (endpoint.method().toLowerCase(Locale.ROOT) + "/" + endpoint.template())
                .replace("api/v1/", "")
                .replaceAll("[{}]", "")
                .replaceAll("[^A-Za-z0-9]+", "-");
    }

    private static Map<String, Object> json(Map<String, Object> schema) {
        return Map.of("application/json", Map.of("schema", schema));
    }

    // ---- records

    private Map<String, Object> schema(Class<?> type) {
        String name = name(type);
        if (!schemas.containsKey(name)) {
            Map<String, Object> schema = new LinkedHashMap<>();
            schemas.put(name, schema);
            Map<String, Object> properties = new LinkedHashMap<>();
            List<String> required = new ArrayList<>();
            for (RecordComponent component : type.getRecordComponents()) {
                properties.put(component.getName(), property(component.getAnnotatedType()));
                if (!isNullable(component.getAnnotatedType())) {
                    required.add(component.getName());
                }
            }
            schema.put("type", "object");
            schema.put("properties", properties);
            schema.put("required", required);
            schema.put("additionalProperties", false);
        }
        return Map.of("$ref", "#/components/schemas/" + name);
    }

    /** "ClientsApi.Row" is ClientsRow: rows of different things have different names. */
    private static String name(Class<?> type) {
        Class<?> outer = type.getEnclosingClass();
        return outer == null || !outer.getSimpleName().endsWith("Api")
                ? type.getSimpleName()
                : outer.getSimpleName().replaceFirst("Api$", "") + type.getSimpleName();
    }

    private static boolean isNullable(AnnotatedType type) {
        return type.isAnnotationPresent(Nullable.class);
    }

    private Map<String, Object> property(AnnotatedType annotated) {
        Map<String, Object> schema = valueOf(annotated);
        if (!isNullable(annotated)) {
            return schema;
        }
        return Map.of("anyOf", List.of(schema, Map.of("type", "null")));
    }

    private Map<String, Object> valueOf(AnnotatedType annotated) {
        Type type = annotated.getType();
        if (type instanceof ParameterizedType parameterized && annotated instanceof AnnotatedParameterizedType each) {
            AnnotatedType[] arguments = each.getAnnotatedActualTypeArguments();
            return parameterized.getRawType() == List.class
                    ? Map.of("type", "array", "items", property(arguments[0]))
                    : Map.of("type", "object", "additionalProperties", property(arguments[1]));
        }
        Class<?> raw = (Class<?>) type;
        if (raw.isRecord()) {
            return schema(raw);
        } else if (raw.isEnum()) {
            List<String> words = new ArrayList<>();
            for (Object constant : raw.getEnumConstants()) {
                words.add(constant.toString());
            }
            return Map.of("type", "string", "enum", words);
        } else if (raw == String.class) {
            return Map.of("type", "string");
        } else if (raw == boolean.class || raw == Boolean.class) {
            return Map.of("type", "boolean");
        } else if (raw == double.class || raw == Double.class) {
            return Map.of("type", "number");
        } else if (raw == int.class || raw == long.class || raw == Integer.class || raw == Long.class) {
            return Map.of("type", "integer");
        }
        throw new IllegalArgumentException("no schema for " + type);
    }
}
