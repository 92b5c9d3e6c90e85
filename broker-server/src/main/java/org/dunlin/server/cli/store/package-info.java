/** Commands on a data directory that no broker uses. */
@NullMarked
package org.dunlin.server.cli.store;

import org.jspecify.annotations.NullMarked;
