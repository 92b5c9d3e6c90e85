package org.dunlin.persistence;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.io.JsonEOFException;
import java.io.IOException;
import java.io.Reader;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.SessionRecord;
import org.dunlin.core.spi.Store.Stored;
import org.dunlin.core.spi.StoreBatch.SubscriptionRecord;
import org.dunlin.core.spi.StoreException;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.Will;
import org.dunlin.persistence.StoreExport.ExportException;
import org.jspecify.annotations.Nullable;

/** Reads what {@link ExportWriter} wrote, distrusts all of it, and tells it on. One thread, once. */
final class ExportReader {
    /** The kinds of lines in their order; those in one place may be mixed. */
    private static final List<Set<String>> ORDER = List.of(
            Set.of("session"),
            Set.of("group"),
            Set.of("subscription"),
            Set.of("body"),
            Set.of("queued"),
            Set.of("released", "numbered", "inbound"),
            Set.of("retained"),
            Set.of("delayed"));

    private static final long MOST_SECONDS = 4_294_967_295L;

    private final Reader in;
    private final Contents<StoreException> listener;
    private final Map<String, Long> counts = new LinkedHashMap<>();
    private final Set<Long> owners = new HashSet<>();
    /** Client identifiers and filters of groups, of which each has one owner. */
    private final Set<String> names = new HashSet<>();
    /** What the messages weigh that queues may refer to. */
    private final Map<Long, Integer> bodies = new HashMap<>();

    private final Set<Long> bodiesReferred = new HashSet<>();
    private int place;

    ExportReader(Reader in, Contents<StoreException> listener) {
        this.in = in;
        this.listener = listener;
    }

    /** Returns how many lines there were of each kind. */
    Map<String, Long> run() throws StoreException, IOException, ExportException {
        try (JsonParser json = StoreExport.JSON.createParser(in)) {
            json.disable(JsonParser.Feature.AUTO_CLOSE_SOURCE);
            try {
                head(ExportLine.next(json));
                ExportLine line = ExportLine.next(json);
                while (line != null && !line.kind().equals("end")) {
                    tell(line);
                    line = ExportLine.next(json);
                }
                end(line, json);
            } catch (JsonEOFException e) {
                throw new ExportException("line " + e.getLocation().getLineNr()
                        + ": ends in the middle; the file was cut, make the export again");
            } catch (JsonProcessingException e) {
                int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
                throw new ExportException("line " + line + ": " + e.getOriginalMessage());
            }
        }
        return Map.copyOf(counts);
    }

    private void head(@Nullable ExportLine line) throws StoreException, ExportException {
        if (line == null || !line.has("format") || !line.text("format").equals(StoreExport.FORMAT)) {
            throw new ExportException(
                    "line 1: is not the first line of an export, which names the format " + StoreExport.FORMAT);
        }
        long version = line.number("version");
        if (version != StoreExport.VERSION) {
            throw line.fault("has format version " + version + ", this version of Dunlin reads " + StoreExport.VERSION);
        }
        long nextId = line.number("next-id", 1, Long.MAX_VALUE);
        listener.begin(line.number("broker-time"), line.number("wall-time"), nextId);
        line.end();
    }

    private void end(@Nullable ExportLine line, JsonParser json) throws IOException, ExportException {
        if (line == null) {
            throw new ExportException("the last line is missing; the file was cut, make the export again");
        }
        ExportLine end = line.object("end");
        if (!end.rest().equals(counts)) {
            throw line.fault("other numbers of lines were written than are here: " + counts + "; lines are missing");
        }
        line.end();
        if (bodiesReferred.size() < bodies.size()) {
            throw line.fault((bodies.size() - bodiesReferred.size()) + " messages are in no queue; lines are missing");
        }
        ExportLine more = ExportLine.next(json);
        if (more != null) {
            throw more.fault("stands behind the end");
        }
    }

    private void tell(ExportLine line) throws StoreException, ExportException {
        String kind = line.kind();
        while (place < ORDER.size() && !ORDER.get(place).contains(kind)) {
            place++;
        }
        if (place == ORDER.size()) {
            throw line.fault("'" + kind + "' is not known here, or stands behind what comes after it");
        }
        counts.merge(kind, 1L, Long::sum);
        switch (kind) {
            case "session" -> session(line);
            case "group" -> listener.group(new SessionKey(newOwner(line, kind), 0), newName(line, "filter"));
            case "subscription" -> subscription(line);
            case "body" -> body(line);
            case "queued" -> queued(line);
            case "released" -> listener.released(owner(line, kind), seq(line), packetId(line));
            case "numbered" -> listener.numbered(owner(line, kind), seq(line), packetId(line));
            case "inbound" -> listener.inboundId(owner(line, kind), packetId(line));
            case "retained" -> {
                long stamp = line.number(kind);
                listener.retained(line.message(), stamp);
            }
            default -> {
                long id = line.number(kind, 1, Long.MAX_VALUE);
                listener.delayed(id, line.number("due-at", 0, Long.MAX_VALUE), line.message());
            }
        }
        line.end();
    }

    private String newName(ExportLine line, String field) throws ExportException {
        String name = line.text(field);
        if (!names.add(field + ' ' + name)) {
            throw line.fault(field + " '" + name + "' is there a second time");
        }
        return name;
    }

    private long newOwner(ExportLine line, String kind) throws ExportException {
        long sid = line.number(kind, 1, Long.MAX_VALUE);
        if (!owners.add(sid)) {
            throw line.fault("number " + sid + " is given a second time");
        }
        return sid;
    }

    private long owner(ExportLine line, String kind) throws ExportException {
        long sid = line.number(kind);
        if (!owners.contains(sid)) {
            throw line.fault("belongs to session or group " + sid + ", which is not in the file");
        }
        return sid;
    }

    private static long seq(ExportLine line) throws ExportException {
        return line.number("seq", 1, Long.MAX_VALUE);
    }

    private static int packetId(ExportLine line) throws ExportException {
        return (int) line.number("packet-id", 1, 65_535);
    }

    private void session(ExportLine line) throws StoreException, ExportException {
        SessionKey key = new SessionKey(newOwner(line, "session"), line.number("generation", 0, Long.MAX_VALUE));
        SessionRecord state = new SessionRecord(
                newName(line, "client-id"),
                line.has("user") ? line.text("user") : null,
                version(line),
                line.flag("connected"),
                line.number("expiry", 0, MOST_SECONDS),
                line.number("expires-at", Long.MAX_VALUE),
                line.has("will") ? will(line.object("will")) : null,
                line.number("will-due-at", Long.MAX_VALUE),
                line.number("sent-through", 0));
        listener.session(key, state);
    }

    private static ProtocolVersion version(ExportLine line) throws ExportException {
        String label = line.text("mqtt");
        for (ProtocolVersion version : ProtocolVersion.values()) {
            if (version.toString().equals(label)) {
                return version;
            }
        }
        throw line.fault("mqtt '" + label + "' is no version that is known here");
    }

    private static Will will(ExportLine in) throws ExportException {
        Will will = new Will(
                in.topic(),
                in.bytes("payload"),
                in.qos(),
                in.flag("retain"),
                in.bytes("properties"),
                in.number("expiry", -1),
                in.number("delay", 0));
        in.end();
        return will;
    }

    private void subscription(ExportLine line) throws StoreException, ExportException {
        long owner = owner(line, "subscription");
        String filter = line.text("filter");
        if (filter.isEmpty()) {
            throw line.fault("filter is empty");
        }
        SubscriptionRecord subscription = new SubscriptionRecord(
                filter,
                line.qos(),
                line.flag("no-local"),
                line.flag("retain-as-published"),
                line.has("id") ? (int) line.number("id", 1, 268_435_455) : 0);
        listener.subscription(owner, subscription);
    }

    private void body(ExportLine line) throws StoreException, ExportException {
        long number = line.number("body", 1, Long.MAX_VALUE);
        Message message = line.message();
        if (bodies.put(number, message.weight()) != null) {
            throw line.fault("body " + number + " is there twice");
        }
        listener.body(number, message);
    }

    private void queued(ExportLine line) throws StoreException, ExportException {
        long owner = owner(line, "queued");
        long seq = seq(line);
        Qos qos = line.qos();
        boolean retain = line.flag("retain");
        int[] ids = line.numbers("subscription-ids");
        if (!line.has("body")) {
            listener.queued(owner, new Stored(seq, 0, line.message(), qos, retain, ids));
            return;
        }
        long body = line.number("body");
        Integer weight = bodies.get(body);
        if (weight == null || weight != line.number("weight")) {
            throw line.fault("body " + body + " is not in the file, or is another");
        }
        bodiesReferred.add(body);
        listener.reference(owner, new Contents.Reference(seq, body, weight, qos, retain, ids));
    }
}
