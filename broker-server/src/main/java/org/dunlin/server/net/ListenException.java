package org.dunlin.server.net;

import java.io.IOException;

/** A listener that could not be opened; the message says which, why and what to do about it. */
public final class ListenException extends IOException {
    private static final long serialVersionUID = 1L;

    private final boolean addressInUse;

    /** @param message complete, with the name of the listener and the cure */
    public ListenException(String message, boolean addressInUse, Throwable cause) {
        super(message, cause);
        this.addressInUse = addressInUse;
    }

    /**
     * What the system says of an address that cannot be bound, in words that tell what to do.
     *
     * @param where listener, address and port
     * @param ours whether it is another listener of this broker that has the port
     */
    public static ListenException of(String where, Throwable failure, boolean ours) {
        String text = String.valueOf(failure.getMessage());
        if (text.contains("in use")) {
            return new ListenException(
                    ours
                            ? where + " is taken by another listener of this broker; give each a port of its own"
                            : where + " is in use by another process; stop that one, or choose another port (-p)",
                    true,
                    failure);
        }
        if (text.contains("ermission denied")) {
            return new ListenException(
                    where + " is not allowed to this user; choose a port from 1024 on, or grant the right to bind it",
                    false,
                    failure);
        }
        if (text.contains("assign requested address")) {
            return new ListenException(
                    where + " is no address of this machine; bind to one that it has, or to 0.0.0.0", false, failure);
        }
        return new ListenException(where + " cannot be opened: " + text, false, failure);
    }

    /** Whether somebody else has the address and port. */
    public boolean isAddressInUse() {
        return addressInUse;
    }
}
