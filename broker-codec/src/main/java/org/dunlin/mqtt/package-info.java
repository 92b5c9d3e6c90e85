/** The words of the MQTT standards as types: packets, topics, reason codes. Depends on the JDK alone. */
@NullMarked
package org.dunlin.mqtt;

import org.jspecify.annotations.NullMarked;
