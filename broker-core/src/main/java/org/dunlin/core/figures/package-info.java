/** Counts that cost their writer next to nothing. */
@NullMarked
package org.dunlin.core.figures;

import org.jspecify.annotations.NullMarked;
