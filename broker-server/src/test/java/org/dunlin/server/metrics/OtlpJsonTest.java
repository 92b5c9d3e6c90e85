package org.dunlin.server.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import org.dunlin.core.figures.Histogram;
import org.junit.jupiter.api.Test;

/** Field names and kinds are those of opentelemetry-proto's metrics.proto, in its JSON. */
class OtlpJsonTest {
    @Test
    void everyKind_isWrittenAsTheProtocolSays() throws Exception {
        Families families = new Families();
        families.counter("a_things", "Things.", points -> points.add(7, "qos", "1"));
        families.gauge("b_bytes", "Bytes.", 5);
        Histogram histogram = new Histogram(1_000_000, 2_000_000);
        histogram.record(500_000);
        histogram.record(9_000_000);
        families.histogram("c_seconds", "Seconds.", Families.NANOS, points -> points.add(histogram.read()));
        families.summary("d_seconds", "Total.", points -> points.add(new Families.Total(3, 1.5), "gc", "G1"));
        families.info("e", "Info.", "version", "1");
        byte[] json = new OtlpJson(Map.of("service.name", "dunlin"), 1000).write(families.snapshots(), 2000);

        JsonNode resource = new ObjectMapper().readTree(json).at("/resourceMetrics/0");
        assertEquals(
                "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"dunlin\"}}",
                resource.at("/resource/attributes/0").toString());
        assertEquals("org.dunlin", resource.at("/scopeMetrics/0/scope/name").asText());
        JsonNode metrics = resource.at("/scopeMetrics/0/metrics");
        String times = "\"startTimeUnixNano\":\"1000000000\",\"timeUnixNano\":\"2000000000\"";
        assertEquals(
                "{\"name\":\"a_things\",\"description\":\"Things.\",\"sum\":{\"aggregationTemporality\":2,\"isMonotonic\":true,"
                        + "\"dataPoints\":[{\"attributes\":[{\"key\":\"qos\",\"value\":{\"stringValue\":\"1\"}}],"
                        + times
                        + ",\"asDouble\":7.0}]}}",
                metrics.get(0).toString());
        assertEquals(
                "{\"name\":\"b_bytes\",\"description\":\"Bytes.\",\"unit\":\"By\",\"gauge\":{\"dataPoints\":[{\"attributes\":[],"
                        + times + ",\"asDouble\":5.0}]}}",
                metrics.get(1).toString());
        assertEquals(
                "{\"name\":\"c_seconds\",\"description\":\"Seconds.\",\"unit\":\"s\",\"histogram\":{\"aggregationTemporality\":2,"
                        + "\"dataPoints\":[{\"attributes\":[]," + times
                        + ",\"count\":\"2\",\"sum\":0.0095,\"bucketCounts\":[\"1\",\"0\",\"1\"],\"explicitBounds\":[0.001,0.002]}]}}",
                metrics.get(2).toString());
        assertEquals(
                "{\"count\":\"3\",\"sum\":1.5}",
                new ObjectMapper()
                        .createObjectNode()
                        .<com.fasterxml.jackson.databind.node.ObjectNode>set(
                                "count", metrics.at("/3/summary/dataPoints/0/count"))
                        .set("sum", metrics.at("/3/summary/dataPoints/0/sum"))
                        .toString());
        assertEquals("e_info", metrics.at("/4/name").asText());
        assertEquals(1.0, metrics.at("/4/gauge/dataPoints/0/asDouble").asDouble());
    }
}
