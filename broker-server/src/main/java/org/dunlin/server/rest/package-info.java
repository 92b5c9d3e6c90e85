/** What can be asked of the broker over HTTP: endpoints that describe themselves, their JSON, and the way from a path to them. */
@NullMarked
package org.dunlin.server.rest;

import org.jspecify.annotations.NullMarked;
