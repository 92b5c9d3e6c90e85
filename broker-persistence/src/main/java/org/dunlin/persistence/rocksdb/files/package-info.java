/** What is done to the files of a store that no broker uses: look, copy, mend, tell, make. */
@NullMarked
package org.dunlin.persistence.rocksdb.files;

import org.jspecify.annotations.NullMarked;
