/** Who may not connect: the ban file, those who failed to log in too often, and the one that every connection is asked of. */
@NullMarked
package org.dunlin.server.ban;

import org.jspecify.annotations.NullMarked;
