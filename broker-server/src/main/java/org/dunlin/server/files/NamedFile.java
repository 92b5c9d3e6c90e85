package org.dunlin.server.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.Fault;
import org.dunlin.server.config.Quote;

/**
 * A file that the configuration names, with the words for what may be wrong with it. Any thread; reading blocks.
 *
 * @param what the kind of file, like "password file"
 * @param key that names it, like "auth.password-file"
 * @param cure what to do if it is missing
 * @param bytesMax size beyond which it is not read
 */
public record NamedFile(Path path, String what, String key, String cure, int bytesMax) {
    /** @throws ConfigException if the file is missing, cannot be read or is too large */
    public byte[] read() throws ConfigException {
        try (InputStream in = Files.newInputStream(path)) {
            byte[] bytes = in.readNBytes(bytesMax + 1);
            if (bytes.length > bytesMax) {
                throw fault("the " + what + " has more than " + (bytesMax >> 20) + " MB", "name another file");
            }
            return bytes;
        } catch (NoSuchFileException missing) {
            throw fault("there is no such " + what, cure);
        } catch (AccessDeniedException denied) {
            throw fault("the " + what + " may not be read by this user", "give it the right to");
        } catch (IOException unreadable) {
            throw fault(
                    "the " + what + " cannot be read: " + Quote.path(String.valueOf(unreadable.getMessage())),
                    "correct " + key);
        }
    }

    /** The same file by another path. */
    NamedFile at(Path other) {
        return new NamedFile(other, what, key, cure, bytesMax);
    }

    private ConfigException fault(String fault, String cure) {
        return new ConfigException(List.of(new Fault(Quote.path(path.toString()), "", fault, cure)));
    }
}
