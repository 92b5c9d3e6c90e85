/** The broker as a thing that is started and stopped, its limits, and its ports to the outside. */
@NullMarked
package org.dunlin.core;

import org.jspecify.annotations.NullMarked;
