/** Listeners, configuration and the command line. */
@SuppressWarnings("requires-automatic") // jose4j and Prometheus' have no module descriptors
module org.dunlin.server {
    requires org.dunlin.core;
    requires org.dunlin.persistence;
    requires io.netty.buffer;
    requires io.netty.common;
    requires io.netty.transport;
    requires io.netty.transport.classes.epoll;
    requires io.netty.transport.unix.common;
    requires io.netty.transport.classes.kqueue;
    requires io.netty.codec;
    requires io.netty.codec.http;
    requires io.netty.handler;
    requires io.netty.tcnative.classes.openssl;
    requires org.slf4j;
    requires ch.qos.logback.classic;
    requires ch.qos.logback.core;
    requires info.picocli;
    requires io.prometheus.metrics.model;
    requires io.prometheus.writer.text;
    requires com.fasterxml.jackson.core;
    requires com.fasterxml.jackson.databind;
    requires com.ongres.stringprep;
    requires org.bouncycastle.provider;
    requires org.snakeyaml.engine;
    requires java.naming;
    requires java.net.http;
    requires jdk.management;
    requires org.jose4j;
    requires static org.jspecify;

    opens org.dunlin.server.admin to
            com.fasterxml.jackson.databind;
    opens org.dunlin.server.rest to
            com.fasterxml.jackson.databind;
    opens org.dunlin.server.cli to
            info.picocli;
    opens org.dunlin.server.cli.remote to
            info.picocli;
    opens org.dunlin.server.cli.security to
            info.picocli;
    opens org.dunlin.server.cli.store to
            info.picocli;
    opens org.dunlin.server.trace to
            com.fasterxml.jackson.databind;

    provides ch.qos.logback.classic.spi.Configurator with
            org.dunlin.server.logging.EarlyLog;
}
