package org.dunlin.mqtt;

import org.jspecify.annotations.Nullable;

/** The versions of the protocol that are spoken here. */
public enum ProtocolVersion {
    MQTT_3_1("MQIsdp", 3, "3.1"),
    MQTT_3_1_1("MQTT", 4, "3.1.1"),
    MQTT_5("MQTT", 5, "5.0");

    private final String protocolName;
    private final int level;
    private final String label;

    ProtocolVersion(String protocolName, int level, String label) {
        this.protocolName = protocolName;
        this.level = level;
        this.label = label;
    }

    /** The protocol name of CONNECT. */
    public String protocolName() {
        return protocolName;
    }

    /** The protocol level (v5: protocol version) byte of CONNECT. */
    public int level() {
        return level;
    }

    public boolean isV5() {
        return this == MQTT_5;
    }

    /** The version that has this name and level, or null if there is none. */
    public static @Nullable ProtocolVersion of(String protocolName, int level) {
        for (ProtocolVersion version : values()) {
            if (version.level == level && version.protocolName.equals(protocolName)) {
                return version;
            }
        }
        return null;
    }

    /** As people say it: "3.1.1". */
    @Override
    public String toString() {
        return label;
    }
}
