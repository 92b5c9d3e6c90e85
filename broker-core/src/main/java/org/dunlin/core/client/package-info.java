/** One connection's protocol: what is done on each packet. */
@NullMarked
package org.dunlin.core.client;

import org.jspecify.annotations.NullMarked;
