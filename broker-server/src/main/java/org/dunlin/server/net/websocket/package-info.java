/** MQTT in the binary frames of WebSocket: the way in by HTTP, and the frames. */
@NullMarked
package org.dunlin.server.net.websocket;

import org.jspecify.annotations.NullMarked;
