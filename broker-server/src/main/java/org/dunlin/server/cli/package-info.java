/** The command line: what users type, and what the process answers with. */
@NullMarked
package org.dunlin.server.cli;

import org.jspecify.annotations.NullMarked;
