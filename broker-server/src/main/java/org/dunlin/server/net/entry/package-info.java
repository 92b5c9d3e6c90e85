/** What a connection begins with: whom a proxy speaks for, and which protocol its first byte tells of. */
@NullMarked
package org.dunlin.server.net.entry;

import org.jspecify.annotations.NullMarked;
