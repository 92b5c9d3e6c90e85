package org.dunlin.server.acl;

import static org.dunlin.server.acl.Acl.may;
import static org.dunlin.server.acl.Acl.publishes;
import static org.dunlin.server.acl.Acl.receives;
import static org.dunlin.server.acl.Acl.rights;
import static org.dunlin.server.acl.Acl.subscribes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AclRightsTest {
    private static final String LONG = "l".repeat(60_000);

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            topic read a/#                       | a/b/+         | true
            topic read a/#                       | #             | false
            topic read #                         | #             | true
            topic read +/#                       | #             | true
            topic read #                         | $SYS/#        | false
            topic read #;topic read $SYS/#       | $SYS/broker/+ | true
            topic read a/+                       | a/b           | true
            topic read a/b                       | a/+           | false
            topic read a/b;topic read a/c        | a/+           | false
            topic read a;topic read a/+/#        | a/#           | false
            topic read a/#                       | $share/g/a/+  | true
            topic read a/#                       | $share/g/b    | false
            topic read #;topic deny a/#          | a/#           | false
            topic read #;topic deny a/#          | a/b           | false
            topic read #;topic deny a/b          | a/#           | true
            topic read #;topic deny a/b          | #             | true
            topic read #;topic deny +/b          | a/b           | false
            topic read #;topic deny receive a    | a             | true
            topic subscribe #;topic receive a    | #             | true
            topic write #                        | a             | false
            """)
    void filter_mustBeCovered(String lines, String filter, boolean allowed) {
        assertEquals(allowed, subscribes(rights(Acl.of(lines.split(";")), null), filter));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            topic read a/#                       | a/+ | true
            topic read a/b                       | a/+ | false
            topic read #;topic deny a/secret     | a/# | false
            topic read #;topic deny a/secret     | a/+ | false
            topic read #;topic deny a/secret     | b/# | true
            topic read #;topic deny write a/x    | a/# | true
            topic read #;topic deny $SYS/x       | #   | true
            topic read #;topic deny +/secret     | a/# | false
            topic subscribe a/#                  | a/# | false
            topic read a/#                       | $share/g/a/# | true
            """)
    void receivesAllOf_isTrueIfNothingIsHeldBack(String lines, String filter, boolean all) {
        assertEquals(all, rights(Acl.of(lines.split(";")), null).receivesAllOf(TopicFilter.of(filter)));
    }

    @Test
    void limits_areTheUnionOfThoseOfTheRules() {
        AclFile file = Acl.of(
                "topic publish,qos=1,retain=no a",
                "topic publish,qos=0 +",
                "topic subscribe,qos=1 a",
                "topic readwrite,qos=0,retain=no all");
        Rights rights = rights(file, null);
        TopicName a = TopicName.of("a");

        assertNull(rights.refusesPublish(a, Qos.AT_LEAST_ONCE, false));
        assertNull(rights.refusesPublish(a, Qos.AT_MOST_ONCE, true));
        assertEquals(
                "acl:1 allows to publish to 'a' with a lower QoS or without RETAIN only",
                rights.refusesPublish(a, Qos.AT_LEAST_ONCE, true));
        assertNotNull(rights.refusesPublish(a, Qos.EXACTLY_ONCE, false));
        assertNull(rights.refusesSubscribe(TopicFilter.of("a"), Qos.AT_LEAST_ONCE));
        assertEquals(
                "acl:3 allows to subscribe to 'a' with a lower QoS only",
                rights.refusesSubscribe(TopicFilter.of("a"), Qos.EXACTLY_ONCE));
        assertNotNull(rights.refusesSubscribe(TopicFilter.of("all"), Qos.AT_LEAST_ONCE));
        assertTrue(receives(rights, "all"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "-", emptyValue = "", textBlock = """
            pattern readwrite dev/%c/#     | d1  | -   | dev/d1/x     | psr
            pattern readwrite dev/%c/#     | d1  | -   | dev/d2/x     | ''
            pattern readwrite dev-%c       | d1  | -   | dev-d1       | psr
            pattern readwrite %c-%u-x      | d1  | ann | d1-ann-x     | psr
            pattern readwrite %u/%u        | d1  | ann | ann/ann      | psr
            pattern readwrite %u/%c        | %u  | ann | ann/%u       | psr
            pattern readwrite %u/%c        | %u  | ann | ann/ann      | ''
            pattern readwrite u/%u         | d1  | -   | u/           | ''
            pattern readwrite u/%u         | d1  | ''  | u/           | ''
            pattern readwrite u/%u         | d1  | a/b | u/a/b        | ''
            pattern readwrite u/%u         | d1  | +   | u/x          | ''
            pattern readwrite u/%u/#       | d1  | #   | u/x          | ''
            pattern readwrite c/%c         | d1  | a/b | c/d1         | psr
            pattern readwrite c/%c         | d1  | a+b | c/d1         | ''
            pattern readwrite plain        | d1  | a/b | plain        | psr
            pattern readwrite plain        | d+  | ann | plain        | ''
            pattern readwrite %c/#         | $SYS | -  | $SYS/broker  | ''
            pattern readwrite %u/#         | d1 | $SYS | $SYS/broker  | ''
            pattern readwrite x%c/#        | $SYS | -  | x$SYS/b      | psr
            pattern readwrite a/%c         | $x  | -   | a/$x         | psr
            pattern readwrite %c%c         | aa  | -   | aaa          | ''
            all;topic readwrite #;pattern deny secret/%u/# | d1 | ann | secret/ann/x | ''
            all;topic readwrite #;pattern deny secret/%u/# | d1 | ben | secret/ann/x | psr
            all;topic readwrite #;pattern deny secret/%u/# | d1 | -   | secret/ann/x | psr
            all;topic readwrite #;pattern deny secret/%u/# | d1 | a/b | secret/a/b/x | ''
            all;topic readwrite #;pattern deny secret/%u/# | d1 | a/b | secret/other | ''
            all;topic readwrite #;pattern deny secret/%u/# | d1 | a/b | secret       | psr
            all;topic readwrite #;pattern deny secret/%u/# | d1 | #   | secret/x     | ''
            all;topic readwrite #;pattern deny secret/%u/# | d1 | #   | open/x       | psr
            """)
    void pattern_isFilledIn_unlessItCouldMeanMore(
            String lines, String clientId, @Nullable String user, String topic, String may) {
        Rights rights = Acl.of(lines.split(";")).rights(clientId, user, null);
        assertEquals(may, may(rights, topic));
    }

    @Test
    void pattern_ofAnUnfitName_mayDenyWhateverASubscriptionBrings() {
        AclFile file = Acl.of("all", "topic readwrite #", "pattern deny secret/%u/#");

        assertFalse(file.rights("c", "a/b", null).receivesAllOf(TopicFilter.of("#")));
        assertFalse(file.rights("c", "a/b", null).receivesAllOf(TopicFilter.of("secret/+/y")));
        assertTrue(file.rights("c", "a/b", null).receivesAllOf(TopicFilter.of("open/#")));
        assertTrue(file.rights("c", "ann", null).receivesAllOf(TopicFilter.of("secret/ben/#")));
    }

    private static String refusal(Rights rights, String topic) {
        return Objects.requireNonNull(rights.refusesPublish(TopicName.of(topic), Qos.AT_MOST_ONCE, false));
    }

    @Test
    void refusals_sayWhichRuleOrWhatToAdd() {
        AclFile file = Acl.of(
                "topic read #", "topic deny a/#", "user ann", "pattern write %c/#", "topic write %u", "topic deny x");
        assertEquals("acl:2 denies to publish to 'a/b'", refusal(rights(file, null), "a/b"));
        assertEquals(
                "no rule of acl allows a client without a user name to publish to 'b'; add 'topic write b' above the first"
                        + " 'user' line",
                refusal(rights(file, null), "b"));
        assertEquals(
                "no rule of acl allows user 'ann' to publish to 'b'; add 'topic write b' below 'user ann'",
                refusal(rights(file, "ann"), "b"));
        assertEquals(
                "no rule of acl allows user 'ben' to publish to 'b'; add 'topic write b' below 'user ben'; the pattern of"
                        + " line 4 is not used, since its client identifier has +, # or /",
                refusal(file.rights("a/b", "ben", null), "b"));
        assertEquals(
                "no rule of acl allows user 'ann' to subscribe to all of 'b/#'; add 'topic read b/#' below 'user ann'",
                rights(file, "ann").refusesSubscribe(TopicFilter.of("$share/g/b/#"), Qos.AT_MOST_ONCE));
        assertEquals(
                "acl:6 denies to subscribe to 'x'",
                rights(file, "ann").refusesSubscribe(TopicFilter.of("x"), Qos.AT_MOST_ONCE));
    }

    @Test
    void refusals_areShortAndPlain_whateverTheClientWrites() {
        Rights rights = rights(Acl.of("pattern read %u"), "u\n\u001b/" + LONG);
        String text = refusal(rights, LONG + "\n");

        assertTrue(text.length() < 700, text);
        assertTrue(text.chars().noneMatch(Character::isISOControl), text);
    }

    private static TokenRights token(List<String> groups, String... filters) {
        List<TopicFilter> each = List.of(filters).stream().map(TopicFilter::of).toList();
        return TokenRights.of(new TokenRights.Allowed(each, each, each), groups);
    }

    @Test
    void tokens_addToTheFile_whoseDenialsWin() {
        AclFile file = Acl.of("topic deny t/locked", "user ann", "topic read f", "group g", "topic read of/g", "all");
        Rights ann = file.rights("c", "ann", token(List.of("g", "nowhere"), "t/#", "$share/x/y"));

        assertEquals("psr", may(ann, "t/1"));
        assertEquals("sr", may(ann, "f"));
        assertEquals("sr", may(ann, "of/g"));
        assertFalse(subscribes(ann, "$share/x/y"));
        assertEquals("", may(file.rights("c", null, token(List.of(), "t/#")), "t/locked"));
        assertFalse(publishes(file.rights("c", "ann", TokenRights.of(null, List.of("g"))), "t/1"));
    }

    @Test
    void tokens_haveBounds() {
        List<TopicFilter> many = Collections.nCopies(TokenRights.FILTERS_MAX, TopicFilter.of("a"));
        TokenRights.of(new TokenRights.Allowed(many, List.of(), List.of()), List.of());

        assertThrows(
                IllegalArgumentException.class,
                () -> TokenRights.of(new TokenRights.Allowed(many, many, List.of()), List.of()));
        assertThrows(IllegalArgumentException.class, () -> TokenRights.of(null, Collections.nCopies(101, "group")));
    }

    @Test
    void denials_areAllThatCountsForSomebodyWhoseTokenIsNotKnown() {
        AclFile file = Acl.of("user ann", "topic deny secret/#", "topic read f");
        Rights ann = file.denials("c", "ann");

        assertEquals("psr", may(ann, "anything"));
        assertEquals("psr", may(ann, "$SYS/x"));
        assertEquals("", may(ann, "secret/x"));
        assertFalse(ann.receivesAll());
        assertTrue(file.denials("c", "ben").receivesAll());
        assertFalse(rights(Acl.of("topic read #"), null).receivesAll());
    }
}
