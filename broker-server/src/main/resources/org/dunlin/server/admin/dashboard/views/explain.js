// Who would get a message at this moment, who would not, and why. Nothing is published.

import { badge, el, field, fill, form, hostile, input, note, section, select, submit, tick } from "../dom.js";
import { ApiError, get } from "../api.js";
import { table } from "../page.js";
import { count, some } from "../format.js";
import { linkToClient } from "./parts.js";

const QOS = [
  ["0", "0"],
  ["1", "1"],
  ["2", "2"],
];
/** Of one receiver, what is shown at once. */
const FILTERS = 5;
const MEMBERS = 50;

export function explain(page) {
  const topic = input({ value: page.search.get("topic") ?? "" });
  const from = input({ value: page.search.get("from") ?? "" });
  const client = input({ value: page.search.get("client") ?? "" });
  const qos = select(QOS);
  qos.value = page.search.get("qos") ?? "0";
  if (qos.value === "") qos.value = "0";
  const retain = tick("Retain");
  const bytes = input({ class: "short", type: "number", min: 0, inputmode: "numeric" });
  const summary = el("div", { role: "status" });
  const answer = el("div");
  let edits = 0;
  const look = async () => {
    if (topic.value === "") throw new ApiError(0, "Say to which topic.");
    const asked = edits;
    const wanted = { topic: topic.value, from: from.value, client: client.value, qos: qos.value };
    const said = await get(
      "explain/message",
      { ...wanted, retain: retain.box.checked, bytes: bytes.value === "" ? 0 : bytes.value },
      page.signal,
    );
    if (asked !== edits) return;
    fill(summary, el("p", {}, verdict(said), " ", hostile(sentence(said.summary), { most: 1000 })));
    fill(answer, from.value === "" ? null : publisher(said), result(said, client.value));
  };
  const asking = form(
    "Explain a message",
    look,
    el(
      "div",
      { class: "row" },
      field("Topic", topic),
      field("QoS", qos),
      retain,
      field("Published by", from, "A client, whose rights are asked; empty: anybody."),
      field("Received by", client, "Only this client; empty: everybody."),
      field("Payload bytes", bytes),
      submit("Explain"),
    ),
    summary,
  );
  // What was told is not what other words mean.
  asking.addEventListener("input", () => (edits++, fill(summary), fill(answer)));
  page.show(
    "Explain a message",
    el(
      "p",
      {},
      "Who would get a message now, and why others would not. It goes the way that a message goes, but nothing is " +
        "published. What else a client may do is under ",
      el("a", { href: "#/rights" }, "Rights"),
      "; what it does is seen by a ",
      el("a", { href: "#/trace" }, "Trace"),
      ".",
    ),
    section("The message", asking),
    answer,
  );
  if (topic.value !== "") asking.requestSubmit();
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

function verdict(said) {
  if (said.refusal !== null) return badge("not taken", "bad");
  return said.receivers.some((each) => each.gets) ? badge("delivered", "good") : badge("nobody gets it", "bad");
}

/** What is not known of it. */
const publisher = (said) => (said.note === null ? null : note(hostile(sentence(said.note), { most: 1000 })));

function result(said, client) {
  const missed = said.receivers.filter((each) => !each.gets);
  const reached = said.receivers.filter((each) => each.gets);
  return [
    said.more ? note(`There are more receivers; told are ${some(said.receivers.length, "receiver")}.`) : null,
    said.nearest.length === 0 ? null : near(said.nearest, client),
    missed.length === 0 ? null : section(`Do not get it (${count(missed.length)})`, receivers("Do not get it", missed)),
    reached.length === 0 ? null : section(`Get it (${count(reached.length)})`, receivers("Get it", reached)),
  ];
}

/** What one client has subscribed to instead. */
const near = (nearest, client) =>
  section(
    "Filters that come nearest",
    el("p", {}, "No filter of ", linkToClient(client), " matches. Look for another letter or level in these:"),
    el(
      "ul",
      {},
      nearest.map((filter) => el("li", {}, hostile(filter, { most: 1000 }))),
    ),
  );

function receivers(caption, rows) {
  const list = table(
    caption,
    [
      { label: "Receiver", cell: named },
      { label: "QoS", cell: (row) => row.qos, number: true },
      { label: "Fate", tight: true, cell: (row) => badge(row.fate, row.gets ? "good" : "bad") },
      { label: "Why", cell: (row) => [hostile(row.why, { most: 1000 }), members(row.members)] },
      { label: "By its filters", cell: filters },
    ],
    (row) => row.receiver,
  );
  list.update(rows);
  return list;
}

const isGroup = (row) => row.receiver.startsWith("$share/");

const named = (row) => (isGroup(row) ? hostile(row.receiver) : linkToClient(row.receiver));

/** By which it gets the message; a shared group is called by its own. */
function filters(row) {
  if (isGroup(row)) return "–";
  const more = row.filters.length - FILTERS;
  return [
    row.filters.slice(0, FILTERS).map((filter, i) => [i === 0 ? null : ", ", hostile(filter)]),
    more > 0 ? ` and ${count(more)} more` : null,
  ];
}

const members = (all) =>
  all.length === 0
    ? null
    : el(
        "ul",
        { class: "inside" },
        all.slice(0, MEMBERS).map((each) =>
          el("li", {}, badge(each.fate), linkToClient(each.clientId), ": ", hostile(each.why, { most: 1000 })),
        ),
        all.length > MEMBERS ? el("li", {}, `and ${some(all.length - MEMBERS, "member")} more`) : null,
      );
