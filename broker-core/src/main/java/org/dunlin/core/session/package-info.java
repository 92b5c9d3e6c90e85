/** One client's state, on one thread. */
@NullMarked
package org.dunlin.core.session;

import org.jspecify.annotations.NullMarked;
