/** What an operator may set: one table of keys, read from file, environment and flags into one immutable record. */
@NullMarked
package org.dunlin.server.config;

import org.jspecify.annotations.NullMarked;
