package org.dunlin.core.sim;

import java.util.HashMap;
import java.util.Map;

/** The test's thread only. What one session of a client has received; made anew when the broker has no session for it. */
final class SessionLog {
    final SimClient client;
    final int number;
    boolean ended;
    /** How often each message came to its application, replays of retained ones and shared ones left out. */
    final Map<String, Integer> received = new HashMap<>();

    /** How often at QoS 1 or 2. */
    final Map<String, Integer> promised = new HashMap<>();

    /** The last first delivery by publisher, its session and topic. */
    final Map<String, Sent> latest = new HashMap<>();

    SessionLog(SimClient client, int number) {
        this.client = client;
        this.number = number;
    }
}
