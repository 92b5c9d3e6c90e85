package org.dunlin.mqtt;

import java.util.List;

/**
 * SUBSCRIBE. Filters are as the client wrote them and may be invalid as topic filters, which is answered one by one.
 *
 * @param packetId 1 to 65,535
 * @param subscriptionId 1 to 268,435,455; 0 if there is none
 * @param entries at least one
 */
public record Subscribe(int packetId, int subscriptionId, List<Entry> entries, List<UserProperty> userProperties)
        implements Packet {

    @Override
    public PacketType type() {
        return PacketType.SUBSCRIBE;
    }

    /** One topic filter with its options. For 3.x only the QoS is the client's. */
    public record Entry(
            String filter, Qos qos, boolean noLocal, boolean retainAsPublished, RetainHandling retainHandling) {

        public Entry(String filter, Qos qos) {
            this(filter, qos, false, false, RetainHandling.SEND);
        }
    }

    /** When retained messages are sent for a subscription; the ordinal is the number on the wire. */
    public enum RetainHandling {
        SEND,
        SEND_IF_NEW,
        DO_NOT_SEND
    }
}
