/** What happens to clients: counted, logged, and the last of it kept for operators. */
@NullMarked
package org.dunlin.server.events;

import org.jspecify.annotations.NullMarked;
