package org.dunlin.server.rest;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.type.LogicalType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.stream.Collectors;
import org.dunlin.server.config.Nearest;
import org.dunlin.server.config.Quote;
import org.dunlin.server.http.Response;

/** Records as JSON and back, each component under its name. Any thread. */
public final class Json {
    private static final int DEPTH_MAX = 16;

    private static final ObjectMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(DEPTH_MAX)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .withCoercionConfig(LogicalType.Textual, config -> {
                config.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail);
                config.setCoercion(CoercionInputShape.Float, CoercionAction.Fail);
                config.setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail);
            })
            .build();

    private Json() {}

    public static byte[] bytes(Object value) {
        try {
            return MAPPER.writeValueAsBytes(value);
        } catch (JsonProcessingException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    public static String text(Object value) {
        try {
            return MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    public static Response response(int status, Object value) {
        return Response.of(status, Response.JSON, bytes(value)).with("cache-control", "no-store");
    }

    /**
     * @param type a record
     * @throws ApiFault 400 if the text is none, in words for people
     */
    public static <T> T read(byte[] text, Class<T> type) throws ApiFault {
        if (text.length == 0) {
            throw ApiFault.badRequest("the body is missing; send JSON");
        }
        try {
            T value = MAPPER.readValue(text, type);
            if (value == null) {
                throw ApiFault.badRequest("the body is null; send an object");
            }
            return value;
        } catch (UnrecognizedPropertyException unknown) {
            List<String> known = unknown.getKnownPropertyIds().stream()
                    .map(String::valueOf)
                    .sorted()
                    .toList();
            String nearest = Nearest.of(unknown.getPropertyName(), known);
            throw ApiFault.badRequest("the body has " + Quote.of(unknown.getPropertyName()) + ", which is no field; "
                    + (nearest == null ? "fields are " + String.join(", ", known) : "did you mean " + nearest + "?"));
        } catch (JsonMappingException unfit) {
            throw ApiFault.badRequest("the body does not fit: " + path(unfit)
                    + " has another type than it should, or is" + " missing; see /api/v1/openapi.json");
        } catch (JsonProcessingException malformed) {
            JsonLocation where = malformed.getLocation(); // none where it is too deep
            throw ApiFault.badRequest(
                    where == null
                            ? "the body has more than " + DEPTH_MAX + " levels, or a value that is too long"
                            : "the body is no JSON: look at line " + where.getLineNr() + ", column "
                                    + where.getColumnNr());
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    private static String path(JsonMappingException unfit) {
        String path = unfit.getPath().stream()
                .map(each -> each.getFieldName() == null ? "[" + each.getIndex() + "]" : each.getFieldName())
                .collect(Collectors.joining("."));
        return path.isEmpty() ? "the whole" : path;
    }
}
