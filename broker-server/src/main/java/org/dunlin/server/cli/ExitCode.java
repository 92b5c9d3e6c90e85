package org.dunlin.server.cli;

/** What the process answers its caller with; scripts rely on the numbers. Any thread. */
public final class ExitCode {
    public static final int OK = 0;
    public static final int UNEXPECTED = 1;
    /** Wrong usage or configuration. */
    public static final int USAGE = 2;
    /** The data directory is locked, damaged, from a newer version or not writable. */
    public static final int DATA_DIRECTORY = 3;

    public static final int ADDRESS_IN_USE = 4;

    /** What {@code dunlin acl explain} was asked about is not allowed. */
    public static final int DENIED = 5;

    private ExitCode() {}
}
