package org.dunlin.it.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.crash.Violation.Kind;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.Test;

/** Histories made up by hand: the checker finds each kind of fault, and takes nothing for one that is none. */
class CheckerTest {
    private static final String TOPIC = "m/p/0";

    private final List<History.Entry> history = new ArrayList<>();
    private long nowMillis;
    private Victim.Promises promises = Victim.Promises.ALL;

    // ---- messages

    @Test
    void messagesThatCome_areFine() {
        subscriber("s", "m/#", Qos.EXACTLY_ONCE);
        for (int number = 1; number <= 3; number++) {
            published(number, Qos.EXACTLY_ONCE, 1);
            delivered("s", number, Qos.EXACTLY_ONCE);
        }

        expect();
    }

    @Test
    void acknowledgedMessage_thatNeverCame_isLost() {
        subscriber("s", "m/#", Qos.AT_LEAST_ONCE);
        published(1, Qos.AT_LEAST_ONCE, 1);
        published(2, Qos.AT_LEAST_ONCE, 1);
        delivered("s", 2, Qos.AT_LEAST_ONCE);

        expect(Kind.LOST);
    }

    @Test
    void acknowledgedQos2_thatNeverCame_isLost() {
        subscriber("s", "m/#", Qos.EXACTLY_ONCE);
        published(1, Qos.EXACTLY_ONCE, 1);
        crash("s");
        connected("s", true);

        expect(Kind.LOST);
    }

    @Test
    void qos2_afterPubRecAlone_isLostToo() {
        subscriber("s", "m/#", Qos.EXACTLY_ONCE);
        sent(1, Qos.EXACTLY_ONCE, 1);
        add(new Event.Acknowledged(key(1)));

        expect(Kind.LOST);
        promises = Victim.Promises.LEAST;
        expect();
    }

    @Test
    void unacknowledgedMessage_mayComeOrNot() {
        subscriber("s", "m/#", Qos.EXACTLY_ONCE);
        subscriber("t", "m/#", Qos.EXACTLY_ONCE);
        sent(1, Qos.EXACTLY_ONCE, 1);
        delivered("s", 1, Qos.EXACTLY_ONCE);

        expect();
    }

    @Test
    void qos2_thatCameTwice_isADuplicate() {
        subscriber("s", "m/#", Qos.EXACTLY_ONCE);
        published(1, Qos.EXACTLY_ONCE, 1);
        delivered("s", 1, Qos.EXACTLY_ONCE);
        crash("s");
        connected("s", true);
        delivered("s", 2, 1, Qos.EXACTLY_ONCE);

        expect(Kind.DUPLICATE);
    }

    @Test
    void qos1_thatCameAgainOnTheNextConnection_isFine_butNotTwiceOnOne() {
        subscriber("s", "m/#", Qos.EXACTLY_ONCE);
        published(1, Qos.AT_LEAST_ONCE, 1);
        delivered("s", 1, Qos.AT_LEAST_ONCE);
        crash("s");
        connected("s", true);
        delivered("s", 2, 1, Qos.AT_LEAST_ONCE);
        expect();

        delivered("s", 2, 1, Qos.AT_LEAST_ONCE);
        expect(Kind.DUPLICATE);
    }

    @Test
    void qos1_thatWasSentAgain_mayComeTwiceOnOneConnection() {
        subscriber("s", "m/#", Qos.EXACTLY_ONCE);
        sent(1, Qos.AT_LEAST_ONCE, 1);
        add(new Event.SentAgain(key(1)));
        add(new Event.Acknowledged(key(1)));
        delivered("s", 1, Qos.AT_LEAST_ONCE);
        delivered("s", 1, Qos.AT_LEAST_ONCE);

        expect();
    }

    @Test
    void laterMessageFirst_isReordered() {
        subscriber("s", "m/#", Qos.EXACTLY_ONCE);
        published(1, Qos.AT_LEAST_ONCE, 1);
        published(2, Qos.EXACTLY_ONCE, 2);
        delivered("s", 2, Qos.EXACTLY_ONCE);
        delivered("s", 1, Qos.AT_LEAST_ONCE);

        expect(Kind.REORDERED);
        promises = Victim.Promises.LEAST; // each QoS has an order of its own
        expect();
    }

    @Test
    void repetitionOfAnEarlierQos1_isNotReordered() {
        subscriber("s", "m/#", Qos.EXACTLY_ONCE);
        published(1, Qos.AT_LEAST_ONCE, 1);
        published(2, Qos.AT_LEAST_ONCE, 2);
        delivered("s", 1, Qos.AT_LEAST_ONCE);
        delivered("s", 2, Qos.AT_LEAST_ONCE);
        crash("s");
        connected("s", true);
        delivered("s", 2, 1, Qos.AT_LEAST_ONCE);
        delivered("s", 2, 2, Qos.AT_LEAST_ONCE);

        expect();
    }

    @Test
    void whatNobodySent_orWithAnotherQos_isUnknown() {
        subscriber("s", "m/#", Qos.EXACTLY_ONCE);
        delivered("s", 7, Qos.EXACTLY_ONCE);
        expect(Kind.UNKNOWN);

        published(1, Qos.EXACTLY_ONCE, 1);
        delivered("s", 1, Qos.AT_LEAST_ONCE);
        expect(Kind.UNKNOWN, Kind.UNKNOWN);
    }

    @Test
    void loneQos2_underAnIdentifierThatCameFree_wasTakenForARepeat() {
        subscriber("s", "m/#", Qos.EXACTLY_ONCE);
        for (int number = 1; number <= 3; number++) {
            published(number, Qos.EXACTLY_ONCE, 1);
        }
        delivered("s", 1, Qos.EXACTLY_ONCE);
        delivered("s", 3, Qos.EXACTLY_ONCE);

        expect(Kind.IDENTIFIER);
    }

    @Test
    void faultsThatClientsSee_areReported() {
        add(new Event.Fault("s", Kind.IDENTIFIER, "5 stands for another message until PUBREL"));

        expect(Kind.IDENTIFIER);
    }

    @Test
    void payloadThatWasAltered_isNoKey() {
        MessageKey key = key(3);
        byte[] payload = key.payload(40);
        assertEquals(40, payload.length);
        assertEquals(key, MessageKey.read(TOPIC, payload));
        payload[39]++;
        assertEquals(null, MessageKey.read(TOPIC, payload));
        assertEquals(null, MessageKey.read(TOPIC, new byte[] {1, 2}));
    }

    // ---- shared subscriptions

    @Test
    void sharedSubscription_needsEachMessageOnce_overAllMembers() {
        subscriber("a", "$share/g/m/#", Qos.EXACTLY_ONCE);
        subscriber("b", "$share/g/m/#", Qos.EXACTLY_ONCE);
        published(1, Qos.EXACTLY_ONCE, 1);
        published(2, Qos.EXACTLY_ONCE, 1);
        delivered("b", 2, Qos.EXACTLY_ONCE);
        delivered("a", 1, Qos.EXACTLY_ONCE);
        expect();

        delivered("b", 1, Qos.EXACTLY_ONCE);
        expect(Kind.DUPLICATE);
    }

    @Test
    void sharedSubscription_ofWhichNoMemberGotIt_hasLost() {
        subscriber("a", "$share/g/m/#", Qos.EXACTLY_ONCE);
        subscriber("b", "$share/g/m/#", Qos.EXACTLY_ONCE);
        published(1, Qos.AT_LEAST_ONCE, 1);

        expect(Kind.LOST);
    }

    // ---- subscriptions

    @Test
    void subscriptionLostAfterSubAck_isNamed() {
        subscriber("s", "m/#", Qos.EXACTLY_ONCE);
        published(1, Qos.EXACTLY_ONCE, 1);
        delivered("s", 1, Qos.EXACTLY_ONCE);
        crash("s");
        connected("s", true);
        published(2, Qos.EXACTLY_ONCE, 1);
        published(3, Qos.EXACTLY_ONCE, 1);

        expect(Kind.SUBSCRIPTION);
    }

    @Test
    void subscriptionBackAfterUnsubAck_isFound() {
        subscriber("s", "m/#", Qos.EXACTLY_ONCE);
        add(new Event.Unsubscribing("s", "m/#"));
        add(new Event.Unsubscribed("s", "m/#"));
        crash("s");
        connected("s", true);
        published(1, Qos.EXACTLY_ONCE, 1);
        delivered("s", 2, 1, Qos.EXACTLY_ONCE);

        expect(Kind.SUBSCRIPTION);
    }

    @Test
    void subscriptionInDoubt_promisesAndForbidsNothing() {
        connected("s", false);
        add(new Event.Subscribing("s", "m/#", Qos.EXACTLY_ONCE));
        crash("s");
        connected("s", true);
        published(1, Qos.EXACTLY_ONCE, 1);
        published(2, Qos.EXACTLY_ONCE, 1);
        delivered("s", 2, 2, Qos.EXACTLY_ONCE);
        expect();

        add(new Event.Unsubscribing("s", "m/#"));
        published(3, Qos.EXACTLY_ONCE, 1);
        expect();
    }

    @Test
    void messageAcknowledgedBeforeUnsubscribe_hasToCome_oneInBetweenMay() {
        subscriber("s", "m/#", Qos.EXACTLY_ONCE);
        sent(1, Qos.EXACTLY_ONCE, 1);
        add(new Event.Unsubscribing("s", "m/#"));
        add(new Event.Acknowledged(key(1)));
        add(new Event.Unsubscribed("s", "m/#"));
        expect();

        add(new Event.Subscribing("s", "m/#", Qos.EXACTLY_ONCE));
        add(new Event.Subscribed("s", "m/#", Qos.EXACTLY_ONCE));
        published(2, Qos.EXACTLY_ONCE, 2);
        add(new Event.Unsubscribing("s", "m/#"));
        expect(Kind.LOST);
    }

    // ---- sessions

    @Test
    void sessionGoneAfterACrash_isFound_andSoIsWhatItHad() {
        subscriber("s", "m/#", Qos.EXACTLY_ONCE);
        published(1, Qos.EXACTLY_ONCE, 1);
        crash("s");
        connected("s", false);

        expect(Kind.SESSION_PRESENT, Kind.LOST);
    }

    @Test
    void sessionThatShouldHaveEnded_isFound() {
        connect("s", false, 0, false);
        crash("s");
        connected("s", true);
        expect(Kind.SESSION_PRESENT);
    }

    @Test
    void sessionPresentAfterCleanStart_isFound() {
        subscriber("s", "m/#", Qos.EXACTLY_ONCE);
        published(1, Qos.EXACTLY_ONCE, 1);
        crash("s");
        connect("s", true, 3600, false);
        expect();

        crash("s");
        connect("s", true, 3600, true);
        expect(Kind.SESSION_PRESENT);
    }

    @Test
    void sessionExpiry_endsASessionInItsTime_andNotBefore() {
        connect("s", false, 10, false);
        crash("s");
        nowMillis += 6000;
        connect("s", false, 10, false);
        expect(Kind.SESSION_PRESENT);

        crash("s");
        nowMillis += 14_000;
        connect("s", false, 10, true);
        expect(Kind.SESSION_PRESENT, Kind.SESSION_PRESENT);

        crash("s");
        nowMillis += 9500; // too near to tell
        connect("s", false, 10, false);
        expect(Kind.SESSION_PRESENT, Kind.SESSION_PRESENT);
    }

    @Test
    void expiryOfDisconnect_counts_unlessTheBrokerCrashes() {
        connect("s", false, 3600, false);
        add(new Event.Leaving("s", 0));
        add(new Event.Left("s"));
        connect("s", false, 3600, true);
        expect(Kind.SESSION_PRESENT);

        add(new Event.Leaving("s", 0));
        add(new Event.Left("s"));
        add(new Event.Ending(1, false));
        connect("s", false, 3600, true);
        expect(Kind.SESSION_PRESENT);
    }

    @Test
    void connectWithoutAnswer_leavesTheSessionInDoubt() {
        add(new Event.Connecting("s", false, 3600, null, 0));
        crash("s");
        connected("s", true);
        expect();

        crash("s");
        add(new Event.Connecting("s", true, 3600, null, 0));
        crash("s");
        connected("s", false);
        expect();
    }

    @Test
    void sessionThatMayBeANewOne_owesNothingOfBefore_untilItIsSubscribedAgain() {
        subscriber("s", "m/#", Qos.EXACTLY_ONCE);
        add(new Event.Leaving("s", 0));
        add(new Event.Left("s"));
        published(1, Qos.EXACTLY_ONCE, 1);
        add(new Event.Connecting("s", false, 3600, null, 0));
        crash("s");
        connected("s", true);
        published(2, Qos.EXACTLY_ONCE, 1);
        expect();

        add(new Event.Subscribing("s", "m/#", Qos.EXACTLY_ONCE));
        add(new Event.Subscribed("s", "m/#", Qos.EXACTLY_ONCE));
        published(3, Qos.EXACTLY_ONCE, 1);
        expect(Kind.LOST);
    }

    // ---- retained messages

    @Test
    void retainedValues_betweenTheLastAcknowledgedAndTheLastSent_areFine() {
        retain(1, false, true);
        retain(2, false, true);
        retain(3, false, false);
        read(true, 2);
        read(true, 3);

        expect();
    }

    @Test
    void retainedValue_olderThanTheLastAcknowledged_isFound() {
        retain(1, false, true);
        retain(2, false, true);
        read(false, 1);

        expect(Kind.RETAINED);
    }

    @Test
    void retainedValue_neverPublished_isFound() {
        retain(1, false, true);
        read(false, 5);

        expect(Kind.RETAINED);
    }

    @Test
    void retainedValue_missing_isFoundByACompleteReadingAlone() {
        retain(1, false, true);
        read(false, 0);
        expect();

        read(true, 0);
        expect(Kind.RETAINED);
        assertEquals(1, Checker.retainedForCertain(history, promises).size());
    }

    @Test
    void retainedValue_backAfterItWasCleared_isFound() {
        retain(1, false, true);
        retain(2, true, true);
        read(true, 0);
        expect();

        read(false, 1);
        expect(Kind.RETAINED);
    }

    @Test
    void clearingInDoubt_allowsBoth() {
        retain(1, false, true);
        retain(2, true, false);
        read(true, 0);
        read(true, 1);

        expect();
        assertTrue(Checker.retainedForCertain(history, promises).isEmpty());
    }

    // ---- wills and delayed messages

    @Test
    void willOfAClientThatACrashCutOff_hasToCome() {
        subscriber("s", "w/#", Qos.AT_LEAST_ONCE);
        MessageKey will = new MessageKey("w", "w/w", 1);
        add(new Event.Connecting("w", false, 3600, will, 0));
        add(new Event.Connected("w", false));
        crash("s", "w");
        connected("s", true);
        expect(Kind.WILL);

        add(new Event.Delivered("s", 2, will, Qos.AT_LEAST_ONCE, false));
        expect();
    }

    @Test
    void will_whoseClientLeavesWhileTheBrokerEnds_mayComeOrNot() {
        subscriber("s", "w/#", Qos.AT_LEAST_ONCE);
        add(new Event.Connecting("w", false, 3600, new MessageKey("w", "w/w", 1), 0));
        add(new Event.Connected("w", false));
        add(new Event.Ending(1, false));
        add(new Event.Leaving("w", -1));
        add(new Event.Left("w"));

        expect();
    }

    @Test
    void willAfterDisconnect_isFound_unlessTheBrokerCrashedMeanwhileOrAtOnce() {
        subscriber("s", "w/#", Qos.AT_LEAST_ONCE);
        for (int number = 1; number <= 4; number++) {
            MessageKey will = new MessageKey("w", "w/w", number);
            add(new Event.Connecting("w", false, 3600, will, 0));
            add(new Event.Connected("w", number > 1));
            add(new Event.Leaving("w", -1));
            if (number == 1) {
                add(new Event.Ending(1, false));
            }
            add(new Event.Left("w"));
            if (number == 4) { // it is back before the crash
                add(new Event.Connecting("w", false, 3600, null, 0));
            }
            nowMillis += number == 2 || number == 4 ? 100 : 2000;
            add(new Event.Ending(number, false));
            add(new Event.Delivered("s", 1, will, Qos.AT_LEAST_ONCE, false));
        }

        expect(Kind.WILL);
    }

    @Test
    void delayedMessage_beforeItsTime_orNever_isFound() {
        subscriber("s", "d/#", Qos.AT_LEAST_ONCE);
        for (int number = 1; number <= 3; number++) {
            MessageKey key = new MessageKey("p", "d/p", number);
            add(new Event.Sent(key, new Event.Sending(Qos.AT_LEAST_ONCE, 1, false, false, false, 2)));
            add(new Event.Acknowledged(key));
        }
        nowMillis += 1000;
        add(new Event.Delivered("s", 1, new MessageKey("p", "d/p", 2), Qos.AT_LEAST_ONCE, false));
        nowMillis += 1500;
        add(new Event.Delivered("s", 1, new MessageKey("p", "d/p", 1), Qos.AT_LEAST_ONCE, false));

        expect(Kind.EARLY, Kind.LOST);
    }

    @Test
    void messageThatMayExpire_isNotMissed() {
        subscriber("s", "m/#", Qos.AT_LEAST_ONCE);
        add(new Event.Sent(key(1), new Event.Sending(Qos.AT_LEAST_ONCE, 1, false, false, true, 0)));
        add(new Event.Acknowledged(key(1)));

        expect();
    }

    // ---- making histories

    private void add(Event event) {
        history.add(new History.Entry(TimeUnit.MILLISECONDS.toNanos(nowMillis), event));
    }

    private static MessageKey key(int number) {
        return new MessageKey("p", TOPIC, number);
    }

    private void connect(String client, boolean cleanStart, long expiry, boolean present) {
        add(new Event.Connecting(client, cleanStart, expiry, null, 0));
        add(new Event.Connected(client, present));
    }

    private void connected(String client, boolean present) {
        connect(client, false, 3600, present);
    }

    private void subscriber(String client, String filter, Qos qos) {
        connected(client, false);
        add(new Event.Subscribing(client, filter, qos));
        add(new Event.Subscribed(client, filter, qos));
    }

    private void crash(String... clients) {
        add(new Event.Ending(1, false));
        for (String client : clients) {
            add(new Event.Broken(client));
        }
        add(new Event.Ready(1));
    }

    private void sent(int number, Qos qos, int packetId) {
        add(new Event.Sent(key(number), new Event.Sending(qos, packetId, false, false, false, 0)));
    }

    private void published(int number, Qos qos, int packetId) {
        sent(number, qos, packetId);
        add(new Event.Acknowledged(key(number)));
        add(new Event.Completed(key(number)));
    }

    private void delivered(String client, int number, Qos qos) {
        delivered(client, 1, number, qos);
    }

    private void delivered(String client, int connection, int number, Qos qos) {
        add(new Event.Delivered(client, connection, key(number), qos, false));
    }

    private void retain(int number, boolean clear, boolean acknowledged) {
        MessageKey key = new MessageKey("p", "r/p", number);
        add(new Event.Sent(key, new Event.Sending(Qos.AT_LEAST_ONCE, 1, true, clear, false, 0)));
        if (acknowledged) {
            add(new Event.Acknowledged(key));
        }
    }

    /** @param number 0 for nothing */
    private void read(boolean complete, int number) {
        add(new Event.ReadingRetained("reader"));
        Map<String, MessageKey> values = number == 0 ? Map.of() : Map.of("r/p", new MessageKey("p", "r/p", number));
        add(new Event.RetainedRead("reader", complete, values));
    }

    private void expect(Kind... kinds) {
        List<Violation> found = Checker.check(history, promises);
        assertEquals(List.of(kinds), found.stream().map(Violation::kind).toList(), found::toString);
    }
}
