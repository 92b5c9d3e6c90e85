package org.dunlin.server.admin;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.dunlin.server.http.Request;
import org.dunlin.server.http.Response;
import org.jspecify.annotations.Nullable;

/** The files of the dashboard, from the jar: those in its list and no others, so that no path leads anywhere else. Any thread. */
final class Dashboard {
    private static final String ROOT = "/org/dunlin/server/admin/dashboard/";
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "svg", "image/svg+xml",
            "txt", "text/plain; charset=utf-8");

    private final Map<List<String>, Asset> assets = new HashMap<>();

    /** Read when somebody asks: to read and to hash all of them would take a tenth of each start. */
    private static final class Asset {
        private final String name;
        private final String type;
        private @Nullable Read read;

        Asset(String name, String type) {
            this.name = name;
            this.type = type;
        }

        synchronized Read read() {
            Read done = read;
            if (done == null) {
                byte[] content = resource(name);
                done = new Read(content, tag(content));
                read = done;
            }
            return done;
        }
    }

    private record Read(byte[] content, String tag) {}

    Dashboard() {
        String list = new String(resource("files.txt"), StandardCharsets.UTF_8);
        for (String name : list.lines().filter(line -> !line.isBlank()).toList()) {
            String type = TYPES.get(name.substring(name.lastIndexOf('.') + 1));
            if (type == null) {
                throw new IllegalStateException("no type for " + name);
            }
            Asset asset = new Asset(name, type);
            assets.put(List.of(name.split("/")), asset);
            if (name.equals("index.html")) {
                assets.put(List.of(""), asset);
            }
        }
    }

    private static byte[] resource(String name) {
        try (InputStream in = Dashboard.class.getResourceAsStream(ROOT + name)) {
            if (in == null) {
                throw new IllegalStateException("the jar lacks " + ROOT + name);
            }
            return in.readAllBytes();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private static String tag(byte[] content) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(content);
            return '"' + HexFormat.of().formatHex(digest, 0, 16) + '"';
        } catch (NoSuchAlgorithmException missing) {
            throw new IllegalStateException("every Java has SHA-256", missing);
        }
    }

    /** The file that is asked for, or null if it is none. */
    @Nullable
    Response find(Request request) {
        Asset asset = assets.get(request.path());
        if (asset == null) {
            return null;
        }
        Read read = asset.read();
        boolean known = read.tag().equals(request.header("if-none-match"));
        return Response.of(known ? 304 : 200, asset.type, known ? new byte[0] : read.content())
                .with("etag", read.tag())
                .with("cache-control", "no-cache");
    }
}
