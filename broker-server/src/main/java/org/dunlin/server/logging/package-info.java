/** The log of the process: asynchronous, bounded, one line for one event. */
@NullMarked
package org.dunlin.server.logging;

import org.jspecify.annotations.NullMarked;
