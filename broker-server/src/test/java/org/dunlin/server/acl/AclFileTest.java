package org.dunlin.server.acl;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.dunlin.server.acl.Acl.faults;
import static org.dunlin.server.acl.Acl.may;
import static org.dunlin.server.acl.Acl.rights;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.server.config.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AclFileTest {
    /** What one line gives a client without a user name on a topic; / is the end of a line, _ no right. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            # mosquitto's own
            topic a                          | a   | psr
            topic read a                     | a   | sr
            topic write a                    | a   | p
            topic readwrite a                | a   | psr
            topic deny a                     | a   | _
            topic readwrite #;topic deny a   | a   | _
            topic deny a;topic readwrite #   | a   | _
            topic readwrite #;topic deny a   | b   | psr
            '   topic   read   a   '         | a   | sr
            topic read                       | read | psr
            topic deny                       | deny | psr
            topic deny read                  | read | _
            topic readwrite two  blanks      | two  blanks | psr
            topic read a;user x;topic write a | a  | sr
            pattern read a/%c                | a/id | sr
            pattern read a/%c                | a/x | _
            pattern read a/%u                | a/%u | _
            pattern read a                   | a   | sr
            topic read a/%c                  | a/%c | sr
            topic readwrite #                | $SYS/x | _
            topic readwrite $SYS/#           | $SYS/x | psr
            topic readwrite +/x              | $SYS/x | _
            topic readwrite a/#              | a   | psr
            topic readwrite a/+              | a   | _
            topic readwrite $share/g/a       | a   | _
            # beyond
            topic publish a                  | a   | p
            topic subscribe a                | a   | s
            topic receive a                  | a   | r
            topic publish,receive a          | a   | pr
            topic readwrite a;topic deny publish a   | a | sr
            topic readwrite a;topic deny subscribe a | a | pr
            topic readwrite a;topic deny receive a   | a | ps
            topic readwrite a;topic deny read a      | a | p
            topic readwrite a;topic deny write a     | a | sr
            topic readwrite a;topic deny,read a      | a | p
            topic readwrite a;topic publish,deny a   | a | sr
            topic readwrite #;topic deny read a      | read a | _
            topic readwrite,qos=1,retain=no a        | a | psr
            all;topic read a                 | a   | sr
            all;topic read a;user y;topic write a | a | sr
            group g;topic read a             | a   | _
            """)
    void line_gives(String lines, String topic, String may) {
        String given = may(rights(Acl.of(lines.split(";")), null), topic);
        assertEquals(may.equals("_") ? "" : may, given);
    }

    @Test
    void denialOfSeveralActions_isTheSame_withABlankAndWithCommas() {
        for (String denial : List.of("topic deny subscribe,receive s/#", "topic deny,subscribe,receive s/#")) {
            AclFile file = Acl.of("user ann", "topic readwrite #", denial);

            assertEquals("p", may(rights(file, "ann"), "s/a"), denial);
            assertEquals("psr", may(rights(file, "ann"), "a"), denial);
        }
    }

    @Test
    void userLines_countForThatUserAlone_whereverTheyStand() {
        AclFile file = Acl.of(
                "topic read open",
                "user ann",
                "topic read a",
                "user ben  ",
                "topic read b",
                "user ann",
                "topic write a",
                "user anna maria",
                "topic read am");

        assertEquals("psr", may(rights(file, "ann"), "a"));
        assertEquals("", may(rights(file, "ann"), "b"));
        assertEquals("", may(rights(file, "ann"), "open"));
        assertEquals("sr", may(rights(file, "ben"), "b"));
        assertEquals("sr", may(rights(file, "anna maria"), "am"));
        assertEquals("", may(rights(file, "Ann"), "a"));
        assertEquals("", may(rights(file, ""), "open"));
        assertEquals("sr", may(rights(file, null), "open"));
    }

    @Test
    void oddUserNames_areOnlyNames() {
        AclFile file = Acl.of("user +", "topic read plus", "user #", "topic read hash", "user a/b", "topic read ab");

        assertEquals("sr", may(rights(file, "+"), "plus"));
        assertEquals("sr", may(rights(file, "#"), "hash"));
        assertEquals("sr", may(rights(file, "a/b"), "ab"));
        assertEquals("", may(rights(file, "x"), "plus"));
    }

    @Test
    void groups_giveTheirMembersMore_andTheirDenialsWin() {
        AclFile file = Acl.of(
                "group ops",
                "members ann  ben",
                "topic readwrite plant/#",
                "topic deny write plant/locked",
                "group night shift",
                "member ann",
                "member carl gustav",
                "topic read night",
                "user ann",
                "topic write plant/locked",
                "all",
                "topic read news");

        assertEquals("psr", may(rights(file, "ann"), "plant/x"));
        assertEquals("sr", may(rights(file, "ann"), "plant/locked"));
        assertEquals("sr", may(rights(file, "ann"), "night"));
        assertEquals("", may(rights(file, "ben"), "night"));
        assertEquals("sr", may(rights(file, "carl gustav"), "night"));
        assertEquals("", may(rights(file, "zoe"), "plant/x"));
        assertEquals("sr", may(rights(file, "zoe"), "news"));
        assertEquals("sr", may(rights(file, null), "news"));
    }

    @Test
    void emptyFile_allowsNothing() {
        assertEquals("", may(rights(Acl.of(""), null), "a"));
        assertEquals("", may(rights(Acl.of("# nothing", "", "  "), "ann"), "a"));
    }

    @Test
    void comments_endsOfLinesAndMark_areNoMatter() throws ConfigException {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        content.writeBytes(new byte[] {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF});
        content.writeBytes("topic read a\r\n# K\u00f6nig\r\n\t \r\nuser ann\t\r\n".getBytes(ISO_8859_1));
        content.writeBytes("topic read gr\u00fcn\ud83d\ude00\t\r".getBytes(UTF_8));
        AclFile file = AclFile.parse("acl", content.toByteArray());

        assertEquals("sr", may(rights(file, null), "a"));
        assertEquals("sr", may(rights(file, "ann"), "gr\u00fcn\ud83d\ude00"));
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '"', delimiter = '|', textBlock = """
            topics read a              | 'topics' is no word for the begin of a line; did you mean topic?
            "  # comment"              | '#' is no word for the begin of a line; known are topic, pattern, user, group, member, members, all
            ann:$7$101$AAAA$BBBB       | 'ann...' is no word for the begin of a line; known are topic, pattern, user, group, member, members, all
            dunlin_0123456789abcdef    | 'dunlin_01234...' is no word for the begin of a line; known are topic, pattern, user, group, member, members, all
            topic                      | 'topic' has no topic; write topic ACTION TOPIC
            pattern                    | 'pattern' has no topic; write pattern ACTION TOPIC
            topic raed a               | 'raed' is no action; did you mean read?
            topic a b                  | 'a' is no action; known are read, write, readwrite, publish, subscribe, receive, deny, qos=, retain=; a topic with blanks needs an action before it
            topic read a+              | the topic 'a+' has + beside other characters of a level; correct it
            topic read #/a             | the topic '#/a' has # before its last level; correct it
            topic read $share/+/a+     | the topic '$share/+/a+' has + beside other characters of a level; correct it
            topic write,qos=3 a        | 'qos=3' is no QoS; write qos=0, qos=1 or qos=2
            topic write,retain=maybe a | 'retain=maybe' says neither yes nor no; write retain=yes or retain=no
            topic qos=1 a              | 'qos=1' has limits but no action; write 'readwrite,qos=1'
            topic write qos=1 a        | a limit stands with the action, not before the topic; write 'topic write,qos=1 TOPIC'
            topic deny,qos=1 a         | a denial has no limits; allow with limits instead, or deny without
            topic read,retain=no a     | retain is a limit for publishing alone; leave it out
            topic receive,qos=0 a      | qos is a limit for publishing and subscribing alone; leave it out
            topic read, a              | '' is no action; known are read, write, readwrite, publish, subscribe, receive, deny, qos=, retain=
            user                       | 'user' has no name; write user NAME
            group                      | 'group' has no name; write group NAME
            member ann                 | 'member' stands in no group; write it below a line 'group NAME'
            all topic                  | 'all' stands alone in its line; write 'topic' into the next line
            """)
    void faultyLine_isToldWithItsCure(String line, String fault) {
        assertEquals(List.of("acl:2: " + fault), faults("topic read a", line, "topic read b"));
    }

    @Test
    void tabs_areFaults_whereverTheyStand() {
        List<String> lines = List.of(
                "topic\tread a",
                "topic read\ta",
                "topic deny\tread a",
                "topic deny read\ta",
                "topic deny,read\ta",
                "topic read,qos=1\ta",
                "topic read qos=1\ta",
                "topic \tread a",
                "\ttopic read a",
                "pattern deny\ta/%c",
                "topic read a\tb",
                "user\tann",
                "user ann\tlee",
                "members\ta b");
        List<String> told = new ArrayList<>();
        for (int i = 1; i <= lines.size(); i++) {
            told.add("acl:" + i + ": the line has a tab where a blank has to be; separate words with blanks");
        }
        assertEquals(told, faults(lines.toArray(new String[0])));
        assertEquals("sr", may(rights(Acl.of("#\ta", "\t", "topic read a\t"), null), "a"));
    }

    @Test
    void allFaults_areToldAtOnce_andNothingOfThemCanTouchTheTerminal() {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        content.writeBytes("\u001b[31m x\ntopic read ok\nmember x\n".getBytes(UTF_8));
        content.writeBytes("user gr\u00fcn\n".getBytes(ISO_8859_1));
        content.writeBytes("topic read a\0b\ngroup g\nmembers\n".getBytes(UTF_8));

        assertEquals(
                List.of(
                        "acl:1: '\\u001b[31m' is no word for the begin of a line; known are topic, pattern, user,"
                                + " group, member, members, all",
                        "acl:3: 'member' stands in no group; write it below a line 'group NAME'",
                        "acl:4: the line is not UTF-8; save the file as UTF-8",
                        "acl:5: the line has the character U+0000; remove it",
                        "acl:7: 'members' has no name; write members NAME"),
                faults(content.toByteArray()));
    }

    @Test
    void endlessFaults_areCutOff() {
        List<String> faults = faults("x\n".repeat(500_000).getBytes(UTF_8));

        assertEquals(1001, faults.size());
        assertTrue(faults.get(1000).startsWith("acl:1000: there are 1000 faults up to here"), faults.get(1000));
    }

    @Test
    void depthAndLength_haveBounds() {
        assertEquals("sr", may(rights(Acl.of("topic read " + "a/".repeat(199) + "a"), null), "a/".repeat(199) + "a"));
        assertTrue(faults("topic read " + "a/".repeat(200) + "a").get(0).contains("has more than 200 levels"));
        assertTrue(faults("topic read " + "x".repeat(65_536)).get(0).contains("is longer than 65,535 bytes"));
        String deep = "a/".repeat(30_000) + "a";
        assertEquals("sr", may(rights(Acl.of("topic read a/#"), null), deep));
        assertEquals("", may(rights(Acl.of("topic read +/+/b/#"), null), deep));
    }

    @Test
    void largeFiles_areReadAndAsked() {
        StringBuilder text = new StringBuilder("all\n");
        for (int i = 0; i < 100_000; i++) {
            text.append("topic readwrite site/")
                    .append(i)
                    .append("/+/")
                    .append("x".repeat(i % 200))
                    .append('\n');
        }
        assertTrue(text.length() > 10_000_000, () -> "bytes: " + text.length());
        AclFile file = Acl.of(text.toString());

        assertEquals(100_000, file.ruleCount());
        assertEquals("psr", may(rights(file, null), "site/77/a/" + "x".repeat(77)));
        assertEquals("", may(rights(file, null), "site/77/a/" + "x".repeat(78)));
    }

    @Test
    void manyPatterns_areQuickToRead_andTooManyAFault() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 10_000; i++) {
            text.append("pattern read a/%c-").append(i).append('\n');
        }
        assertEquals("sr", may(rights(Acl.of(text.toString()), null), "a/id-9999"));
        assertEquals(
                List.of("acl:10001: there are more than 10000 patterns; use groups or wildcards"),
                faults(text + "pattern read b/%c\npattern read c/%c\n"));
    }

    @Test
    void whatIsMostLikelyNotMeant_isWarnedOf() {
        AclFile file = Acl.of(
                "topic deny",
                "topic read a/%c",
                "pattern read b",
                "topic read $share/g/a",
                "topic write $delayed/5/a",
                "topic read fine",
                "pattern read %u");

        assertEquals(
                List.of(
                        "acl:1 gives everything on the topic 'deny', as with mosquitto; an action needs a topic",
                        "acl:2 has %c or %u as plain text; only 'pattern' fills them in",
                        "acl:3 is a pattern without %c and %u, which counts for all clients",
                        "acl:4 matches nothing: of a shared subscription the filter behind $share/NAME/ counts",
                        "acl:5 matches nothing: of a delayed message the topic behind $delayed/SECONDS/ counts"),
                file.warnings());
    }

    @Test
    void warnings_areBounded() {
        List<String> warnings = Acl.of("topic deny\n".repeat(1000)).warnings();

        assertEquals(21, warnings.size());
        assertEquals("acl: 980 more warnings", warnings.get(20));
    }

    @Test
    void clientsOfOneUser_shareTheirRights_unlessPatternsOrTokensSetThemApart() {
        AclFile file = Acl.of("user ann", "topic read a");
        assertSame(file.rights("1", "ann", null), file.rights("2", "ann", null));
        assertSame(file.rights("1", null, null), file.rights("2", null, null));
        assertNotSame(file.rights("1", "ann", null), file.rights("1", "ann", TokenRights.of(null, List.of())));

        AclFile patterns = Acl.of("user ann", "pattern read a/%c");
        assertNotSame(patterns.rights("1", "ann", null), patterns.rights("2", "ann", null));
        assertEquals("", may(patterns.rights("1", "ann", null), "a/2"));
        assertEquals("sr", may(patterns.rights("2", "ann", null), "a/2"));
    }

    @Test
    void anonymousClients_areKnownToHaveRightsOrNone() {
        assertTrue(Acl.of("topic read a").allowsAnonymous());
        assertTrue(Acl.of("all", "topic read a").allowsAnonymous());
        assertTrue(Acl.of("pattern read %c").allowsAnonymous());
        assertFalse(Acl.of("pattern read %u", "topic deny a", "user ann", "topic read a")
                .allowsAnonymous());
    }
}
