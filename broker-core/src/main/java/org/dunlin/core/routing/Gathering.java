package org.dunlin.core.routing;

import java.util.Arrays;
import org.dunlin.mqtt.Qos;

/** What the overlapping subscriptions of one receiver come to for the message in hand [MQTT-3.3.4-2]. Shard thread only. */
public final class Gathering {
    private long stamp = -1;
    private Qos qos = Qos.AT_MOST_ONCE;
    private boolean retain;
    private int[] subscriptionIds = Subscription.NO_IDS;

    public Gathering() {}

    /** @return true if it is the first subscription of this receiver under that stamp */
    public boolean add(long stamp, Subscription subscription) {
        if (this.stamp != stamp) {
            this.stamp = stamp;
            qos = subscription.qos();
            retain = subscription.retainAsPublished();
            subscriptionIds = subscription.subscriptionIds();
            return true;
        }
        qos = Qos.max(qos, subscription.qos());
        retain |= subscription.retainAsPublished();
        int[] more = subscription.subscriptionIds();
        if (more.length > 0) {
            int[] all = Arrays.copyOf(subscriptionIds, subscriptionIds.length + more.length);
            System.arraycopy(more, 0, all, subscriptionIds.length, more.length);
            subscriptionIds = all;
        }
        return false;
    }

    public Qos qos() {
        return qos;
    }

    public boolean retainAsPublished() {
        return retain;
    }

    public int[] subscriptionIds() {
        return subscriptionIds;
    }
}
