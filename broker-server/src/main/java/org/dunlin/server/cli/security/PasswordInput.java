package org.dunlin.server.cli.security;

import java.io.Console;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ExitCode;

/** Where a new password comes from: the terminal, without echo, or standard input. Main thread. */
final class PasswordInput {
    private static final int BYTES_MAX = 65_535;

    private PasswordInput() {}

    /** @return its bytes, for the caller to wipe */
    static byte[] read(boolean fromStandardInput, String user) throws CommandException {
        byte[] password = fromStandardInput ? firstLine(System.in) : ask(user);
        if (password.length == 0) {
            throw wrong("the password is empty");
        }
        return password;
    }

    /** The same as text, as JSON carries it. */
    static String text(boolean fromStandardInput, String user) throws CommandException {
        byte[] password = read(fromStandardInput, user);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(password))
                    .toString();
        } catch (CharacterCodingException malformed) {
            throw wrong("the password is not UTF-8; choose another, or set it where the password file is");
        } finally {
            Arrays.fill(password, (byte) 0);
        }
    }

    private static byte[] ask(String user) throws CommandException {
        Console console = System.console();
        if (console == null) {
            throw wrong("there is no terminal to ask for the password; give it on standard input, with --stdin");
        }
        char[] first = console.readPassword("New password of %s: ", user);
        char[] second = first == null ? null : console.readPassword("Once more: ");
        if (first == null || second == null) {
            throw wrong("no password was given");
        }
        try {
            if (!Arrays.equals(first, second)) {
                throw wrong("the two passwords differ; nothing was changed");
            }
            ByteBuffer encoded = StandardCharsets.UTF_8.encode(CharBuffer.wrap(first));
            byte[] password = new byte[encoded.remaining()];
            encoded.get(password);
            Arrays.fill(encoded.array(), (byte) 0);
            return password;
        } finally {
            Arrays.fill(first, '\0');
            Arrays.fill(second, '\0');
        }
    }

    static byte[] firstLine(InputStream in) throws CommandException {
        byte[] line = new byte[BYTES_MAX + 2]; // with a carriage return, and one to tell that there is more
        int length = 0;
        try {
            for (int b = in.read(); b >= 0 && b != '\n' && length < line.length; b = in.read()) {
                line[length++] = (byte) b;
            }
            length -= length > 0 && line[length - 1] == '\r' ? 1 : 0;
            if (length > BYTES_MAX) {
                throw wrong("the password has more than " + BYTES_MAX + " bytes, which MQTT cannot carry");
            }
            return Arrays.copyOf(line, length);
        } catch (IOException e) {
            throw new CommandException(ExitCode.USAGE, "standard input cannot be read: " + e.getMessage(), e);
        } finally {
            Arrays.fill(line, (byte) 0);
        }
    }

    private static CommandException wrong(String message) {
        return new CommandException(ExitCode.USAGE, message);
    }
}
