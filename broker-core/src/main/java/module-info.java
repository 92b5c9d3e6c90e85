/** Sessions, routing and the protocol of one connection; free of Netty. */
module org.dunlin.core {
    requires transitive org.dunlin.codec;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports org.dunlin.core;
    exports org.dunlin.core.client;
    exports org.dunlin.core.inspect;
    exports org.dunlin.core.figures;
    exports org.dunlin.core.limits;
    exports org.dunlin.core.routing;
    exports org.dunlin.core.session;
    exports org.dunlin.core.spi;
}
