/** The process: wiring by constructors, and its way in. */
@NullMarked
package org.dunlin.server;

import org.jspecify.annotations.NullMarked;
