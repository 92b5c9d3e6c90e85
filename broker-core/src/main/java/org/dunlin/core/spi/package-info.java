/** What others may plug in, and what the core asks of its surroundings. */
@NullMarked
package org.dunlin.core.spi;

import org.jspecify.annotations.NullMarked;
