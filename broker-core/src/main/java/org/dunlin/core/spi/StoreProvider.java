package org.dunlin.core.spi;

/** Makes stores of one kind; found by {@link java.util.ServiceLoader} and chosen by its name. Any thread. */
public interface StoreProvider {
    /** The value of {@code storage.engine} that means this one. */
    String name();

    /** A store that is still to be opened; touches no file. */
    Store create(StoreSettings settings);
}
