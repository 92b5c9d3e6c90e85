// A client in the browser: publishes, subscribes, and shows what comes.

import {
  badge,
  button,
  el,
  field,
  fill,
  form,
  hostile,
  input,
  note,
  say,
  section,
  select,
  submit,
  tick,
} from "../dom.js";
import { ApiError } from "../api.js";
import { table } from "../page.js";
import { count, time } from "../format.js";
import { brief, inFull } from "../payload.js";
import { TestClient, stand, standingClient } from "../testclient.js";
import { rowButton } from "./parts.js";

const SHOWN = 100;
const DRAWN_EVERY = 250;
const QOS = [
  ["0", "0, at most once"],
  ["1", "1, at least once"],
  ["2", "2, exactly once"],
];

/** What outlives the page, as the connection does. */
const memory = { messages: [], arrived: 0, granted: new Map(), ended: "" };

export function testClient(page) {
  if (!page.mayChange) {
    page.show("Test client", note("Publishing needs a login with the scope write; yours may only look."));
    return;
  }
  const state = el("div", { role: "status" });
  const body = el("div");
  page.show(
    "Test client",
    el(
      "p",
      {},
      "A client of MQTT 5 in this browser, through this very port. It may do everything, " +
        "unless you let it connect as a user: then that user's rights hold.",
    ),
    state,
    body,
  );
  const draw = () => {
    const client = standingClient();
    const had = state.contains(document.activeElement) || body.contains(document.activeElement);
    fill(
      state,
      el(
        "p",
        {},
        client ? badge("connected", "good") : badge("not connected"),
        client ? [" as ", hostile(client.clientId)] : memory.ended ? ` ${memory.ended}` : "",
        " ",
        client ? button("Disconnect", () => client.end(), { kind: "small" }) : null,
      ),
    );
    fill(body, client ? connected(page, client) : connecting(draw));
    if (had) body.querySelector("input").focus();
  };
  memory.draw = draw;
  page.signal.addEventListener("abort", () => (memory.draw = () => {}));
  draw();
}

function connecting(draw) {
  const user = input();
  const password = input({ type: "password" });
  const clientId = input();
  return form(
    "Connect",
    async () => {
      const wanted = { user: user.value, password: password.value };
      if (clientId.value !== "") wanted.clientId = clientId.value;
      memory.messages = [];
      memory.granted.clear();
      memory.arrived = 0;
      memory.ended = "";
      const client = await TestClient.connect(
        wanted,
        (message) => {
          message.number = ++memory.arrived;
          memory.messages.unshift(message);
          memory.messages.length = Math.min(memory.messages.length, SHOWN);
        },
        (why) => {
          memory.ended = why;
          stand(null);
          memory.draw();
        },
      );
      stand(client);
      draw();
    },
    el(
      "div",
      { class: "row" },
      field("As user", user, "Empty: with all rights."),
      field("Password", password),
      field("Client identifier", clientId, "Empty: one is made up."),
      submit("Connect"),
    ),
  );
}

function connected(page, client) {
  return el("div", {}, el("div", { class: "two" }, publishing(page, client), subscribing(client)), messages(page));
}

function publishing(page, client) {
  const topic = input({ value: page.search.get("topic") ?? "" });
  const payload = el("textarea", { rows: 4, spellcheck: "false" });
  const qos = select(QOS);
  const retain = tick("Retain");
  const contentType = input();
  const responseTopic = input();
  const expiry = input({ type: "number", min: 1, inputmode: "numeric" });
  return section(
    "Publish",
    form(
      "Publish",
      async () => {
        const properties = {};
        if (contentType.value !== "") properties.contentType = contentType.value;
        if (responseTopic.value !== "") properties.responseTopic = responseTopic.value;
        if (expiry.value !== "") properties.messageExpiryInterval = Number(expiry.value);
        if (topic.value === "") throw new ApiError(0, "Say to which topic.");
        const more = await client.publish(topic.value, payload.value, {
          qos: Number(qos.value),
          retain: retain.box.checked,
          properties,
        });
        say(more ? `Published; ${more}.` : qos.value === "0" ? "Sent." : "Published and acknowledged.");
      },
      field("Topic", topic),
      field("Payload", payload, "With Retain an empty one deletes what is retained."),
      el("div", { class: "row" }, field("QoS", qos), retain),
      el(
        "details",
        {},
        el("summary", {}, "Properties"),
        field("Content type", contentType),
        field("Response topic", responseTopic),
        field("Expires after seconds", expiry),
      ),
      submit("Publish"),
    ),
  );
}

function subscribing(client) {
  const filter = input({ value: "" });
  const qos = select(QOS);
  const list = table(
    "What this client has subscribed to",
    [
      { label: "Topic filter", cell: (row) => hostile(row.filter) },
      { label: "QoS", cell: (row) => row.qos, number: true },
      {
        label: "Action",
        tight: true,
        cell: (row) =>
          rowButton("Unsubscribe", row.filter, async () => {
            await client.unsubscribe(row.filter);
            memory.granted.delete(row.filter);
            show();
          }),
      },
    ],
    (row) => row.filter,
    "Nothing yet.",
  );
  const show = () => list.update([...memory.granted].map(([granted, at]) => ({ filter: granted, qos: at })));
  show();
  return section(
    "Subscribe",
    form(
      "Subscribe",
      async () => {
        if (filter.value === "") throw new ApiError(0, "Say which topic filter.");
        const granted = await client.subscribe(filter.value, Number(qos.value));
        memory.granted.set(filter.value, granted);
        say("Subscribed.");
        show();
      },
      field("Topic filter", filter, "Like plant/+/temperature, plant/# or $share/group/plant/#"),
      field("QoS", qos),
      submit("Subscribe"),
    ),
    list,
  );
}

function messages(page) {
  const sum = el("p", { role: "status" });
  const detail = el("div", { tabindex: -1 });
  const list = table(
    "Messages, newest first",
    [
      { label: "At", cell: (row) => time(row.at) },
      { label: "Topic", cell: (row) => hostile(row.topic) },
      {
        label: "Payload",
        cell: (row) => brief(memory.messages.find((each) => each.number === row.number)?.payload ?? new Uint8Array()),
      },
      { label: "QoS", cell: (row) => row.qos, number: true },
      { label: "Retained", cell: (row) => (row.retain ? "yes" : "no") },
      {
        label: "Action",
        tight: true,
        cell: (row) => button("Show", () => show(row.number), { kind: "small", name: `Show message ${row.number}` }),
      },
    ],
    (row) => row.number,
    "Nothing has arrived.",
  );
  const show = (number) => {
    const message = memory.messages.find((each) => each.number === number);
    if (!message) return;
    const properties = Object.entries(message.properties);
    fill(
      detail,
      el("h3", {}, hostile(message.topic, { most: 2000 })),
      inFull(message.payload, message.bytes),
      properties.length === 0
        ? null
        : el(
            "ul",
            {},
            properties.map(([name, value]) =>
              el("li", {}, `${name}: `, hostile(typeof value === "string" ? value : JSON.stringify(value))),
            ),
          ),
    );
    detail.focus();
  };
  let drawn = -1;
  const draw = () => {
    if (drawn === memory.arrived) return;
    drawn = memory.arrived;
    fill(sum, drawn === 0 ? "" : `${count(drawn)} arrived${drawn > SHOWN ? `, the last ${SHOWN} are shown` : ""}.`);
    list.update(memory.messages.map(({ number, at, topic, qos, retain }) => ({ number, at, topic, qos, retain })));
  };
  page.every(DRAWN_EVERY, draw);
  return section("Messages", sum, list, detail);
}
