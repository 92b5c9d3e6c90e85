// Shared groups, and how far each member is behind.

import { badge, el, fill, hostile, note, section } from "../dom.js";
import { get } from "../api.js";
import { table } from "../page.js";
import { bytes, count, some } from "../format.js";
import { linkToClient } from "./parts.js";

const EVERY = 3000;
/** Groups on one page; the rest is found by searching. */
const SHOWN = 100;
/** Members of each: those that are furthest behind. */
const MEMBERS = 100;

export function groups(page) {
  const place = el("div");
  const parts = new Map();
  const none = note("No client has a shared subscription ($share/name/filter).");
  const rest = note();
  page.show(
    "Shared groups",
    el(
      "p",
      {},
      "Each message goes to one member. The group's lag is what waits in its queue and " +
        "what members have been lent and not finished. ",
      "A member without credits takes no more until it acknowledges.",
    ),
    place,
  );
  page.every(EVERY, async () => {
    const { items } = await get("groups", {}, page.signal);
    const shown = items.toSorted((a, b) => b.lag - a.lag).slice(0, SHOWN);
    for (const filter of parts.keys()) {
      if (!shown.some((group) => group.filter === filter)) parts.delete(filter);
    }
    for (const group of shown) {
      if (!parts.has(group.filter)) parts.set(group.filter, part(group));
      parts.get(group.filter).update(group);
    }
    const wanted = shown.length === 0 ? [none] : shown.map((group) => parts.get(group.filter));
    if (items.length > SHOWN) wanted.push(rest);
    fill(rest, `${some(items.length - SHOWN, "group")} with less lag left out.`);
    if (wanted.length !== place.childElementCount || wanted.some((each, i) => place.children[i] !== each)) {
      fill(place, wanted);
    }
  });
}

function part(group) {
  const sum = el("p");
  const left = el("p", { class: "quiet" });
  const members = table(
    "Members",
    [
      { label: "Member", cell: (row) => linkToClient(row.clientId) },
      { label: "State", cell: (row) => (row.connected ? badge("connected", "good") : badge("away", "bad")) },
      { label: "Lent, not finished", cell: (row) => count(row.lent), number: true },
      {
        label: "Credits",
        cell: (row) => (row.credits === 0 ? badge("none", "bad") : count(row.credits)),
        number: true,
      },
    ],
    (row) => row.clientId,
    "It has no member.",
  );
  const made = section([hostile(group.filter)], sum, members, left);
  made.update = (now) => {
    fill(sum, "Lag ", el("b", {}, count(now.lag)), `; queued ${count(now.queuedMessages)} (${bytes(now.queuedBytes)})`);
    const most = now.members.length > MEMBERS;
    members.update(most ? now.members.toSorted((a, b) => b.lent - a.lent).slice(0, MEMBERS) : now.members);
    fill(left, most ? `Those ${MEMBERS} of ${count(now.members.length)} members that have most to finish.` : null);
  };
  return made;
}
