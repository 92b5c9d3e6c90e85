package org.dunlin.server.metrics;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.lang.management.MemoryUsage;

/** What Java and the system say of the process, under the names that Prometheus' own libraries use. Any thread but a loop. */
final class JvmMetrics {
    private JvmMetrics() {}

    static void addTo(Families families) {
        families.info(
                "jvm_runtime",
                "The Java that runs it.",
                "version",
                Runtime.version().toString(),
                "vendor",
                System.getProperty("java.vendor", ""),
                "runtime",
                System.getProperty("java.runtime.name", ""));
        memory(families);
        families.summary("jvm_gc_collection_seconds", "Time that garbage collection took.", points -> {
            for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
                points.add(
                        new Families.Total(
                                Math.max(collector.getCollectionCount(), 0),
                                Math.max(collector.getCollectionTime(), 0) / 1e3),
                        "gc",
                        collector.getName());
            }
        });
        families.gauge(
                "jvm_threads_current",
                "Threads that live.",
                ManagementFactory.getThreadMXBean().getThreadCount());
        process(families);
    }

    private static void memory(Families families) {
        MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
        MemoryUsage heap = memory.getHeapMemoryUsage();
        MemoryUsage other = memory.getNonHeapMemoryUsage();
        families.gauge("jvm_memory_used_bytes", "Memory that Java uses.", points -> {
            points.add(heap.getUsed(), "area", "heap");
            points.add(other.getUsed(), "area", "nonheap");
        });
        families.gauge("jvm_memory_committed_bytes", "Memory that Java has from the system.", points -> {
            points.add(heap.getCommitted(), "area", "heap");
            points.add(other.getCommitted(), "area", "nonheap");
        });
        families.gauge("jvm_memory_max_bytes", "Memory that Java may use; -1 if there is no bound.", points -> {
            points.add(heap.getMax(), "area", "heap");
            points.add(other.getMax(), "area", "nonheap");
        });
        families.gauge("jvm_buffer_pool_used_bytes", "Memory of Java's own buffers outside of the heap.", points -> {
            for (BufferPoolMXBean pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
                points.add(pool.getMemoryUsed(), "pool", pool.getName());
            }
        });
    }

    private static void process(Families families) {
        if (ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system) {
            families.counter(
                    "process_cpu_seconds",
                    "Processor time that the process took.",
                    Math.max(system.getProcessCpuTime(), 0) * Families.NANOS);
        }
        if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
            families.gauge("process_open_fds", "Files and sockets that are open.", system.getOpenFileDescriptorCount());
            families.gauge(
                    "process_max_fds", "Files and sockets that may be open.", system.getMaxFileDescriptorCount());
        }
        families.gauge(
                "process_start_time_seconds",
                "Time of day at which the process was started, in seconds since 1970.",
                ManagementFactory.getRuntimeMXBean().getStartTime() / 1e3);
    }
}
