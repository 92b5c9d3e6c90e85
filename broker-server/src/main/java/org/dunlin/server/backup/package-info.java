/** Copies of the data directory that are made while the broker serves. */
@NullMarked
package org.dunlin.server.backup;

import org.jspecify.annotations.NullMarked;
