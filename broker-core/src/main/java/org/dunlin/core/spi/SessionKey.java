package org.dunlin.core.spi;

/**
 * Whose state a stored thing is: one incarnation of a session, or a shared group.
 *
 * @param sid given to an incarnation for its life, so that late writes for an old one cannot touch a new one
 * @param generation rises with each CONNECT; a write with an older one is refused by the store
 */
public record SessionKey(long sid, long generation) {}
