package org.dunlin.server.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ConfiguratorRank;
import ch.qos.logback.core.spi.ContextAwareBase;
import org.dunlin.server.config.Config.LogFormat;

/**
 * How Logback is set up until the configuration is known: warnings go to standard error, so that the output of a
 * command stays clean. No file is looked for. Called once by Logback, on the first thread that logs.
 */
@ConfiguratorRank(ConfiguratorRank.CUSTOM_TOP_PRIORITY)
public final class EarlyLog extends ContextAwareBase implements Configurator {
    public EarlyLog() {}

    @Override
    public ExecutionStatus configure(LoggerContext context) {
        LogAppender appender = new LogAppender(new LineFormat(LogFormat.TEXT), System.err::print, LastWords::end);
        appender.setContext(context);
        appender.setName("early");
        appender.start();
        Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
        root.setLevel(Level.WARN);
        root.addAppender(appender);
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
    }
}
