/** Listeners, configuration and the command line. */
module org.dunlin.server {
    requires org.dunlin.core;
    requires org.dunlin.persistence;
    requires io.netty.buffer;
    requires io.netty.common;
    requires io.netty.transport;
    requires io.netty.transport.classes.epoll;
    requires io.netty.transport.classes.kqueue;
    requires io.netty.codec;
    requires io.netty.codec.http;
    requires io.netty.handler;
    requires org.slf4j;
    requires ch.qos.logback.classic;
    requires ch.qos.logback.core;
    requires info.picocli;
    requires org.snakeyaml.engine;
    requires java.naming;
    requires jdk.management;
    requires static org.jspecify;

    opens org.dunlin.server.cli to
            info.picocli;

    provides ch.qos.logback.classic.spi.Configurator with
            org.dunlin.server.logging.EarlyLog;
}
