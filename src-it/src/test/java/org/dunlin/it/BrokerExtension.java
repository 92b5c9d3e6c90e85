package org.dunlin.it;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestWatcher;

/** Starts the brokers that {@link Broker} asks for, one for each set of settings; they end with the test run. */
final class BrokerExtension implements ParameterResolver, TestWatcher {
    private static final ExtensionContext.Namespace BROKERS = ExtensionContext.Namespace.create(BrokerExtension.class);
    private static final int LINES_SHOWN = 40;

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == RunningBroker.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return context.getRoot()
                .getStore(BROKERS)
                .computeIfAbsent(settings(context), RunningBroker::start, RunningBroker.class);
    }

    /** Shows what the broker had to say about it. */
    @Override
    public void testFailed(ExtensionContext context, @Nullable Throwable cause) {
        RunningBroker broker = context.getRoot().getStore(BROKERS).get(settings(context), RunningBroker.class);
        if (broker != null) {
            List<String> log = broker.log();
            List<String> latest = log.subList(Math.max(0, log.size() - LINES_SHOWN), log.size());
            System.err.println(context.getDisplayName() + " failed; the log of its broker ends with:\n"
                    + String.join("\n", latest));
        }
    }

    private static List<String> settings(ExtensionContext context) {
        Broker wanted = context.getRequiredTestClass().getAnnotation(Broker.class);
        return wanted == null
                ? List.of()
                : Arrays.stream(wanted.settings()).sorted().toList();
    }
}
