package org.dunlin.persistence;

import org.dunlin.core.spi.StoreProvider;
import org.dunlin.core.spi.StoreSettings;

/** Makes stores that keep all in files. Any thread. */
public interface FileStoreProvider extends StoreProvider {
    /** The files of the store that {@link #create} would open; touches none of them. */
    StoreFiles files(StoreSettings settings);
}
