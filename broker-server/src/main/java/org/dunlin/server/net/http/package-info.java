/** HTTP over Netty's channels. */
@NullMarked
package org.dunlin.server.net.http;

import org.jspecify.annotations.NullMarked;
