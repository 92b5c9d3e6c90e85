package org.dunlin.server.metrics;

import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.dunlin.server.http.Response;
import org.jspecify.annotations.Nullable;

/** Figures as Prometheus reads them. Any thread but a loop. */
public final class Exposition {
    private static final int USUAL_BYTES = 32 * 1024;

    private final Metrics metrics;
    private final ExpositionFormatWriter plain = PrometheusTextFormatWriter.create();
    private final ExpositionFormatWriter open = OpenMetricsTextFormatWriter.create();

    public Exposition(Metrics metrics) {
        this.metrics = metrics;
    }

    /**
     * The figures of this moment.
     *
     * @param accept header of the request, or null; OpenMetrics if it names that, else Prometheus' text format
     */
    public Response answer(@Nullable String accept) {
        ExpositionFormatWriter format = accept != null && open.accepts(accept) ? open : plain;
        ByteArrayOutputStream body = new ByteArrayOutputStream(USUAL_BYTES);
        try {
            format.write(body, metrics.read());
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return Response.of(200, format.getContentType(), body.toByteArray());
    }
}
