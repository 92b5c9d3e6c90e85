package org.dunlin.it;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Starts the brokers that {@link Broker} asks for, one for each set of settings; they end with the test run. */
final class BrokerExtension implements ParameterResolver {
    private static final ExtensionContext.Namespace BROKERS = ExtensionContext.Namespace.create(BrokerExtension.class);

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == RunningBroker.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        Broker wanted = context.getRequiredTestClass().getAnnotation(Broker.class);
        List<String> settings = wanted == null
                ? List.of()
                : Arrays.stream(wanted.settings()).sorted().toList();
        return context.getRoot().getStore(BROKERS).computeIfAbsent(settings, RunningBroker::start, RunningBroker.class);
    }
}
