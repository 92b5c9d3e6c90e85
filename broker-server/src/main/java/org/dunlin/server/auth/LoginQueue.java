package org.dunlin.server.auth;

import org.dunlin.core.spi.Authenticator.Credentials;

/** Where logins wait until somebody has time to check them. Any thread. */
public interface LoginQueue {
    /**
     * Runs the task on another thread when the turn of the address has come that the login is from.
     *
     * @throws java.util.concurrent.RejectedExecutionException if there is no room
     */
    void add(Credentials of, Task task);

    /** The check of one login. */
    interface Task {
        void run();

        /** How many logins of its address may be checked at once, itself included; asked when it could begin. */
        int atOnce();
    }
}
