/** What a request and an answer of HTTP are, without how they travel. */
@NullMarked
package org.dunlin.server.http;

import org.jspecify.annotations.NullMarked;
