package org.dunlin.persistence;

import java.util.List;
import java.util.ServiceLoader;
import java.util.TreeSet;
import org.dunlin.core.spi.Store;
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
        TreeSet<String> names = new TreeSet<>();
        for (StoreProvider provider : providers()) {
            if (provider.name().equals(engine)) {
                return provider.create(settings);
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
