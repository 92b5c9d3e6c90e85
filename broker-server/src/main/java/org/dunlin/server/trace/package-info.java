/** Packets of chosen clients, addresses and topics, shown while the broker runs. */
@NullMarked
package org.dunlin.server.trace;

import org.jspecify.annotations.NullMarked;
