/** The core in a simulated world: one thread, virtual time, seeded trouble. */
@NullMarked
package org.dunlin.core.sim;

import org.jspecify.annotations.NullMarked;
