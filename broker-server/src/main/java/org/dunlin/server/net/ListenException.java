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

    /** Whether somebody else has the address and port. */
    public boolean isAddressInUse() {
        return addressInUse;
    }
}
