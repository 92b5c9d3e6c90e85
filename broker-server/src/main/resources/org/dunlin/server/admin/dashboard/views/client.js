// One client in full, whether it is connected or only its session is there.

import { badge, button, el, facts, field, fill, hostile, input, note, plain, section } from "../dom.js";
import { ApiError, get, path } from "../api.js";
import { orMissing, table } from "../page.js";
import { bytes, count, time } from "../format.js";
import { disconnect, endSession, expiry, linkToTopic, sinceWhen, state } from "./parts.js";
import { eventColumns } from "./drops.js";

const EVERY = 3000;
/** Subscriptions on the screen. Those of a client with more are asked for again only when their number has changed. */
const SHOWN = 500;
/** As many as nobody has to search in. */
const SEARCHED = 20;

export function client(page) {
  const clientId = page.subject;
  const about = el("div");
  const actions = el("div", { class: "row" });
  const subscribed = table(
    "Subscriptions",
    [
      { label: "Topic filter", cell: (row) => linkToTopic(row.filter) },
      { label: "QoS", cell: (row) => row.qos, number: true },
      { label: "Options", cell: options },
    ],
    (row) => row.filter,
    "Nothing.",
  );
  let all = [];
  const part = input({ type: "search", oninput: () => list() });
  const search = field("Topic filter has", part);
  const left = el("p", { class: "quiet" });
  function list() {
    search.hidden = all.length <= SEARCHED && part.value === "";
    const found = all.filter((row) => row.filter.includes(part.value));
    subscribed.update(found.slice(0, SHOWN));
    fill(left, found.length > SHOWN ? `${count(found.length - SHOWN)} more are not shown; search for them.` : null);
  }
  const events = table(
    "Recent events",
    eventColumns().filter((column) => column.label !== "Client"),
    (row) => row.number,
    "Nothing is kept of it.",
  );
  const happened = el("div", {}, events);
  const findings = el("div");

  page.show(
    { words: `Client ${plain(clientId, 40)}`, node: ["Client ", hostile(clientId)] },
    el("p", {}, el("a", { href: "#/clients" }, "All clients")),
    actions,
    section("What stands out", findings),
    section("Session", about),
    section("Subscriptions", search, subscribed, left),
    section("Recent events", happened),
  );
  let shown = "";
  let known = "";
  page.every(EVERY, async () => {
    const session = await orNull(get(path`sessions/${clientId}`, {}, page.signal));
    fill(
      about,
      session
        ? inFull(session)
        : note("There is no session of that client now: it is not connected, and nothing was kept."),
    );
    const offered = `${session !== null} ${session?.connected}`;
    if (offered !== shown) {
      const had = actions.contains(document.activeElement);
      fill(actions, page.mayChange ? offers(session, clientId) : null, explaining(clientId));
      if (had) actions.firstElementChild.focus();
    }
    shown = offered;
    if (!session) all = [];
    else if (all.length !== session.subscriptions || all.length <= SHOWN) {
      const found = await orNull(get(path`sessions/${clientId}/subscriptions`, {}, page.signal));
      all = found?.items ?? [];
    }
    list();
  });
  page.every(EVERY, async () => {
    const told = await orMissing(get(path`explain/client/${clientId}`, {}, page.signal), findings, "Explaining");
    if (!told) return false;
    const { session, ...rest } = told;
    const news = JSON.stringify([rest, session?.connected]);
    if (news !== known) fill(findings, standsOut(told));
    known = news;
  });
  page.every(EVERY, async () => {
    const last = await orMissing(
      get(path`clients/${clientId}/events`, { limit: 100 }, page.signal),
      happened,
      "Events",
    );
    if (!last) return false;
    events.update(last.items);
  });
}

/** What is the matter with it, and what to do about it. */
function standsOut(told) {
  return [
    told.findings.length === 0
      ? el("p", { class: "quiet" }, "Nothing.")
      : el(
          "ul",
          {},
          told.findings.map((finding) => el("li", {}, hostile(sentence(finding), { most: 2000 }))),
        ),
    told.session === null
      ? null
      : facts([
          ["Its queue is full to", percent(told.queueShare)],
          ["Its own messages, not acknowledged yet", count(told.unanswered)],
          told.session.connected && ["Takes what it is sent", told.writable ? "yes" : badge("no", "bad")],
        ]),
  ];
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const percent = (share) => `${Math.round(1000 * share) / 10} %`;

const orNull = (promise) =>
  promise.catch((error) => {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  });

const explaining = (clientId) =>
  el("a", { class: "button", href: `#/explain?client=${encodeURIComponent(clientId)}` }, "Would it get …");

function offers(session, clientId) {
  return [
    session?.connected ? button("Disconnect", () => disconnect(session), { kind: "danger" }) : null,
    session ? button("End the session", () => endSession(session), { kind: "danger" }) : null,
    el("a", { class: "button", href: `#/trace?client=${encodeURIComponent(clientId)}` }, "Trace …"),
    el("a", { class: "button", href: `#/bans?kind=client-id&subject=${encodeURIComponent(clientId)}` }, "Ban …"),
  ];
}

function options(row) {
  const said = [
    row.noLocal && "no local",
    row.retainAsPublished && "retain as published",
    row.identifier > 0 && `identifier ${row.identifier}`,
    row.guarded && "each message is checked against its rights",
  ].filter(Boolean);
  return said.length === 0 ? "–" : said.join(", ");
}

function inFull(row) {
  return facts([
    ["State", [state(row), " ", row.connected ? "since " : "for ", sinceWhen(row)]],
    ["User", row.user === null ? "none" : hostile(row.user)],
    ["Protocol", row.version],
    row.connected && ["Address", row.address],
    row.connected && ["Listener", row.listener],
    ["Kept on disk", row.durable ? badge("yes", "good") : "no: it ends with the connection"],
    ["Session ends", expiry(row)],
    ["Will", row.willTopic === null ? "none" : ["to ", hostile(row.willTopic)]],
    ["Waiting in its queue", `${count(row.queuedMessages)} message(s), ${bytes(row.queuedBytes)}`],
    ["In flight to it", `${row.inflight} of ${row.receiveMaximum} that it takes at a time`],
    ["QoS 2 from it, unfinished", count(row.unfinished)],
    ["Retained messages still to come", row.replays === 0 ? "none" : `for ${row.replays} subscription(s)`],
    row.since && [row.connected ? "Connected at" : "Left at", time(row.since)],
  ]);
}
