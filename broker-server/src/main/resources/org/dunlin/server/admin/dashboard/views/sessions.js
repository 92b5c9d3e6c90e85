// Sessions, of clients that are there and of those that are away; ending many of them at once.

import { ask, button, el, fail, field, fill, form, hostile, input, section, select, say, submit } from "../dom.js";
import { ApiError, get, post } from "../api.js";
import { paged, table } from "../page.js";
import { some } from "../format.js";
import { endSession, expiry, linkToClient, queue, rowButton, sinceWhen, state } from "./parts.js";

const EVERY = 5000;
const PAGE = 50;
const UNITS = [
  ["60", "minutes"],
  ["3600", "hours"],
  ["86400", "days"],
];

export function sessions(page) {
  const search = input({ type: "search" });
  const user = input({ type: "search" });
  const there = select([
    ["", "connected or away"],
    ["true", "connected"],
    ["false", "away"],
  ]);
  const sort = select([
    ["", "client identifier"],
    ["queue", "longest queue"],
    ["age", "longest away"],
  ]);
  sort.value = page.search.get("sort") ?? "";
  const list = table(
    "Sessions",
    [
      { label: "Client", cell: (row) => linkToClient(row.clientId) },
      { label: "State", cell: state },
      { label: "Since", tight: true, moves: true, cell: sinceWhen },
      { label: "User", cell: (row) => (row.user === null ? "–" : hostile(row.user)) },
      { label: "Ends", moves: true, cell: expiry },
      { label: "On disk", cell: (row) => (row.durable ? "yes" : "no") },
      { label: "Subscriptions", cell: (row) => row.subscriptions, number: true },
      { label: "Queue", cell: queue, number: true },
      ...(page.mayChange
        ? [
            {
              label: "Action",
              tight: true,
              cell: (row) =>
                rowButton("End", row.clientId, async () => (await endSession(row)) && pages.refresh(), "danger"),
            },
          ]
        : []),
    ],
    (row) => row.clientId,
    "No session fits.",
  );
  const said = () => ({ search: search.value, user: user.value, connected: there.value, sort: sort.value });
  let wanted = said(); // by "Search", not by what is being typed
  const load = (after) => get("sessions", { after, limit: PAGE, ...wanted }, page.signal);
  const pages = paged(page, list, load, { refresh: EVERY, limit: PAGE });
  const restart = () => ((wanted = said()), pages.restart());
  const anew = () => restart().catch(fail);
  there.addEventListener("change", anew);
  sort.addEventListener("change", anew);
  page.show(
    "Sessions",
    form(
      "Search sessions",
      restart,
      el(
        "div",
        { class: "row" },
        field("Client identifier has", search),
        field("User is", user),
        field("State", there),
        field("Sorted by", sort),
        submit("Search"),
      ),
    ),
    pages,
    page.mayChange ? ending(() => pages.refresh()) : null,
  );
}

/** Ending those that a selection means: first which they are, then the deed. */
function ending(then) {
  const search = input();
  const user = input();
  const away = input({ type: "number", min: 0, inputmode: "numeric" });
  const unit = select(UNITS, { "aria-label": "Unit of time" });
  unit.value = "86400";
  const queued = input({ type: "number", min: 1, inputmode: "numeric" });
  const result = el("div", { role: "status" });
  let edits = 0;

  function selection() {
    const wanted = {};
    if (search.value !== "") wanted.search = search.value;
    if (user.value !== "") wanted.user = user.value;
    if (away.value !== "") {
      wanted.connected = false;
      wanted.awaySeconds = Math.round(Number(away.value) * Number(unit.value));
    }
    if (queued.value !== "") wanted.queuedMessages = Number(queued.value);
    if (Object.keys(wanted).length === 0) throw new ApiError(0, "Say which sessions: fill in at least one field.");
    return wanted;
  }

  async function end(wanted, found) {
    const sure = await ask(
      `End ${some(found.matched, "session")}?`,
      [
        "All that they have subscribed to and all that waits for them is gone for good; " +
          "those that are connected are disconnected. ",
        "Sessions that fit by now end, too. This cannot be undone.",
      ],
      "End them",
    );
    if (!sure) return;
    const ended = await post("sessions/end", wanted);
    fill(result, `Ended ${some(ended.ended, "session")}. ${ended.more ? "There are more: look again." : ""}`);
    say(`Ended ${some(ended.ended, "session")}.`);
    await then();
  }

  const look = form(
    "End sessions",
    async () => {
      fill(result);
      const asked = edits;
      const wanted = selection();
      const found = await post("sessions/end", { ...wanted, dryRun: true });
      if (asked !== edits) return;
      fill(
        result,
        el(
          "p",
          {},
          `${some(found.matched, "session fits", "sessions fit")}${found.more ? ", and there are more" : ""}.`,
        ),
        el(
          "ul",
          {},
          found.examples.map((id) => el("li", {}, linkToClient(id))),
        ),
        found.matched > found.examples.length ? el("p", { class: "quiet" }, "… and others.") : null,
        found.matched > 0
          ? button(`End ${some(found.matched, "session")}`, () => end(wanted, found), { kind: "danger" })
          : null,
      );
    },
    el(
      "div",
      { class: "row" },
      field("Client identifier has", search),
      field("User is", user),
      el("div", { class: "pair" }, field("Away for at least", away), unit),
      field("Messages waiting, at least", queued),
      submit("Show which", ""),
    ),
    result,
  );
  // What was found is not what other words mean.
  look.addEventListener("input", () => (edits++, fill(result)));
  return section(
    "End sessions by selection",
    el("p", {}, "All that is filled in has to be so. Nothing ends before you have seen which."),
    look,
  );
}
