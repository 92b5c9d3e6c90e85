/** Bytes to packets and back, for both roles and all three protocol versions. */
@NullMarked
package org.dunlin.mqtt.codec;

import org.jspecify.annotations.NullMarked;
