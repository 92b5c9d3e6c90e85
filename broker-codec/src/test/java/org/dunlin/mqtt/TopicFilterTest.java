package org.dunlin.mqtt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class TopicFilterTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a#",
                "a/#/b",
                "#/a",
                "##",
                "#/",
                "a+",
                "+a",
                "a/+b/c",
                "++",
                "a/b#",
                "$shared/a+b",
                "a/\u0000",
                "$share//a",
                "$share/g",
                "$share/g/",
                "$share/g+/a",
                "$share/g#/a",
                "$share/+/a",
                "$share/#",
                "$share/",
                "$share/g/a#",
                "$share/g/a/#/b"
            })
    void fault_ofInvalidFilter_saysWhat(String text) {
        assertNotNull(TopicFilter.fault(text));
        IllegalArgumentException thrown = assertThrows(IllegalArgumentException.class, () -> TopicFilter.of(text));
        assertTrue(String.valueOf(thrown.getMessage()).contains("'" + text + "'"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a",
                "/",
                "//",
                "a/",
                "/a",
                "#",
                "+",
                "+/+",
                "/+",
                "+/#",
                "a/+/b",
                "a/#",
                "a/$x",
                "$SYS/#",
                "$share",
                "$shared/a/+",
                " ",
                "a b",
                "\u00e9/+",
                "$share/g/a",
                "$share/g//a",
                "$share/g/#",
                "$share/g/+",
                "$share/ /a",
                "$share/$x/$SYS/#"
            })
    void fault_ofValidFilter_isNone(String text) {
        assertNull(TopicFilter.fault(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "#", "+", "a/+", "a/#", "a+b", "a\u0000b"})
    void topicName_withWildcardOrNothing_isAtFault(String text) {
        assertNotNull(TopicName.fault(text));
        assertThrows(IllegalArgumentException.class, () -> TopicName.of(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "//", "a/", "/a", " ", "$SYS", "$share/g/a", "\uD83D\uDE00/\u00e9", "\u0001"})
    void topicName_withEmptyLevelsOrUnusualCharacters_isValid(String text) {
        assertNull(TopicName.fault(text));
        assertEquals(text, TopicName.of(text).text());
    }

    @Test
    void share_isSplitFromWhatTopicsAreComparedWith() {
        TopicFilter filter = TopicFilter.of("$share/g//a/+");
        assertTrue(filter.isShared());
        assertEquals("g", filter.shareName());
        assertEquals("/a/+", filter.pattern());
        assertArrayEquals(new String[] {"", "a", "+"}, filter.levels());
        assertTrue(filter.hasWildcard());
        assertFalse(TopicFilter.of("$share/g/a").hasWildcard());
        assertEquals("$share", TopicFilter.of("$share").pattern());
        assertNull(TopicFilter.of("$share").shareName());
        assertNotEquals(TopicFilter.of("$share/g/a/+"), TopicFilter.of("$share/h/a/+"));
        assertNotEquals(TopicFilter.of("$share/g/a/+"), TopicFilter.of("a/+"));
        assertEquals(TopicFilter.of("$share/g/a/+"), TopicFilter.of("$share/g/a/+"));
    }

    @ParameterizedTest
    @CsvSource({
        "sport/#,sport",
        "sport/#,sport/",
        "sport/#,sport/a/b",
        "+/+,/finance",
        "/+,/finance",
        "sport/+,sport/",
        "$SYS/+,$SYS/a",
        "$SYS/#,$SYS",
        "$SYS/#,$SYS/a/b",
        "+/$x,a/$x",
        "#,a/$x",
        "a/$x,a/$x",
        "#,/",
        "+/+,/",
        "//,//",
        "$share/g/#,a",
        "$share/g/$SYS/#,$SYS/a",
        "$share/g//a,/a",
        "+/+/#,/"
    })
    void matches_whatFallsUnderIt(String filter, String topic) {
        assertTrue(TopicFilter.of(filter).matches(TopicName.of(topic)));
    }

    @ParameterizedTest
    @CsvSource({
        "+,/finance",
        "sport/+,sport",
        "sport/#,sports",
        "#,$SYS/a",
        "+/a,$SYS/a",
        "+,$SYS",
        "+/#,$SYS",
        "/,//",
        "a,a/",
        "a,/a",
        "a/+,a/b/c",
        "a/b/#,a",
        "$share/g/#,$SYS/a",
        "$share/g/a,$share/g/a",
        "+/+/+,/",
        "a,A"
    })
    void matches_nothingElse(String filter, String topic) {
        assertFalse(TopicFilter.of(filter).matches(TopicName.of(topic)));
    }

    /** [MQTT-1.5.4-1]: UTF-8 cannot hold them, and text and bytes of a name would say different things. */
    @Test
    void fault_ofHalfASurrogatePair_isFound() {
        for (String text : new String[] {"\uD83D", "a/\uDE00", "\uDE00\uD83D", "\uD83D/\uDE00", "$share/\uD83D/a"}) {
            assertNotNull(TopicFilter.fault(text));
            assertNotNull(TopicName.fault(text));
            assertThrows(IllegalArgumentException.class, () -> TopicName.of(text));
        }
        assertNull(TopicFilter.fault("$share/\uD83D\uDE00/\uD83D\uDE00"));
    }

    /** Hash maps sort names of one hash by it, else a client could prepare many that are slow to find. */
    @Test
    void topicNames_ofOneHash_haveAnOrder() {
        TopicName a = TopicName.of("AaAa");
        TopicName b = TopicName.of("BBBB");
        assertEquals(a.hashCode(), b.hashCode());
        assertNotEquals(a, b);
        assertTrue(a.compareTo(b) < 0 && b.compareTo(a) > 0);
        assertEquals(0, a.compareTo(TopicName.of("AaAa")));
    }

    @Test
    void levels_ofManySlashes_areOneMore() {
        assertArrayEquals(new String[] {"", "", ""}, TopicName.of("//").levels());
        assertArrayEquals(new String[] {"a", ""}, TopicName.of("a/").levels());
        assertEquals(65_535, TopicName.of("/".repeat(65_534)).levels().length);
        assertTrue(TopicFilter.of("+" + "/+".repeat(32_766)).matches(TopicName.of("/".repeat(32_766))));
    }
}
