package org.dunlin.core;

import org.dunlin.core.session.Shards;

/** Any thread. What tests of other packages may see of a broker as operators do. */
public final class InspectionProbe {
    private InspectionProbe() {}

    public static Inspection of(Shards shards) {
        return new Inspection(shards);
    }
}
