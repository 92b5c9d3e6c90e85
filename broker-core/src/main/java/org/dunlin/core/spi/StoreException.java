package org.dunlin.core.spi;

/** A store cannot be opened or copied. The message tells people what is wrong, where, and what to do. */
public final class StoreException extends Exception {
    private static final long serialVersionUID = 1L;

    /** What is wrong, for those who have to tell cases apart. */
    public enum Kind {
        /** Another process uses the directory. */
        LOCKED,
        /** A newer version has written the directory. */
        NEWER_FORMAT,
        /** Files are damaged or missing; nothing was changed. */
        DAMAGED,
        NO_SPACE,
        /** The directory may not be written to, or a file operation has failed. */
        IO,
        /** The native library is missing or does not load here, or the store cannot do it at all. */
        UNSUPPORTED
    }

    private final Kind kind;

    public StoreException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    public StoreException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}
