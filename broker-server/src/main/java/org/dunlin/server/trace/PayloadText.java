package org.dunlin.server.trace;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** Bytes as people read them. Any thread. */
final class PayloadText {
    private PayloadText() {}

    /** The first bytes as text, up to a character that is there whole; null if that is no text. */
    static @Nullable String text(byte[] bytes, int most) {
        int length = Math.min(bytes.length, most);
        CharBuffer chars = CharBuffer.allocate(length);
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        CoderResult end = decoder.decode(ByteBuffer.wrap(bytes, 0, length), chars, length == bytes.length);
        if (end.isError()) {
            return null;
        }
        String text = chars.flip().toString();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isISOControl(c) && c != '\n' && c != '\r' && c != '\t') {
                return null;
            }
        }
        return text;
    }

    static String hex(byte[] bytes, int most) {
        return HexFormat.of().formatHex(bytes, 0, Math.min(bytes.length, most));
    }
}
