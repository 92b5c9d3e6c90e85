/** TLS below MQTT: keys and certificates from files, watched while the broker runs. */
@NullMarked
package org.dunlin.server.net.tls;

import org.jspecify.annotations.NullMarked;
