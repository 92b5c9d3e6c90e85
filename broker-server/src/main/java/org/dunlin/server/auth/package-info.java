/** Who may connect: the password file, its hashes, and the authenticator that asks them. */
@NullMarked
package org.dunlin.server.auth;

import org.jspecify.annotations.NullMarked;
