/** Commands on the files of users, bans and rights. */
@NullMarked
package org.dunlin.server.cli.security;

import org.jspecify.annotations.NullMarked;
