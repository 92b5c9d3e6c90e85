package org.dunlin.server.net.tls;

/** Any thread. Files that do not make a TLS listener; the message says which, why, and what to do, and has no secret. */
final class TlsFault extends Exception {
    private static final long serialVersionUID = 1L;

    TlsFault(String message) {
        super(message, null, false, false);
    }

    String text() {
        return String.valueOf(getMessage());
    }
}
