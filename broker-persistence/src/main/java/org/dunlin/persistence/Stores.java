package org.dunlin.persistence;

import java.util.List;
import java.util.ServiceLoader;
import java.util.TreeSet;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreProvider;
import org.dunlin.core.spi.StoreSettings;

/** The stores on the class or module path, by the names they are configured with. Any thread. */
public final class Stores {
    private Stores() {}

    /**
     * A new store of that kind, to be opened.
     *
     * @throws IllegalArgumentException if there is none of that name; the message lists those there are
     */
    public static Store create(String engine, StoreSettings settings) {
        return provider(engine).create(settings);
    }

    /**
     * The files of a store of that kind.
     *
     * @throws StoreException as {@link StoreException.Kind#UNSUPPORTED} if that kind has no files
     * @throws IllegalArgumentException as {@link #create}
     */
    public static StoreFiles files(String engine, StoreSettings settings) throws StoreException {
        if (provider(engine) instanceof FileStoreProvider provider) {
            return provider.files(settings);
        }
        throw new StoreException(
                StoreException.Kind.UNSUPPORTED,
                "storage.engine: " + engine + " keeps nothing in files, so there is nothing to do; choose the engine"
                        + " that wrote the directory");
    }

    private static StoreProvider provider(String engine) {
        TreeSet<String> names = new TreeSet<>();
        for (StoreProvider provider : providers()) {
            if (provider.name().equals(engine)) {
                return provider;
            }
            names.add(provider.name());
        }
        throw new IllegalArgumentException(
                "storage.engine: no store is called '" + engine + "'; there is " + String.join(", ", names));
    }

    private static List<StoreProvider> providers() {
        return ServiceLoader.load(StoreProvider.class, Stores.class.getClassLoader()).stream()
                .map(ServiceLoader.Provider::get)
                .toList();
    }
}
