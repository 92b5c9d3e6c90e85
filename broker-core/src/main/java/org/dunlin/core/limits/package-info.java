/** Every bound of the broker. */
@NullMarked
package org.dunlin.core.limits;

import org.jspecify.annotations.NullMarked;
