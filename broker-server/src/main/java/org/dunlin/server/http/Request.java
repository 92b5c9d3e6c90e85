package org.dunlin.server.http;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What somebody asks for. Immutable but for its body; any thread.
 *
 * @param method in capitals
 * @param path decoded, between its slashes: "/api/v1/clients/a%2Fb" has the last segment "a/b"
 * @param query decoded; each name once
 * @param headers by their names in lower case; of several with one name the first
 * @param body empty if there is none
 * @param peer the socket's other end
 * @param secure whether it came through TLS
 */
public record Request(
        String method,
        List<String> path,
        Map<String, String> query,
        Map<String, String> headers,
        byte[] body,
        InetSocketAddress peer,
        boolean secure) {
    private static final int PARTS_MAX = 64;

    public Request {
        path = List.copyOf(path);
    }

    /** A target that is none; the message says why. */
    public static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;

        Malformed(String what) {
            super(what, null, false, false);
        }
    }

    /**
     * Takes a request target apart.
     *
     * @param target path and query as they were sent, like "/a/b?c=d"
     * @param headers by their names in lower case
     * @throws Malformed if it has no one meaning
     */
    public static Request of(
            String method,
            String target,
            Map<String, String> headers,
            byte[] body,
            InetSocketAddress peer,
            boolean secure)
            throws Malformed {
        if (!target.startsWith("/")) {
            throw new Malformed("the path has to begin with a slash");
        }
        int mark = target.indexOf('?');
        String rawPath = mark < 0 ? target : target.substring(0, mark);
        String rawQuery = mark < 0 ? "" : target.substring(mark + 1);
        List<String> path = new ArrayList<>();
        for (String segment : split(rawPath.substring(1), '/')) {
            path.add(decoded(segment, false));
        }
        Map<String, String> query = new LinkedHashMap<>();
        for (String pair : split(rawQuery, '&')) {
            if (!pair.isEmpty()) {
                int equals = pair.indexOf('=');
                String name = decoded(equals < 0 ? pair : pair.substring(0, equals), true);
                if (query.put(name, equals < 0 ? "" : decoded(pair.substring(equals + 1), true)) != null) {
                    throw new Malformed("the query has " + name + " twice");
                }
            }
        }
        return new Request(method.toUpperCase(Locale.ROOT), path, Map.copyOf(query), headers, body, peer, secure);
    }

    private static List<String> split(String text, char by) throws Malformed {
        List<String> parts = new ArrayList<>();
        int from = 0;
        for (int at = text.indexOf(by); at >= 0; at = text.indexOf(by, from)) {
            parts.add(text.substring(from, at));
            from = at + 1;
            if (parts.size() > PARTS_MAX) {
                throw new Malformed("path and query have at most " + PARTS_MAX + " parts each");
            }
        }
        parts.add(text.substring(from));
        return parts;
    }

    /** Strictly: what Java's URLDecoder lets pass has more than one meaning. */
    private static String decoded(String text, boolean plusIsBlank) throws Malformed {
        ByteBuffer bytes = ByteBuffer.allocate(text.length() * 3);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '%') {
                int high = i + 2 < text.length() ? Character.digit(text.charAt(i + 1), 16) : -1;
                int low = i + 2 < text.length() ? Character.digit(text.charAt(i + 2), 16) : -1;
                if (high < 0 || low < 0) {
                    throw new Malformed("a % has to stand before two hexadecimal digits");
                }
                bytes.put((byte) (high << 4 | low));
                i += 2;
            } else if (c <= ' ' || c > '~') {
                throw new Malformed("path and query have to be ASCII; write other characters as %XX");
            } else {
                bytes.put((byte) (c == '+' && plusIsBlank ? ' ' : c));
            }
        }
        String result;
        try {
            result = StandardCharsets.UTF_8.newDecoder().decode(bytes.flip()).toString();
        } catch (CharacterCodingException malformed) {
            throw new Malformed("path and query have to be UTF-8");
        }
        if (result.indexOf('\0') >= 0) {
            throw new Malformed("path and query must not have a zero byte");
        }
        return result;
    }

    /** A header by its name in lower case, or null. */
    public @Nullable String header(String name) {
        return headers.get(name);
    }

    /** A parameter of the query, or null. */
    public @Nullable String parameter(String name) {
        return query.get(name);
    }

    /** Names of the parameters of the query. */
    public Set<String> parameters() {
        return query.keySet();
    }

    /** The value of a cookie, or null; of several with that name the first. */
    public @Nullable String cookie(String name) {
        String cookies = headers.get("cookie");
        if (cookies != null) {
            for (String cookie : cookies.split(";", PARTS_MAX)) {
                int equals = cookie.indexOf('=');
                if (equals > 0 && cookie.substring(0, equals).strip().equals(name)) {
                    return cookie.substring(equals + 1).strip();
                }
            }
        }
        return null;
    }

    /** As people read it: "/api/v1/clients/a%2Fb" with its slash written. */
    public String pathText() {
        return "/" + String.join("/", path);
    }
}
