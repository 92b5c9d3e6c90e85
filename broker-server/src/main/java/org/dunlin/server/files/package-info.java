/** Files that the operator names and may change while the broker runs. */
@NullMarked
package org.dunlin.server.files;

import org.jspecify.annotations.NullMarked;
