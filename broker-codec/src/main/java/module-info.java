/** The MQTT vocabulary, and bytes to packets and back. */
module org.dunlin.codec {
    requires transitive io.netty.buffer;
    requires static transitive org.jspecify;

    exports org.dunlin.mqtt;
    exports org.dunlin.mqtt.codec;
}
