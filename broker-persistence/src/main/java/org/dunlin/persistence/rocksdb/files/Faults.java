package org.dunlin.persistence.rocksdb.files;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dunlin.persistence.StoreFiles.Fault;

/** Kinds of faults, how often each was met and where first. One thread. */
final class Faults {
    private final Map<String, Fault> kinds = new LinkedHashMap<>();

    void add(String what, String where) {
        add(what, 1, where);
    }

    void add(String what, long count, String where) {
        if (count > 0) {
            kinds.merge(
                    what,
                    new Fault(what, count, where),
                    (old, more) -> new Fault(what, old.count() + count, old.where()));
        }
    }

    boolean isEmpty() {
        return kinds.isEmpty();
    }

    List<Fault> list() {
        return List.copyOf(kinds.values());
    }
}
