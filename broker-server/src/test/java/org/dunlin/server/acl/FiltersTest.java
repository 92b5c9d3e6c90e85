package org.dunlin.server.acl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FiltersTest {
    private static final List<String[]> TOPICS = RandomRules.allTopics();

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "#, a/b, true",
                "#, +/#, true",
                "+/#, #, true",
                "+/#, a, true",
                "+/+/#, #, false",
                "#, $SYS/a, false",
                "+/a, $SYS/a, false",
                "$SYS/#, $SYS/a, true",
                "$SYS/#, #, false",
                "a/#, a, true",
                "a/#, a/+, true",
                "a/#, a/#, true",
                "a/+, a/#, false",
                "a/+/#, a/#, false",
                "a/+/#, a/+, true",
                "a/+, a/b, true",
                "a/b, a/+, false",
                "+, '', true",
                "a/+, a/, true",
                "a/+, a, false",
            })
    void covers_meansThatEveryTopicOfTheOneIsOfTheOther(String wide, String narrow, boolean covers) {
        assertEquals(covers, Filters.covers(Filters.levels(wide), Filters.levels(narrow)));
    }

    @Test
    void coversAndMeet_areWhatAllTopicsSay() {
        RandomRules random = new RandomRules();
        for (int n = 0; n < 20_000; n++) {
            String a = random.filter(false);
            String b = random.filter(false);
            boolean covers = true;
            boolean meet = false;
            for (String[] topic : TOPICS) {
                boolean inA = matches(a, topic);
                boolean inB = matches(b, topic);
                covers &= inA || !inB;
                meet |= inA && inB;
            }
            String about = a + " and " + b + ", seed " + random.seed;
            assertEquals(covers, Filters.covers(Filters.levels(a), Filters.levels(b)), about);
            assertEquals(meet, Filters.meet(Filters.levels(a), Filters.levels(b)), about);
            assertTrue(Filters.meet(Filters.levels(a), Filters.levels(a)), about);
        }
    }

    private static boolean matches(String filter, String[] topic) {
        return TopicFilter.of(filter).matches(TopicName.ofChecked(String.join("/", topic), new byte[0]));
    }
}
