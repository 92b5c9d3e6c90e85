/** That no address and no client takes what others need: who comes how often from where, as counts that stay bounded. */
@NullMarked
package org.dunlin.server.share;

import org.jspecify.annotations.NullMarked;
