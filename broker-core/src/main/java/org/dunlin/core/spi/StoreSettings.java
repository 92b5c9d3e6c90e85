package org.dunlin.core.spi;

import java.nio.file.Path;

/**
 * What is configured for a store, under {@code storage.*}. A store without files ignores all of it.
 *
 * @param path the data directory; made if it is not there
 * @param syncIntervalMillis with {@link Durability#ASYNC}, how much time of acknowledged changes a power cut may cost
 * @param cacheBytes of blocks read from files
 * @param minFreeBytes left on the file system, below which only changes that free space are taken; 0 for the larger of 512 MB
 *     and 2 %
 * @param maxBytes that the files may take, beyond which only changes that free space are taken; 0 for no bound
 */
public record StoreSettings(
        Path path, Durability durability, long syncIntervalMillis, long cacheBytes, long minFreeBytes, long maxBytes) {

    /** When a batch completes. */
    public enum Durability {
        /** When it is on disk: it survives a power cut. */
        FSYNC,
        /** When the operating system has it: it survives the end of the process, and is on disk soon. */
        ASYNC,
        /** As {@link #ASYNC}, but on disk only when the operating system pleases. */
        NONE
    }
}
