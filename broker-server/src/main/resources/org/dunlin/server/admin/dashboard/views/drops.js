// What was lost and who was refused, and why.

import { badge, el, facts, fill, hostile, section, select, field } from "../dom.js";
import { get } from "../api.js";
import { orMissing, paged, table } from "../page.js";
import { count, time } from "../format.js";
import { linkToClient } from "./parts.js";

const EVERY = 3000;
const SHOWN = 100;
const PAGE = 50;
/** Of asking for what was lost since, before it is shown: more may be lost meanwhile. */
const ROUNDS = 5;

const REASONS = {
  "queue-full": "The receiver's queue had no room (queue.max-messages, queue.max-bytes, queue.overflow).",
  "slow-consumer": "QoS 0, and the receiver took less than it was sent.",
  expired: "Its Message Expiry Interval had passed.",
  "too-large": "Above the receiver's Maximum Packet Size.",
  "not-authorized": "The publisher has no right to that topic.",
  "right-lost": "The receiver, or the client whose will it was, had no right to it any more.",
  "reserved-topic": "To a topic that is the broker's own.",
  "invalid-topic": "Too many levels, or a delayed message whose delay cannot be.",
  "protocol-error": "Against what the broker has announced, or a packet identifier in use.",
  "retained-limit": "Not retained: the bound on retained messages is reached (limits.max-retained).",
  "delayed-limit": "Not taken: the bound on delayed messages is reached (limits.max-delayed).",
  "memory-budget": "Not taken: the memory budget is used up (memory.budget).",
  "session-ended": "The session or shared group that owed it has ended.",
  "not-stored": "The store failed to take it; the publisher was told and may send it again.",
  "store-failed": "The store failed to take it, and nobody could be told.",
};

const KINDS = [
  ["", "everything"],
  ["refused", "refused to connect"],
  ["denied", "denied a right"],
  ["banned", "banned"],
  ["contested", "identifier used twice"],
];

/** Columns of what has happened to clients. */
export const eventColumns = () => [
  { label: "At", tight: true, cell: (row) => time(row.at) },
  {
    label: "What",
    cell: (row) => badge(row.kind, row.kind === "connected" ? "good" : row.kind === "disconnected" ? "" : "bad"),
  },
  { label: "Client", cell: (row) => (row.clientId ? linkToClient(row.clientId) : "–") },
  { label: "Reason", cell: (row) => row.reason || "–" },
  { label: "Detail", cell: (row) => (row.detail ? hostile(row.detail, { most: 400 }) : "–") },
  { label: "User", cell: (row) => (row.user ? hostile(row.user) : "–") },
  { label: "Address", tight: true, cell: (row) => row.address },
  { label: "Listener", cell: (row) => row.listener },
];

export function drops(page) {
  const totals = el("div");
  const last = table(
    "Last losses",
    [
      { label: "At", tight: true, cell: (row) => time(row.at) },
      { label: "Client or group", cell: (row) => hostile(row.client) },
      { label: "Topic", cell: (row) => (row.topic === null ? "several" : hostile(row.topic)) },
      { label: "Reason", cell: (row) => el("span", { title: REASONS[row.reason] }, row.reason) },
      { label: "Messages", cell: (row) => count(row.messages), number: true },
    ],
    (row) => row.number,
    "No message was lost since the start.",
  );
  const losers = table(
    "Losses by client",
    [
      {
        label: "Client or group",
        cell: (row) => (row.client.startsWith("$share/") ? hostile(row.client) : linkToClient(row.client)),
      },
      { label: "Messages", cell: (row) => count(row.total), number: true },
      { label: "By reason", cell: (row) => byReason(row.byReason) },
    ],
    (row) => row.client,
    "Nobody has lost anything.",
  );
  page.show(
    "Drops and refusals",
    refusals(page),
    section("Messages lost since the start", totals),
    section("Last losses", last),
    section(
      "Losses by client",
      paged(page, losers, (after) => get("drops/clients", { after, limit: PAGE }, page.signal)),
    ),
  );
  follow(page, last, totals);
}

const byReason = (counts) =>
  Object.entries(counts)
    .map(([reason, messages]) => `${reason} ${count(messages)}`)
    .join(", ");

function refusals(page) {
  const kind = select(KINDS);
  const list = table("Refusals", eventColumns(), (row) => row.number, "Nothing was refused lately.");
  const place = el("div", {}, list);
  const look = page.every(EVERY, async () => {
    const found = await orMissing(get("refusals", { limit: SHOWN, kind: kind.value }, page.signal), place, "Refusals");
    if (!found) return false;
    list.update(found.items);
  });
  kind.addEventListener("change", look);
  return section("Refused lately", field("Show", kind), place);
}

/** The broker tells losses in their order; the last ones are kept here. */
function follow(page, list, totals) {
  let after = 0;
  let kept = [];
  page.every(EVERY, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const found = await get("drops/last", { after, limit: 1000 }, page.signal);
      after = found.next;
      kept = [...found.items.toReversed(), ...kept].slice(0, SHOWN);
      if (found.items.length < 1000) break;
    }
    list.update(kept);
    const sums = await get("drops", {}, page.signal);
    fill(
      totals,
      sums.total === 0
        ? el("p", { class: "quiet" }, "None.")
        : [
            el("p", {}, el("b", {}, count(sums.total)), " in all"),
            facts(
              Object.entries(sums.byReason).map(([reason, messages]) => [
                reason,
                [el("b", {}, count(messages)), " ", el("span", { class: "quiet" }, REASONS[reason] ?? "")],
              ]),
            ),
          ],
    );
  });
}
