package org.dunlin.server.metrics;

import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import java.util.function.Consumer;
import org.dunlin.core.figures.Histogram;

/** Gathers metrics with their values of one moment. One thread. */
final class Families {
    static final double NANOS = 1e-9;

    private final MetricSnapshots.Builder all = MetricSnapshots.builder();

    /** Takes the values of one metric. */
    interface Points<V> {
        /** @param labels names and values in turn */
        void add(V value, String... labels);
    }

    /** How often something took how long in all. */
    record Total(long count, double sum) {}

    MetricSnapshots snapshots() {
        return all.build();
    }

    /** @param name without "_total", which is put behind it */
    void counter(String name, String help, Number value) {
        counter(name, help, points -> points.add(value));
    }

    void counter(String name, String help, Consumer<Points<Number>> values) {
        CounterSnapshot.Builder family = CounterSnapshot.builder().name(name).help(help);
        values.accept((value, labels) -> family.dataPoint(CounterSnapshot.CounterDataPointSnapshot.builder()
                .value(value.doubleValue())
                .labels(Labels.of(labels))
                .build()));
        all.metricSnapshot(family.build());
    }

    void gauge(String name, String help, Number value) {
        gauge(name, help, points -> points.add(value));
    }

    void gauge(String name, String help, Consumer<Points<Number>> values) {
        GaugeSnapshot.Builder family = GaugeSnapshot.builder().name(name).help(help);
        values.accept((value, labels) -> family.dataPoint(GaugeSnapshot.GaugeDataPointSnapshot.builder()
                .value(value.doubleValue())
                .labels(Labels.of(labels))
                .build()));
        all.metricSnapshot(family.build());
    }

    /** @param scale what one of the unit that was recorded is in that of the metric */
    void histogram(String name, String help, double scale, Consumer<Points<Histogram.Reading>> values) {
        HistogramSnapshot.Builder family =
                HistogramSnapshot.builder().name(name).help(help);
        values.accept((reading, labels) -> family.dataPoint(HistogramSnapshot.HistogramDataPointSnapshot.builder()
                .classicHistogramBuckets(buckets(reading, scale))
                .sum(reading.sum() * scale)
                .labels(Labels.of(labels))
                .build()));
        all.metricSnapshot(family.build());
    }

    private static ClassicHistogramBuckets buckets(Histogram.Reading reading, double scale) {
        ClassicHistogramBuckets.Builder buckets = ClassicHistogramBuckets.builder();
        long[] bounds = reading.bounds();
        for (int i = 0; i < bounds.length; i++) {
            // divided rather than multiplied: 0.0005 and not 5.000000000000001E-4
            buckets.bucket(scale == NANOS ? bounds[i] / 1e9 : bounds[i] * scale, reading.counts()[i]);
        }
        return buckets.bucket(Double.POSITIVE_INFINITY, reading.counts()[bounds.length])
                .build();
    }

    void summary(String name, String help, Consumer<Points<Total>> values) {
        SummarySnapshot.Builder family = SummarySnapshot.builder().name(name).help(help);
        values.accept((total, labels) -> family.dataPoint(SummarySnapshot.SummaryDataPointSnapshot.builder()
                .count(total.count())
                .sum(total.sum())
                .labels(Labels.of(labels))
                .build()));
        all.metricSnapshot(family.build());
    }

    /** @param name without "_info", which is put behind it */
    void info(String name, String help, String... labels) {
        all.metricSnapshot(InfoSnapshot.builder()
                .name(name)
                .help(help)
                .dataPoint(InfoSnapshot.InfoDataPointSnapshot.builder()
                        .labels(Labels.of(labels))
                        .build())
                .build());
    }
}
