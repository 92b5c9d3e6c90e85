/** Commands that ask a running broker, through its admin port. */
@NullMarked
package org.dunlin.server.cli.remote;

import org.jspecify.annotations.NullMarked;
