package org.dunlin.server.rest;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** From method and path to the endpoint meant. Immutable; any thread. */
public final class Routes {
    private final List<Endpoint> endpoints;
    private final Map<Integer, List<Route>> byLength = new HashMap<>();

    private record Route(List<String> segments, Endpoint endpoint) {}

    public Routes(List<Endpoint> endpoints) {
        this.endpoints = List.copyOf(endpoints);
        for (Endpoint endpoint : endpoints) {
            List<String> segments = List.of(endpoint.template().split("/", -1));
            byLength.computeIfAbsent(segments.size(), size -> new ArrayList<>()).add(new Route(segments, endpoint));
        }
    }

    public List<Endpoint> endpoints() {
        return endpoints;
    }

    /** @param variables what stands for the segments in braces */
    public record Found(Endpoint endpoint, Map<String, String> variables) {}

    /** @throws ApiFault 404 if there is nothing at the path, 405 if there is but not by that method */
    public Found find(String method, List<String> path) throws ApiFault {
        TreeSet<String> others = new TreeSet<>();
        for (Route route : byLength.getOrDefault(path.size(), List.of())) {
            Map<String, String> variables = match(route.segments(), path);
            if (variables != null) {
                if (route.endpoint().method().equals(method)) {
                    return new Found(route.endpoint(), variables);
                }
                others.add(route.endpoint().method());
                if (route.endpoint().method().equals("GET")) {
                    others.add("HEAD");
                }
            }
        }
        if (others.isEmpty()) {
            throw ApiFault.notFound("there is nothing at this path; /api/v1/openapi.json says what there is");
        }
        throw new ApiFault(405, "this path takes " + String.join(", ", others))
                .with("allow", String.join(", ", others));
    }

    private static @Nullable Map<String, String> match(List<String> template, List<String> path) {
        Map<String, String> variables = new LinkedHashMap<>();
        for (int i = 0; i < template.size(); i++) {
            String expected = template.get(i);
            String there = path.get(i);
            if (expected.startsWith("{")) {
                if (there.isEmpty()) {
                    return null;
                }
                variables.put(expected.substring(1, expected.length() - 1), there);
            } else if (!expected.equals(there)) {
                return null;
            }
        }
        return variables;
    }
}
