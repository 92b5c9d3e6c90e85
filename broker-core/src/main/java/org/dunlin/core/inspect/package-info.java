/** What operators want to know of a broker, as values: nothing in here changes anything. */
@NullMarked
package org.dunlin.core.inspect;

import org.jspecify.annotations.NullMarked;
