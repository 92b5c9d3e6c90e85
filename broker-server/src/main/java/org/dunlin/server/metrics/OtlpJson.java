package org.dunlin.server.metrics;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBucket;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.DataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.Label;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;

/**
 * Figures as the JSON of OTLP's ExportMetricsServiceRequest: 64-bit integers as text, times in nanoseconds, sums and histograms
 * cumulative. Any thread.
 */
final class OtlpJson {
    private static final JsonFactory FACTORY = new JsonFactory();
    private static final int CUMULATIVE = 2;
    private static final int USUAL_BYTES = 64 * 1024;

    private final Map<String, String> resource;
    private final String startNanos;

    /**
     * @param resource attributes of the broker: service.name and the like
     * @param startMillis time of day from which on was counted
     */
    OtlpJson(Map<String, String> resource, long startMillis) {
        this.resource = resource;
        this.startNanos = nanos(startMillis);
    }

    private static String nanos(long millis) {
        return Long.toString(millis * 1_000_000);
    }

    byte[] write(MetricSnapshots metrics, long nowMillis) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(USUAL_BYTES);
        try (JsonGenerator json = FACTORY.createGenerator(out)) {
            json.writeStartObject();
            json.writeArrayFieldStart("resourceMetrics");
            json.writeStartObject();
            json.writeObjectFieldStart("resource");
            json.writeArrayFieldStart("attributes");
            for (Map.Entry<String, String> attribute : resource.entrySet()) {
                attribute(json, attribute.getKey(), attribute.getValue());
            }
            json.writeEndArray();
            json.writeEndObject();
            json.writeArrayFieldStart("scopeMetrics");
            json.writeStartObject();
            json.writeObjectFieldStart("scope");
            json.writeStringField("name", "org.dunlin");
            json.writeEndObject();
            json.writeArrayFieldStart("metrics");
            for (MetricSnapshot metric : metrics) {
                if (!metric.getDataPoints().isEmpty()) {
                    metric(json, metric, nanos(nowMillis));
                }
            }
            json.writeEndArray();
            json.writeEndObject();
            json.writeEndArray();
            json.writeEndObject();
            json.writeEndArray();
            json.writeEndObject();
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return out.toByteArray();
    }

    private static void attribute(JsonGenerator json, String name, String value) throws IOException {
        json.writeStartObject();
        json.writeStringField("key", name);
        json.writeObjectFieldStart("value");
        json.writeStringField("stringValue", value);
        json.writeEndObject();
        json.writeEndObject();
    }

    private void metric(JsonGenerator json, MetricSnapshot metric, String now) throws IOException {
        String name = metric.getMetadata().getPrometheusName();
        json.writeStartObject();
        json.writeStringField("name", metric instanceof InfoSnapshot ? name + "_info" : name);
        json.writeStringField("description", metric.getMetadata().getHelp());
        String unit = name.endsWith("_seconds") ? "s" : name.endsWith("_bytes") ? "By" : "";
        if (!unit.isEmpty()) {
            json.writeStringField("unit", unit);
        }
        json.writeObjectFieldStart(kind(metric));
        if (metric instanceof CounterSnapshot || metric instanceof HistogramSnapshot) {
            json.writeNumberField("aggregationTemporality", CUMULATIVE);
        }
        if (metric instanceof CounterSnapshot) {
            json.writeBooleanField("isMonotonic", true);
        }
        json.writeArrayFieldStart("dataPoints");
        for (DataPointSnapshot point : metric.getDataPoints()) {
            point(json, point, now);
        }
        json.writeEndArray();
        json.writeEndObject();
        json.writeEndObject();
    }

    private static String kind(MetricSnapshot metric) {
        if (metric instanceof CounterSnapshot) {
            return "sum";
        } else if (metric instanceof HistogramSnapshot) {
            return "histogram";
        } else if (metric instanceof SummarySnapshot) {
            return "summary";
        }
        return "gauge";
    }

    private void point(JsonGenerator json, DataPointSnapshot point, String now) throws IOException {
        json.writeStartObject();
        json.writeArrayFieldStart("attributes");
        for (Label label : point.getLabels()) {
            attribute(json, label.getName(), label.getValue());
        }
        json.writeEndArray();
        json.writeStringField("startTimeUnixNano", startNanos);
        json.writeStringField("timeUnixNano", now);
        if (point instanceof CounterSnapshot.CounterDataPointSnapshot counter) {
            json.writeNumberField("asDouble", counter.getValue());
        } else if (point instanceof GaugeSnapshot.GaugeDataPointSnapshot gauge) {
            json.writeNumberField("asDouble", gauge.getValue());
        } else if (point instanceof InfoSnapshot.InfoDataPointSnapshot) {
            json.writeNumberField("asDouble", 1.0);
        } else if (point instanceof SummarySnapshot.SummaryDataPointSnapshot summary) {
            json.writeStringField("count", Long.toString(summary.getCount()));
            json.writeNumberField("sum", summary.getSum());
        } else if (point instanceof HistogramSnapshot.HistogramDataPointSnapshot histogram) {
            buckets(json, histogram);
        }
        json.writeEndObject();
    }

    private static void buckets(JsonGenerator json, HistogramSnapshot.HistogramDataPointSnapshot histogram)
            throws IOException {
        json.writeStringField("count", Long.toString(histogram.getCount()));
        json.writeNumberField("sum", histogram.getSum());
        json.writeArrayFieldStart("bucketCounts");
        for (ClassicHistogramBucket bucket : histogram.getClassicBuckets()) {
            json.writeString(Long.toString(bucket.getCount()));
        }
        json.writeEndArray();
        json.writeArrayFieldStart("explicitBounds");
        for (ClassicHistogramBucket bucket : histogram.getClassicBuckets()) {
            if (!Double.isInfinite(bucket.getUpperBound())) {
                json.writeNumber(bucket.getUpperBound());
            }
        }
        json.writeEndArray();
    }
}
