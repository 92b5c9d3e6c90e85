/** What the broker counts, for Prometheus, for OpenTelemetry and under $SYS. */
@NullMarked
package org.dunlin.server.metrics;

import org.jspecify.annotations.NullMarked;
