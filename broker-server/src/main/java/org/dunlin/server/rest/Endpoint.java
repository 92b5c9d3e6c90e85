package org.dunlin.server.rest;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.dunlin.server.http.Response;
import org.jspecify.annotations.Nullable;

/**
 * One thing that can be asked for, with all that its documentation says. Immutable; any thread.
 *
 * @param template segments with slashes between; one in braces stands for any: "api/v1/clients/{clientId}"
 * @param scope that the caller needs; null if anybody may
 * @param summary one line that begins with a verb
 * @param parameters of the path and the query
 * @param body the record that the body is, or null if there is none
 * @param answer the record that is answered with 200, or null if it is not JSON
 * @param others records that are answered with another status, where that is no {@link ApiFault.Problem}
 */
public record Endpoint(
        String method,
        String template,
        Principal.@Nullable Scope scope,
        String summary,
        List<Parameter> parameters,
        @Nullable Class<?> body,
        @Nullable Class<?> answer,
        Map<Integer, Class<?>> others,
        Action action) {
    public Endpoint {
        parameters = List.copyOf(parameters);
        others = Map.copyOf(others);
    }

    public Endpoint(
            String method,
            String template,
            Principal.@Nullable Scope scope,
            String summary,
            List<Parameter> parameters,
            @Nullable Class<?> body,
            @Nullable Class<?> answer,
            Action action) {
        this(method, template, scope, summary, parameters, body, answer, Map.of(), action);
    }

    /** The same, which may also answer with that record and that status. */
    public Endpoint answering(int status, Class<?> record) {
        Map<Integer, Class<?>> more = new LinkedHashMap<>(others);
        more.put(status, record);
        return new Endpoint(method, template, scope, summary, parameters, body, answer, more, action);
    }

    /** What is done; called by a worker. */
    public interface Action {
        /** A {@link Response}, or what one says as JSON. */
        CompletionStage<? extends Object> run(Call call) throws ApiFault;
    }

    /** An {@link Action} that is done when it returns. */
    public interface Plain {
        Object run(Call call) throws ApiFault;
    }

    /** What a parameter may be. */
    public enum Type {
        TEXT,
        NUMBER,
        FLAG
    }

    /**
     * @param required always so in the path
     * @param meaning one line
     */
    public record Parameter(String name, Type type, boolean inPath, boolean required, String meaning) {
        public static Parameter path(String name, String meaning) {
            return new Parameter(name, Type.TEXT, true, true, meaning);
        }

        public static Parameter text(String name, String meaning) {
            return new Parameter(name, Type.TEXT, false, false, meaning);
        }

        /** A text of the query without which nothing is done. */
        public static Parameter required(String name, String meaning) {
            return new Parameter(name, Type.TEXT, false, true, meaning);
        }

        public static Parameter number(String name, String meaning) {
            return new Parameter(name, Type.NUMBER, false, false, meaning);
        }

        public static Parameter flag(String name, String meaning) {
            return new Parameter(name, Type.FLAG, false, false, meaning);
        }
    }

    /** Of a page: where it begins, and how long it is. */
    public static final List<Parameter> PAGE = List.of(
            Parameter.text("after", "Begins behind this one: the 'next' of the former page."),
            Parameter.number("limit", "Items of a page, 1 to 1000; 100 if it is not said."));

    /** What somebody with the scope read may look at. */
    public static Endpoint read(
            String template, String summary, List<Parameter> parameters, Class<?> answer, Action action) {
        return new Endpoint("GET", template, Principal.Scope.READ, summary, parameters, null, answer, action);
    }

    /** What somebody with the scope write may change. */
    public static Endpoint change(
            String method,
            String template,
            String summary,
            List<Parameter> parameters,
            @Nullable Class<?> body,
            Class<?> answer,
            Action action) {
        return new Endpoint(method, template, Principal.Scope.WRITE, summary, parameters, body, answer, action);
    }

    /** The answer of what has nothing else to say. */
    public record Done(String done) {}
}
