package org.dunlin.it;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Gives the tests of a class a running broker as a parameter of type {@link RunningBroker}. Classes with the same settings share
 * one, so a test uses topics and client identifiers of its own.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(BrokerExtension.class)
public @interface Broker {
    /** Settings for {@code --set}, such as "limits.max-qos=1". */
    String[] settings() default {};
}
