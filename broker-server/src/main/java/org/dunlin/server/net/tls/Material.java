package org.dunlin.server.net.tls;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Any thread. All that the files of a TLS listener hold.
 *
 * @param main shown unless another fits better
 * @param named in the order of {@link TlsSettings#sni()}
 * @param revocation null without lists
 */
record Material(
        Credentials main, List<Credentials> named, @Nullable Revocation revocation) {
    Material {
        named = List.copyOf(named);
    }

    /** @throws TlsFault for the first fault */
    static Material read(TlsSettings settings, Credentials.Snapshot files) throws TlsFault {
        Credentials main = Credentials.read(settings, files);
        List<Credentials> named = new ArrayList<>();
        for (TlsSettings.Named each : settings.sni()) {
            named.add(Credentials.read(each, settings.password(), files));
        }
        return new Material(main, named, revocation(settings, files, main));
    }

    private static @Nullable Revocation revocation(TlsSettings settings, Credentials.Snapshot files, Credentials main)
            throws TlsFault {
        Path crl = settings.crl();
        return crl == null || settings.clientAuth() == TlsSettings.ClientAuth.NONE
                ? null
                : Revocation.read(crl, files.content(crl), main.trusted());
    }

    /** Each part that is in order; in place of each that is not, the one that is here. One line for each fault. */
    Material renewed(TlsSettings settings, Credentials.Snapshot files, Consumer<String> faults) {
        Credentials newMain = main;
        try {
            newMain = Credentials.read(settings, files);
        } catch (TlsFault fault) {
            faults.accept("the certificate it has: " + fault.text());
        }
        List<Credentials> newNamed = new ArrayList<>();
        for (int i = 0; i < named.size(); i++) {
            try {
                newNamed.add(Credentials.read(settings.sni().get(i), settings.password(), files));
            } catch (TlsFault fault) {
                newNamed.add(named.get(i));
                faults.accept("the certificate it has: " + fault.text());
            }
        }
        Revocation newRevocation = revocation;
        try {
            newRevocation = revocation(settings, files, newMain);
        } catch (TlsFault fault) {
            faults.accept("the revocation lists it has: " + fault.text());
        }
        return new Material(newMain, newNamed, newRevocation);
    }

    /** Every fault of the files. */
    static List<String> faults(TlsSettings settings, Credentials.Snapshot files) {
        List<String> faults = new ArrayList<>();
        Credentials main = null;
        try {
            main = Credentials.read(settings, files);
        } catch (TlsFault fault) {
            faults.add(fault.text());
        }
        for (TlsSettings.Named each : settings.sni()) {
            try {
                Credentials.read(each, settings.password(), files);
            } catch (TlsFault fault) {
                faults.add(fault.text());
            }
        }
        for (String unreadable : files.unreadable()) {
            if (!faults.contains(unreadable)) {
                faults.add(unreadable);
            }
        }
        try {
            if (main != null) {
                revocation(settings, files, main);
            }
        } catch (TlsFault fault) {
            if (!faults.contains(fault.text())) {
                faults.add(fault.text());
            }
        }
        return faults;
    }

    /** Main first. */
    List<Credentials> shown() {
        List<Credentials> shown = new ArrayList<>(List.of(main));
        shown.addAll(named);
        return shown;
    }
}
