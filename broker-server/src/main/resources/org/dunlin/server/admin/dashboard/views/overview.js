// How the broker is, at a glance, and what to look at.

import { badge, el, facts, fill, hostile, note, section } from "../dom.js";
import { get } from "../api.js";
import { orMissing, table } from "../page.js";
import { chart } from "../charts.js";
import { bytes, count, duration, rate, since, some, time, until } from "../format.js";
import { linkToClient, queue, state } from "./parts.js";
import { eventColumns } from "./drops.js";

const EVERY = 2000;
const LESS_OFTEN = 5000;
const SHOWN = 5;
/** Days before the end of a certificate when it is time to care. */
const CERTIFICATE_DAYS = 30;

/** Of two, since 1024 bytes are a KB. */
const POWERS = Array.from({ length: 44 }, (_, i) => 2 ** i);

/** As many digits as a rate is told with. */
const TENTHS = Array.from({ length: 9 }, (_, i) => 10 ** (i - 1)).flatMap((ten) => [ten, 2 * ten, 5 * ten]);

function tile(label, href) {
  const value = el("b", {}, "–");
  const below = el("small", {}, "\u00a0");
  const made = el(href ? "a" : "div", { class: "tile", href }, el("span", {}, label), value, below);
  made.set = (text, more = "\u00a0") => (fill(value, text), fill(below, more));
  return made;
}

export function overview(page) {
  const tiles = {
    connections: tile("Connected clients", "#/clients"),
    sessions: tile("Sessions", "#/sessions"),
    filters: tile("Topic filters", "#/subscriptions"),
    retained: tile("Retained", "#/topics"),
    dropped: tile("Messages lost", "#/drops"),
    memory: tile("Memory"),
  };
  const running = el("p", { class: "lead" });
  const more = el("div");
  const charts = el("div", { class: "charts" });
  const longest = table(
    "Sessions with the longest queues",
    [
      { label: "Client", cell: (row) => linkToClient(row.clientId) },
      { label: "State", cell: state },
      { label: "Queue", cell: queue, number: true },
    ],
    (row) => row.clientId,
    "No session has a message waiting.",
  );
  const lately = table("Last refusals", eventColumns().slice(0, 4), (row) => row.number, "Nobody was refused lately.");
  const latelyPlace = el("div", {}, lately);
  const listeners = table("Listeners", listenerColumns, (row) => row.name);

  page.show(
    "Overview",
    running,
    el("div", { class: "tiles" }, Object.values(tiles)),
    section("The last ten minutes", charts),
    el(
      "div",
      { class: "two" },
      section("Longest queues", longest, el("p", {}, el("a", { href: "#/sessions?sort=queue" }, "All by queue"))),
      section("Refused lately", latelyPlace, el("p", {}, el("a", { href: "#/drops" }, "All refusals and losses"))),
    ),
    section("Listeners", listeners),
    section("This broker", more),
  );

  page.every(EVERY, async () => {
    const status = await get("status", {}, page.signal);
    tell(status, running, tiles);
    fill(more, about(status));
  });
  rates(page, charts);
  page.every(LESS_OFTEN, async () => {
    const rows = await get("sessions", { sort: "queue", limit: SHOWN }, page.signal);
    longest.update(rows.items.filter((row) => row.queuedMessages > 0));
    listeners.update((await get("listeners", {}, page.signal)).items);
  });
  page.every(LESS_OFTEN, async () => {
    const events = await orMissing(get("refusals", { limit: SHOWN }, page.signal), latelyPlace, "Refusals");
    if (!events) return false;
    lately.update(events.items);
  });
}

const listenerColumns = [
  { label: "Name", cell: (row) => row.name },
  { label: "Address", tight: true, cell: (row) => el("code", {}, row.url) },
  { label: "Who may connect", cell: (row) => row.whoMayConnect },
  { label: "Connections", cell: (row) => count(row.connections), number: true },
  {
    label: "Certificate",
    cell: (row) => {
      if (!row.certificateEnds) return "none";
      const soon = (new Date(row.certificateEnds) - Date.now()) / 86_400_000 < CERTIFICATE_DAYS;
      return [
        badge(`ends in ${until(row.certificateEnds)}`, soon ? "bad" : "good"),
        row.filesRefused > 0
          ? ` ${some(row.filesRefused, "new file was", "new files were")} not taken: see the log`
          : "",
      ];
    },
  },
];

function tell(status, running, tiles) {
  fill(
    running,
    badge(status.phase, status.phase === "serving" ? "good" : "bad"),
    ` for ${duration(status.uptimeSeconds)}, version ${status.version}. `,
    `Durability: ${status.durability}.`,
  );
  tiles.connections.set(count(status.connections));
  tiles.sessions.set(count(status.sessions), `${count(status.sessions - status.connections)} away`);
  tiles.filters.set(count(status.filters));
  tiles.retained.set(count(status.retained), bytes(status.retainedBytes));
  tiles.dropped.set(count(status.dropped), "since the start");
  tiles.memory.set(
    `${Math.round((100 * status.memoryUsed) / status.memoryBudget)} %`,
    `${bytes(status.memoryUsed)} of ${bytes(status.memoryBudget)}`,
  );
}

function about(status) {
  return facts([
    ["Started", `${time(status.started)} (${since(status.started)} ago)`],
    ["Data directory", hostile(status.dataDirectory)],
    ["Event loops", `${status.loops} on ${status.transport}`],
    ["Java", status.java],
  ]);
}

/** Charts of the rates that the broker keeps. */
function rates(page, place) {
  const series = (label, name, colour, format, steps) => ({
    label,
    value: (point) => point[name],
    colour,
    format,
    steps,
  });
  const charts = [
    chart(page, "Messages a second", [
      series("in", "messagesIn", 1, rate, TENTHS),
      series("out", "messagesOut", 2, rate, TENTHS),
    ]),
    chart(page, "Bytes a second", [
      series("in", "bytesIn", 1, bytes, POWERS),
      series("out", "bytesOut", 2, bytes, POWERS),
    ]),
    chart(page, "Connected clients", [series("clients", "connections", 1, count)]),
    chart(page, "Messages lost a second", [series("lost", "dropped", 1, rate, TENTHS)]),
  ];
  const perSecond = ["messagesIn", "messagesOut", "bytesIn", "bytesOut", "dropped"];
  page.every(LESS_OFTEN, async () => {
    const kept = await orMissing(get("rates", {}, page.signal), place, "Charts");
    if (!kept) return false;
    if (kept.items.length === 0) {
      fill(place, note("The broker has just started; the first values come in a few seconds."));
      return;
    }
    if (!place.contains(charts[0])) fill(place, charts);
    const points = kept.items.map((item) => {
      const point = { ...item };
      for (const name of perSecond) point[name] = item[name] / kept.intervalSeconds;
      return point;
    });
    charts.forEach((each) => each.update(points));
  });
}
