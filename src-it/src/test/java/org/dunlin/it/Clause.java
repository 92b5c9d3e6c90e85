package org.dunlin.it;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The numbered statements and edge cases that a test proves; docs/conformance.md is made from these. */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
public @interface Clause {
    /** Statements of MQTT 5.0, such as "MQTT-3.3.1-2". */
    String[] v5() default {};

    /** Statements of MQTT 3.1.1. */
    String[] v3() default {};

    /** Edge cases, such as "E041". */
    String[] edge() default {};
}
