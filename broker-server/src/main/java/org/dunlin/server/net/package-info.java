/** All Netty channels: listeners, event loops, and the transport of one client. */
@NullMarked
package org.dunlin.server.net;

import org.jspecify.annotations.NullMarked;
