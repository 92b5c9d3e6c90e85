/** The stores that can be configured. */
@NullMarked
package org.dunlin.persistence;

import org.jspecify.annotations.NullMarked;
