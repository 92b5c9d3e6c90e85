/** Tokens (JSON Web Tokens) instead of passwords: their keys, their signatures, and what they say. */
@NullMarked
package org.dunlin.server.auth.jwt;

import org.jspecify.annotations.NullMarked;
