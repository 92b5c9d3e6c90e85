package org.dunlin.persistence.rocksdb;

import static org.dunlin.persistence.testing.Uses.commit;
import static org.dunlin.persistence.testing.Uses.message;
import static org.dunlin.persistence.testing.Uses.session;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreSettings.Durability;
import org.dunlin.mqtt.Qos;
import org.dunlin.persistence.testing.Engine;
import org.dunlin.persistence.testing.Told;
import org.dunlin.persistence.testing.Uses.Place;

/** A process of its own that opens a store and writes until it is killed, saying each place once it is committed. */
public final class Holder {
    private static final SessionKey ANN = new SessionKey(1, 1);

    private Holder() {}

    static Process start(Path data, Durability durability, String... options) throws Exception {
        String path = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", path, Holder.class.getName(), data.toString(), durability.name()));
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    public static void main(String[] arguments) throws Exception {
        RocksStore store = new RocksStore(Engine.settings(Path.of(arguments[0]), Durability.valueOf(arguments[1])));
        try {
            store.open(new Told());
        } catch (StoreException e) {
            System.out.println(e.kind() + " " + e.getMessage());
            return;
        }
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        System.out.println("open");
        for (int i = 1; ; i++) {
            int id = i;
            Place place = new Place(ANN, Qos.AT_LEAST_ONCE, false);
            commit(store, batch -> batch.enqueue(message(id, "a", 20 + id % 3000), List.of(place)));
            System.out.println(place.seq);
        }
    }
}
