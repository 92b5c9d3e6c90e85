/** The store that keeps all in files, by RocksDB, of which no type leaves this package. */
@NullMarked
package org.dunlin.persistence.rocksdb;

import org.jspecify.annotations.NullMarked;
