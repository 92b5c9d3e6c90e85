package org.dunlin.persistence;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.util.Map;
import org.dunlin.core.spi.StoreException;
import org.dunlin.persistence.StoreFiles.Filling;

/**
 * All that a store keeps as lines of JSON, of which no engine needs to know and none is at home: the way from one engine to
 * another, and to a version whose files have another layout. docs/durability.md describes the lines. Any thread.
 */
public final class StoreExport {
    /** In the first line, so that nobody takes another file for one of these. */
    static final String FORMAT = "dunlin-store";

    /** Of the lines; raised when a reader of the version before could not read them. */
    static final int VERSION = 1;

    /** A payload may have 256 MB, and is a third longer in text. */
    static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxStringLength(512 << 20).build())
            .build();

    private StoreExport() {}

    /** What is read is no export, is damaged or incomplete; the message says where, as in "line 7: ...". */
    public static final class ExportException extends Exception {
        private static final long serialVersionUID = 1L;

        ExportException(String message) {
            super(message);
        }
    }

    /**
     * Writes all that the files keep.
     *
     * @param out is flushed, not closed
     * @return how many lines there are of each kind
     */
    public static Map<String, Long> write(StoreFiles files, Writer out) throws StoreException, IOException {
        ExportWriter writer = new ExportWriter(out);
        files.tell(writer);
        return writer.end();
    }

    /**
     * Makes a store of what {@link #write} has written; nothing is left if that cannot be.
     *
     * @return how many lines there were of each kind
     */
    public static Map<String, Long> read(Reader in, StoreFiles files)
            throws StoreException, IOException, ExportException {
        try (Filling filling = files.fill()) {
            Map<String, Long> counts = new ExportReader(in, filling).run();
            filling.finish();
            return counts;
        }
    }
}
