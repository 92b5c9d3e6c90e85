package org.dunlin.it.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Subscribe;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** What the endpoints of the admin port do, seen by HTTP and by the clients that they are about. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AdminApiIT {
    private Path folder;
    private RunningBroker broker;
    private AdminPort admin;

    @BeforeAll
    void start(@TempDir Path temporary) throws Exception {
        folder = temporary;
        broker = RunningBroker.start(settings("shared"));
        admin = AdminPort.of(broker, folder.resolve("shared"));
    }

    private List<String> settings(String name) throws Exception {
        Path users = Files.writeString(folder.resolve(name + ".users"), "");
        Path rules = Files.writeString(folder.resolve(name + ".acl"), "topic readwrite #\n");
        Path bans = Files.writeString(folder.resolve(name + ".bans"), "");
        return List.of(
                "storage.path=" + folder.resolve(name),
                "storage.durability=async",
                "auth.allow-anonymous=true",
                "auth.password-file=" + users,
                "auth.acl-file=" + rules,
                "auth.ban-file=" + bans,
                "queue.max-messages=5");
    }

    @AfterAll
    void stop() {
        broker.close();
    }

    private static Connect.Builder v5(String clientId) {
        return Connect.builder(ProtocolVersion.MQTT_5, clientId);
    }

    private MqttSocket client(String clientId) {
        return broker.socket().connect(ProtocolVersion.MQTT_5, clientId);
    }

    /** A session that stays, whose client has left. */
    private void away(String clientId, String filter) {
        try (MqttSocket socket = broker.socket()) {
            socket.connect(v5(clientId).sessionExpirySeconds(3600).build());
            socket.subscribe(filter, Qos.AT_LEAST_ONCE).disconnect();
        }
        Await.until(
                clientId + " is away",
                () -> !admin.get("/api/v1/sessions/" + AdminPort.escaped(clientId))
                        .path("connected")
                        .asBoolean(true));
    }

    private void publish(String topic, int count) {
        for (int i = 0; i < count; i++) {
            admin.change("POST", "/api/v1/publish", "{\"topic\":\"" + topic + "\",\"text\":\"m" + i + "\",\"qos\":1}");
        }
    }

    // ---- pages

    /** What every page together has, each walked to by the next of the former. */
    private List<String> pages(String path, String field) {
        List<String> all = new ArrayList<>();
        String after = "";
        for (int page = 0; page < 200; page++) {
            JsonNode answer = admin.get(path + "&after=" + AdminPort.escaped(after));
            answer.path("items").forEach(item -> all.add(item.path(field).asText()));
            if (answer.path("next").isNull()) {
                return all;
            }
            after = answer.path("next").asText();
        }
        throw new AssertionError("no end: " + path);
    }

    @Test
    void pages_findEachSessionSubscriptionAndRetainedMessageOnce() throws Exception {
        List<String> ids = new ArrayList<>();
        List<String> topics = new ArrayList<>();
        try (MqttSocket retainer = client("pages-retainer")) {
            for (int i = 0; i < 2500; i++) {
                String id = "paged " + "äß/%+😀".substring(0, i % 6) + i;
                ids.add(id);
                topics.add("paged/" + i % 50 + "/" + (i % 7 == 0 ? "" : "x") + "/" + i);
                retainer.publish(MqttSocket.message(topics.get(i), "p" + i, Qos.AT_MOST_ONCE, true));
            }
            retainer.publish("pages/end", "", Qos.AT_LEAST_ONCE);
        }
        for (String id : ids) {
            try (MqttSocket socket = broker.socket()) {
                socket.connect(v5(id).sessionExpirySeconds(3600).build());
                socket.subscribe("pages/" + id.length() + "/" + id.hashCode(), Qos.AT_MOST_ONCE)
                        .disconnect();
            }
        }
        Collections.sort(ids);
        Collections.sort(topics);
        for (int limit : new int[] {137, 1000}) {
            assertEquals(ids, pages("/api/v1/sessions?search=PAGED&limit=" + limit, "clientId"));
            List<String> subscribed = pages("/api/v1/subscriptions?filter=pages/&limit=" + limit, "clientId");
            assertEquals(ids, subscribed);
            List<String> retained = pages("/api/v1/retained?filter=paged/%23&limit=" + limit, "topic");
            assertEquals(2500, retained.size());
            Collections.sort(retained);
            assertEquals(topics, retained);
        }
        assertEquals(50, pages("/api/v1/topics?parent=paged&limit=7", "level").size());
        assertEquals(
                List.of(),
                pages("/api/v1/clients?search=paged&limit=100", "clientId"),
                "they have sessions but are not there");
        deleteInOneCall();
        JsonNode ended = admin.change("POST", "/api/v1/sessions/end", "{\"search\":\"paged \"}");
        assertEquals(1000, ended.path("ended").asInt());
        assertTrue(ended.path("more").asBoolean());
        admin.change("POST", "/api/v1/sessions/end", "{\"search\":\"paged \"}");
        ended = admin.change("POST", "/api/v1/sessions/end", "{\"search\":\"paged \"}");
        assertEquals(500, ended.path("ended").asInt());
        assertFalse(ended.path("more").asBoolean());
    }

    private void deleteInOneCall() {
        JsonNode dry = admin.change("POST", "/api/v1/retained/delete", "{\"filter\":\"paged/#\",\"dryRun\":true}");
        assertEquals(2500, dry.path("matched").asInt());
        assertEquals(0, dry.path("deleted").asInt());
        assertEquals(
                2500,
                pages("/api/v1/retained?filter=paged/%23&limit=1000", "topic").size());
        JsonNode done = admin.change("POST", "/api/v1/retained/delete", "{\"filter\":\"paged/#\"}");
        assertEquals(2500, done.path("deleted").asInt());
        assertEquals(List.of(), pages("/api/v1/retained?filter=paged/%23&limit=1000", "topic"));
    }

    // ---- sessions

    @Test
    void sessionsSortedByQueue_beginWithTheLongest() {
        away("sorted-a", "sorted/a");
        away("sorted-b", "sorted/b");
        away("sorted-c", "sorted/c");
        publish("sorted/a", 1);
        publish("sorted/b", 4);
        publish("sorted/c", 2);
        List<String> found = new ArrayList<>();
        admin.get("/api/v1/sessions?sort=queue&search=sorted-&limit=2")
                .path("items")
                .forEach(row -> found.add(row.path("clientId").asText() + " "
                        + row.path("queuedMessages").asInt()));
        assertEquals(List.of("sorted-b 4", "sorted-c 2"), found);
    }

    @Test
    void endBySelection_endsThoseThatAreMeant_andDryRunNone() {
        away("ending-1", "ending");
        away("ending-2", "other");
        publish("ending", 2);
        try (MqttSocket there = client("ending-3")) {
            String selection = "{\"search\":\"ending-\",\"connected\":false";
            JsonNode dry = admin.change("POST", "/api/v1/sessions/end", selection + ",\"dryRun\":true}");
            assertEquals("[2,0,false]", counts(dry));
            JsonNode queued =
                    admin.change("POST", "/api/v1/sessions/end", selection + ",\"queuedMessages\":2,\"dryRun\":true}");
            assertEquals("[\"ending-1\"]", queued.path("examples").toString());
            for (String nobody : List.of("3600", "9223372036854775807", "9223372036854776")) {
                JsonNode none =
                        admin.change("POST", "/api/v1/sessions/end", selection + ",\"awaySeconds\":" + nobody + "}");
                assertEquals("[0,0,false]", counts(none), nobody);
            }
            for (String all : List.of("{}", "{\"search\":\"\"}", "{\"awaySeconds\":-1}", "{\"dryRun\":true}")) {
                admin.ask("POST", "/api/v1/sessions/end", all).expect(400);
            }
            assertEquals("[2,2,false]", counts(admin.change("POST", "/api/v1/sessions/end", selection + "}")));
            admin.ask("GET", "/api/v1/sessions/ending-1", null).expect(404);
            there.expectNothing();
        }
    }

    private static String counts(JsonNode ended) {
        return "[" + ended.path("matched") + "," + ended.path("ended") + "," + ended.path("more") + "]";
    }

    @Test
    void sessionsAwaySinceBeforeTheStart_areNotTakenForLongAway() throws Exception {
        Path data = folder.resolve("aged");
        List<String> settings = List.of("storage.path=" + data);
        try (RunningBroker first = RunningBroker.start(settings);
                MqttSocket socket = first.socket()) {
            socket.connect(v5("aged").sessionExpirySeconds(3600).build());
            socket.disconnect();
            assertEquals(0, first.stop());
        }
        try (RunningBroker second = RunningBroker.start(settings)) {
            AdminPort port = AdminPort.of(second, data);
            JsonNode ended = port.change("POST", "/api/v1/sessions/end", "{\"search\":\"aged\",\"awaySeconds\":86400}");
            assertEquals("[0,0,false]", counts(ended));
            port.get("/api/v1/sessions/aged");
        }
    }

    @Test
    void kicked_isToldWhy_andItsEventsSaySo() {
        try (MqttSocket socket = client("kicked")) {
            admin.change("POST", "/api/v1/clients/kicked/disconnect", null);
            socket.expectDisconnect(ReasonCode.ADMINISTRATIVE_ACTION);
        }
        admin.ask("POST", "/api/v1/clients/kicked/disconnect", null).expect(404);
        Await.until(
                "its events",
                () -> admin.get("/api/v1/clients/kicked/events").path("items").size() == 2);
        JsonNode events = admin.get("/api/v1/clients/kicked/events").path("items");
        assertEquals("disconnected", events.get(0).path("kind").asText());
        assertEquals("connected", events.get(1).path("kind").asText());
        assertTrue(
                events.get(0).path("reason").asText().toLowerCase(Locale.ROOT).contains("admin"));
    }

    @Test
    void subscriptionsThatAreTooManyForAPage_areCut_andThatIsSaid() {
        try (MqttSocket many = client("many-subscriptions");
                MqttSocket few = client("many-few")) {
            List<Subscribe.Entry> entries = new ArrayList<>();
            for (int i = 0; i < 1001; i++) {
                entries.add(new Subscribe.Entry("cut/" + i, Qos.AT_MOST_ONCE));
            }
            many.subscribe(entries.toArray(Subscribe.Entry[]::new));
            few.subscribe("cut/1", Qos.AT_MOST_ONCE);
            JsonNode page = admin.get("/api/v1/subscriptions?filter=cut/&limit=1000");
            assertEquals("[\"many-subscriptions\"]", page.path("cut").toString());
            assertEquals(1001, page.path("items").size(), "1000 and the other client's");
            JsonNode all = admin.get("/api/v1/sessions/many-subscriptions/subscriptions");
            assertEquals(1001, all.path("items").size());
            assertEquals("[]", all.path("cut").toString());
        }
    }

    // ---- who may do what

    @Test
    void usersAreAddedChangedAndRemoved_atOnce() {
        admin.change("POST", "/api/v1/users", "{\"name\":\"ann\",\"password\":\"sesame\"}");
        admin.ask("POST", "/api/v1/users", "{\"name\":\"ann\",\"password\":\"sesame\"}")
                .expect(409);
        try (MqttSocket there = broker.socket()) {
            there.connect(v5("of-ann").userName("ann").password(bytes("sesame")).build());
            admin.change("PUT", "/api/v1/users/ann/password", "{\"password\":\"mustard\"}");
            there.expectNothing();
            try (MqttSocket old = broker.socket()) {
                old.expectRefused(
                        v5("old").userName("ann").password(bytes("sesame")).build(),
                        ReasonCode.BAD_USER_NAME_OR_PASSWORD);
            }
            try (MqttSocket now = broker.socket()) {
                now.connect(v5("now").userName("ann").password(bytes("mustard")).build());
            }
            admin.change("DELETE", "/api/v1/users/ann", null);
            there.expectDisconnect(ReasonCode.ADMINISTRATIVE_ACTION);
        }
        admin.ask("DELETE", "/api/v1/users/ann", null).expect(404);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void bans_sendAwayWhoIsThere_andEnd() {
        try (MqttSocket there = client("banned/one")) {
            admin.change(
                    "POST", "/api/v1/bans", "{\"kind\":\"client-id\",\"subject\":\"banned/one\",\"reason\":\"test\"}");
            Await.until(
                    "it is away",
                    () -> admin.ask("GET", "/api/v1/clients/banned%2Fone", null).status() == 404);
            there.receiveOrEnd();
        }
        try (MqttSocket again = broker.socket()) {
            again.expectRefused(v5("banned/one").build(), ReasonCode.BANNED);
        }
        Await.until(
                "the refusal is listed",
                () -> admin.get("/api/v1/refusals?kind=refused").toString().contains("banned/one"));
        admin.change("DELETE", "/api/v1/bans/client-id/banned%2Fone", null);
        client("banned/one").close();
    }

    @Test
    void rights_areInForceAtOnceForThoseThatAreThere() {
        try (MqttSocket there = client("righted")) {
            there.publish("secret/one", "x", Qos.AT_LEAST_ONCE);
            JsonNode before = admin.get("/api/v1/acl");
            assertEquals("topic readwrite #\n", before.path("text").asText());
            AdminPort.Answer faulty =
                    admin.ask("PUT", "/api/v1/acl", "{\"text\":\"topic readwrite #\\ntopci read x\\n\"}");
            assertTrue(faulty.expect(400).body().contains(".acl:2"), faulty.body());
            admin.change("PUT", "/api/v1/acl", "{\"text\":\"topic deny secret/#\\ntopic readwrite #\\n\"}");
            there.send(new Publish(MqttSocket.message("secret/one", "x", Qos.AT_LEAST_ONCE, false), 9, false));
            Ack ack = there.receiveAck(PacketType.PUBACK);
            assertEquals(ReasonCode.NOT_AUTHORIZED, ack.reason());
            JsonNode explained = admin.get("/api/v1/acl/explain?action=publish&topic=secret/one&clientId=righted");
            assertFalse(explained.path("allowed").asBoolean(true), explained.toString());
        } finally {
            admin.change("PUT", "/api/v1/acl", "{\"text\":\"topic readwrite #\\n\"}");
        }
    }

    // ---- messages

    @Test
    void drops_areCountedByReasonAndClient_andReadBack() {
        long before = admin.get("/api/v1/drops").path("total").asLong();
        away("loser", "lost/#");
        publish("lost/x", 8);
        Await.until(
                "three more are counted",
                () -> admin.get("/api/v1/drops").path("total").asLong() >= before + 3);
        JsonNode last = admin.get("/api/v1/drops/last?limit=1000").path("items");
        JsonNode drop = last.get(last.size() - 1);
        assertEquals("loser", drop.path("client").asText());
        assertEquals("lost/x", drop.path("topic").asText());
        JsonNode loser = admin.get("/api/v1/drops/clients?after=lose&limit=1")
                .path("items")
                .get(0);
        assertEquals("loser", loser.path("client").asText());
        assertEquals(3, loser.path("total").asInt());
    }

    @Test
    void groups_sayHowFarTheyAreBehind() {
        try (MqttSocket member = broker.socket()) {
            member.connect(v5("lagging").receiveMaximum(1).build());
            member.subscribe("$share/lag/work", Qos.AT_LEAST_ONCE);
            publish("work", 4);
            member.receive(Publish.class);
            JsonNode group = null;
            for (JsonNode each : admin.get("/api/v1/groups").path("items")) {
                group = each.path("filter").asText().equals("$share/lag/work") ? each : group;
            }
            assertTrue(group != null);
            assertEquals(4, group.path("lag").asInt(), group.toString());
            assertEquals(
                    "lagging", group.path("members").get(0).path("clientId").asText());
            assertEquals(1, group.path("members").get(0).path("lent").asInt());
        }
    }

    @Test
    void deletedRetained_staysDeletedAfterARestart() throws Exception {
        Path data = folder.resolve("deleting");
        List<String> settings = List.of("storage.path=" + data);
        try (RunningBroker first = RunningBroker.start(settings)) {
            AdminPort port = AdminPort.of(first, data);
            for (String topic : List.of("keep/a", "drop/a", "drop/b/c", "single")) {
                port.change("POST", "/api/v1/publish", "{\"topic\":\"" + topic + "\",\"text\":\"é\",\"retain\":true}");
            }
            assertEquals(
                    "é",
                    port.get("/api/v1/retained/message?topic=keep/a")
                            .path("text")
                            .asText());
            assertEquals(
                    2,
                    port.change("POST", "/api/v1/retained/delete", "{\"filter\":\"drop/#\"}")
                            .path("deleted")
                            .asInt());
            port.change("DELETE", "/api/v1/retained/message?topic=single", null);
            first.kill();
        }
        try (RunningBroker second = RunningBroker.start(settings)) {
            JsonNode left = AdminPort.of(second, data).get("/api/v1/retained?filter=%23");
            TreeSet<String> topics = new TreeSet<>();
            left.path("items").forEach(item -> topics.add(item.path("topic").asText()));
            topics.removeIf(topic -> topic.startsWith("$SYS"));
            assertEquals("[keep/a]", topics.toString());
            try (MqttSocket socket = second.socket()) {
                socket.connect(v5("reader").build());
                socket.subscribe("#", Qos.AT_MOST_ONCE);
                socket.expectPublish("keep/a", "é");
                socket.expectNothing();
            }
        }
    }

    @Test
    void misspeltParameter_isNamed_ratherThanFittingEverything() {
        String refused = admin.ask("GET", "/api/v1/clients?limit=5&serach=nobody", null)
                .expect(400)
                .body();
        assertTrue(refused.contains("serach") && refused.contains("known: ") && refused.contains("search"), refused);
        assertTrue(admin.ask("GET", "/api/v1/status?x", null).expect(400).body().contains("none is known here"));
        admin.ask("GET", "/metrics?x=1", null).expect(200);
    }

    @Test
    void logLevel_countsAtOnce_andGoesBack() {
        admin.change("PUT", "/api/v1/log/level", "{\"level\":\"debug\"}");
        assertEquals("debug", admin.get("/api/v1/log/level").path("level").asText());
        admin.ask("PUT", "/api/v1/log/level", "{\"level\":\"loud\"}").expect(400);
        admin.change("PUT", "/api/v1/log/level", "{\"level\":\"info\"}");
        JsonNode log = admin.get("/api/v1/log?limit=1000");
        assertTrue(log.path("next").asLong() > 0);
        assertTrue(log.toString().contains("log level debug"), "the audit's line");
    }
}
