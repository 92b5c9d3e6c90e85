package org.dunlin.server.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.CollectionEndEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.DocumentEndEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.events.SequenceStartEvent;
import org.snakeyaml.engine.v2.events.StreamEndEvent;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.parser.ParserImpl;
import org.snakeyaml.engine.v2.scanner.StreamReader;

/**
 * A YAML file as a flat list of paths and their texts, read from the parser's events: nothing is built that the file
 * could make large. One MB, eight levels, no anchors, no tags, one document. One thread.
 */
final class YamlDocument {
    static final int BYTES_MAX = 1024 * 1024;
    static final int DEPTH_MAX = 8;
    private static final int ENTRIES_MAX = 20_000;
    private static final int FAULTS_MAX = 100;

    private final String file;
    private final List<Entry> entries = new ArrayList<>();
    private final Map<String, Integer> lines = new HashMap<>();
    private final List<Fault> faults = new ArrayList<>();
    private Iterator<Event> events = List.<Event>of().iterator();

    private YamlDocument(String file) {
        this.file = file;
    }

    /** What stands at a path. */
    enum Shape {
        VALUE,
        /** "key:" with nothing behind it, as a section whose keys are all commented out. */
        NOTHING,
        EMPTY_LIST
    }

    record Entry(String path, String text, int line, Shape shape) {}

    /** The faults of the file's form end the reading: what follows one cannot be trusted. */
    private static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;

        private final transient Fault fault;

        Malformed(Fault fault) {
            super(fault.toString(), null, false, false);
            this.fault = fault;
        }
    }

    /** Never fails: what is wrong is among the {@link #faults()}. A file of broken form has no entries. */
    static YamlDocument read(Path path) {
        YamlDocument document = new YamlDocument(Quote.path(path.toString()));
        try {
            document.parse(document.text(path));
        } catch (Malformed malformed) {
            document.entries.clear();
            document.faults.add(malformed.fault);
        }
        return document;
    }

    String file() {
        return file;
    }

    List<Entry> entries() {
        return entries;
    }

    List<Fault> faults() {
        return faults;
    }

    String where(int line) {
        return file + ":" + line;
    }

    private String text(Path path) throws Malformed {
        if (path.toString().isEmpty()) {
            throw malformed("is no name of a file", "name one");
        }
        if (Files.isDirectory(path)) {
            throw malformed("is a directory", "name the file in it");
        }
        byte[] bytes;
        try (InputStream in = Files.newInputStream(path)) {
            bytes = in.readNBytes(BYTES_MAX + 1);
        } catch (NoSuchFileException none) {
            throw malformed("does not exist", "name a file that does, or leave it out for the defaults");
        } catch (IOException unreadable) {
            throw malformed("cannot be read", "let the user who starts the broker read it");
        }
        if (bytes.length > BYTES_MAX) {
            throw malformed("is larger than 1MB", "a configuration is small: is this the right file?");
        }
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            return text.startsWith("\uFEFF") ? text.substring(1) : text;
        } catch (CharacterCodingException notUtf8) {
            throw malformed("is not UTF-8 text", "save it as UTF-8");
        }
    }

    private Malformed malformed(String what, String cure) {
        return new Malformed(new Fault(file, "", what, cure));
    }

    private void parse(String text) throws Malformed {
        LoadSettings settings = LoadSettings.builder()
                .setLabel(file)
                .setCodePointLimit(BYTES_MAX)
                .setUseMarks(true)
                .build();
        try {
            events = new ParserImpl(settings, new StreamReader(settings, text));
            events.next();
            Event start = events.next();
            if (start instanceof StreamEndEvent) {
                return;
            }
            Event root = events.next();
            if (root instanceof ScalarEvent scalar && scalar.getValue().isEmpty()) {
                expectEnd();
                return;
            }
            if (!(root instanceof CollectionStartEvent) || root instanceof SequenceStartEvent) {
                throw at(
                        root, "", "is not a list of keys with values", "write lines like 'limits:' and '  max-qos: 2'");
            }
            refuseDecoration((NodeEvent) root, "");
            mapping("", 1);
            expectEnd();
        } catch (MarkedYamlEngineException syntax) {
            int line = syntax.getProblemMark()
                    .or(syntax::getContextMark)
                    .map(mark -> mark.getLine() + 1)
                    .orElse(1);
            String problem = String.valueOf(syntax.getProblem());
            throw new Malformed(
                    problem.contains("\\t(TAB)")
                            ? new Fault(where(line), "", "has a tab where YAML allows none", "indent with spaces")
                            : new Fault(
                                    where(line),
                                    "",
                                    "is not YAML: " + Quote.bare(problem),
                                    "mind indentation, colons and quotes"));
        } catch (ReaderException character) {
            int end = Math.min(text.length(), Math.max(0, character.getPosition()));
            long line =
                    1 + text.substring(0, end).chars().filter(c -> c == '\n').count();
            throw new Malformed(new Fault(
                    file + ":" + line, "", "has a character that YAML does not allow", "remove the control character"));
        } catch (YamlEngineException other) {
            throw malformed("is not YAML that can be read here", "keep to plain keys, values and lists");
        }
    }

    private void expectEnd() throws Malformed {
        Event end = events.next();
        if (end instanceof DocumentEndEvent && events.next() instanceof StreamEndEvent) {
            return;
        }
        throw at(end, "", "begins a second document", "remove the line '---' and what follows");
    }

    private void mapping(String path, int depth) throws Malformed {
        while (true) {
            Event event = events.next();
            if (event instanceof CollectionEndEvent) {
                return;
            }
            if (!(event instanceof ScalarEvent key)) {
                refuseAlias(event, path);
                throw at(event, path, "has a key that is not a word", "write KEY: VALUE");
            }
            refuseDecoration(key, path);
            if (key.getValue().isEmpty()) {
                throw at(event, path, "has a key without a name", "write KEY: VALUE");
            }
            String name = path.isEmpty() ? key.getValue() : path + "." + key.getValue();
            int line = line(key);
            Integer first = lines.putIfAbsent(name, line);
            if (first != null) {
                fault(line, name, "is already set in line " + first, "keep one of the two");
            }
            value(name, events.next(), depth);
        }
    }

    private void sequence(String path, Event start, int depth) throws Malformed {
        int index = 0;
        while (true) {
            Event event = events.next();
            if (event instanceof CollectionEndEvent) {
                break;
            }
            value(path + "[" + index++ + "]", event, depth);
        }
        if (index == 0) {
            add(new Entry(path, "", line(start), Shape.EMPTY_LIST));
        }
    }

    private void value(String path, Event event, int depth) throws Malformed {
        refuseAlias(event, path);
        refuseDecoration((NodeEvent) event, path);
        if (event instanceof ScalarEvent scalar) {
            boolean nothing = scalar.isPlain()
                    && (scalar.getValue().isEmpty()
                            || scalar.getValue().equals("~")
                            || scalar.getValue().equals("null"));
            add(new Entry(path, nothing ? "" : scalar.getValue(), line(event), nothing ? Shape.NOTHING : Shape.VALUE));
            return;
        }
        if (depth >= DEPTH_MAX) {
            throw at(
                    event,
                    path,
                    "is nested deeper than " + DEPTH_MAX + " levels",
                    "no key is that deep; check brackets");
        }
        if (event instanceof SequenceStartEvent) {
            sequence(path, event, depth + 1);
        } else {
            mapping(path, depth + 1);
        }
    }

    private void add(Entry entry) throws Malformed {
        if (entries.size() >= ENTRIES_MAX) {
            throw malformed(
                    "has more than " + ENTRIES_MAX + " values", "a configuration is small: is this the right file?");
        }
        entries.add(entry);
    }

    private void refuseAlias(Event event, String path) throws Malformed {
        if (event instanceof AliasEvent) {
            throw at(event, path, "uses an alias (*name)", "write the value itself");
        }
    }

    private void refuseDecoration(NodeEvent event, String path) throws Malformed {
        if (event.getAnchor().isPresent()) {
            throw at(event, path, "has an anchor (&name)", "write the value itself wherever it is needed");
        }
        boolean tagged = event instanceof ScalarEvent scalar
                ? scalar.getTag().isPresent()
                : ((CollectionStartEvent) event).getTag().isPresent();
        if (tagged) {
            throw at(event, path, "has a tag (!name)", "write the plain value");
        }
    }

    private void fault(int line, String path, String what, String cure) throws Malformed {
        Fault fault = new Fault(where(line), Quote.bare(path), what, cure);
        if (faults.size() >= FAULTS_MAX) {
            throw new Malformed(fault);
        }
        faults.add(fault);
    }

    private Malformed at(Event event, String path, String what, String cure) {
        return new Malformed(new Fault(where(line(event)), Quote.bare(path), what, cure));
    }

    private static int line(Event event) {
        return event.getStartMark().map(mark -> mark.getLine() + 1).orElse(1);
    }
}
