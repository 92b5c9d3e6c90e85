/** The port for operators: who may use it, and what it answers. */
@NullMarked
package org.dunlin.server.admin;

import org.jspecify.annotations.NullMarked;
