/** Topics, subscriptions, retained messages. */
@NullMarked
package org.dunlin.core.routing;

import org.jspecify.annotations.NullMarked;
