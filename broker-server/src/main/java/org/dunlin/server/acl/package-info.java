/** Who may do what: the ACL file, what tokens say of rights, and the answers that follow from both. */
@NullMarked
package org.dunlin.server.acl;

import org.jspecify.annotations.NullMarked;
