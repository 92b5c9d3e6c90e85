// The tree of topics with what is retained there, opened level by level; and what arrives meanwhile.

import {
  ask,
  button,
  el,
  facts,
  fail,
  field,
  fill,
  form,
  hostile,
  input,
  note,
  plain,
  say,
  section,
  submit,
  tick,
} from "../dom.js";
import { get, post, remove } from "../api.js";
import { count, duration, some } from "../format.js";
import { brief, fromApi, inFull } from "../payload.js";
import { TestClient } from "../testclient.js";
import { attempt, paged, table } from "../page.js";

const PAGE = 100;
/** How often what has arrived is drawn. */
const DRAWN_EVERY = 250;
/** Topics whose last value is kept while the page is open. */
const KEPT_MOST = 5000;
/** Of the payload of each. */
const KEPT_BYTES = 4096;

/** Parts of the tree that are on the screen, by topic. */
class Tree {
  #page;
  #levels = new Map();
  #live = new Map();
  #changed = new Set();

  constructor(page, onShow) {
    this.#page = page;
    this.onShow = onShow;
  }

  /** A list of the levels below a topic; null for the top. */
  list(parent) {
    const items = el("ul");
    const more = el("div");
    const holder = el("div", {}, items, more);
    const branches = new Map();
    const load = async (after) => {
      const found = await get("topics", { parent, after, limit: PAGE }, this.#page.signal);
      const had = more.contains(document.activeElement);
      const before = items.childElementCount;
      for (const branch of found.items) this.#add(branches, items, branch);
      if (had) items.children[before]?.querySelector("button:not([hidden])")?.focus();
      fill(more, found.next === null ? null : button("Show more", () => load(found.next), { kind: "small" }));
      if (branches.size === 0) fill(more, el("p", { class: "quiet" }, "Nothing is retained here."));
    };
    this.#levels.set(parent, { branches, items, more });
    attempt(this.#page, more, () => load(null));
    return holder;
  }

  /** Takes away what is closed. */
  #forget(parent) {
    for (const known of [...this.#levels.keys()]) {
      if (known === parent || known?.startsWith(`${parent}/`)) this.#levels.delete(known);
    }
  }

  #add(branches, items, { level, topic, message, hasMore }) {
    if (branches.has(level)) return branches.get(level).set(message, hasMore);
    const below = el("div", { class: "below", hidden: true });
    const value = el("span", { class: "value" });
    const opener = el(
      "button",
      { type: "button", class: "opener", "aria-expanded": "false" },
      hostile(level, { most: 80 }),
    );
    const shower = el(
      "button",
      {
        type: "button",
        class: "small",
        "aria-label": `Show ${plain(topic, 60)}`,
        onclick: () => this.onShow(topic, this.#live.get(topic)),
      },
      "Show",
    );
    const leaf = el("span", { class: "leaf" }, hostile(level, { most: 80 }));
    opener.addEventListener("click", () => {
      const open = below.hidden;
      below.hidden = !open;
      opener.setAttribute("aria-expanded", String(open));
      if (open) fill(below, this.list(topic));
      else this.#forget(topic);
      if (!open) fill(below);
    });
    const name = el("span", {});
    const item = el("li", {}, el("div", { class: "branch" }, name, value, shower), below);
    const branch = {
      set: (retained, parent) => {
        if (branch.known?.[1] !== parent) fill(name, parent ? opener : leaf);
        const live = this.#live.get(topic);
        shower.hidden = !retained && !live;
        value.classList.toggle("live", Boolean(live));
        fill(value, live ? brief(live.payload) : retained ? brief(fromApi(retained)) : null);
        branch.known = [retained, parent];
      },
    };
    branch.set(message, hasMore);
    branches.set(level, branch);
    items.append(item);
    return branch;
  }

  /** Something has arrived. */
  arrived(message) {
    if (this.#live.size >= KEPT_MOST && !this.#live.has(message.topic)) return;
    this.#live.set(message.topic, message);
    this.#changed.add(message.topic);
  }

  /** Shows what has arrived since the last time, on those levels that are open. */
  draw() {
    for (const topic of this.#changed) {
      const levels = topic.split("/");
      for (let depth = 0; depth < levels.length; depth++) {
        const open = this.#levels.get(depth === 0 ? null : levels.slice(0, depth).join("/"));
        if (!open) break;
        const level = levels[depth];
        const last = depth === levels.length - 1;
        const branch = open.branches.get(level);
        if (!branch) {
          if (open.branches.size >= 10 * PAGE) break;
          this.#add(open.branches, open.items, {
            level,
            topic: levels.slice(0, depth + 1).join("/"),
            message: null,
            hasMore: !last,
          });
        } else if (last || !branch.known[1]) branch.set(branch.known[0], branch.known[1] || !last);
      }
    }
    const some = this.#changed.size > 0;
    this.#changed.clear();
    return some;
  }
}

export function topics(page) {
  const detail = el("div", { class: "detail", tabindex: -1 });
  const tree = new Tree(page, (topic, live) => show(page, detail, topic, live).catch(fail));
  const holder = el("div", { class: "tree" }, tree.list(null));
  page.show(
    "Topics",
    el("p", {}, "Topics at which a message is retained. Open a level to see what is below it."),
    page.mayChange ? live(page, tree) : null,
    el("div", { class: "two wide-left" }, section("Tree", holder), section("Message", detail)),
    search(page),
    page.mayChange ? deleting(page, () => fill(holder, tree.list(null))) : null,
  );
  fill(detail, el("p", { class: "quiet" }, "Choose “Show” at a topic."));
}

/** Values as they come. */
function live(page, tree) {
  const filter = input({ value: page.search.get("filter") ?? "#" });
  const box = tick("Live values");
  const told = el("span", { class: "quiet", role: "status" });
  let client = null;
  let attempt = 0;
  let arrived = 0;
  let seen = 0;
  const stop = () => {
    attempt++; // who ticks the box again while it connects gets another
    client?.end();
    client = null;
    filter.disabled = false;
  };
  page.signal.addEventListener("abort", stop);
  page.every(DRAWN_EVERY, () => {
    tree.draw();
    if (arrived !== seen) fill(told, `${some(arrived, "message")} arrived.`);
    seen = arrived;
  });
  box.box.addEventListener("change", async () => {
    if (!box.box.checked) {
      stop();
      fill(told);
      return;
    }
    filter.disabled = true;
    const mine = ++attempt;
    try {
      const onMessage = (message) => {
        if (message.retain) return; // the tree has it
        arrived++;
        tree.arrived(message);
      };
      const made = await TestClient.connect(
        { kept: KEPT_BYTES },
        onMessage,
        (why) => client === made && ((box.box.checked = false), stop(), fill(told, why)),
      );
      if (mine !== attempt) return made.end();
      client = made;
      await client.subscribe(filter.value, 0);
      fill(told, "Connected; waiting for messages.");
    } catch (error) {
      if (mine !== attempt) return;
      box.box.checked = false;
      stop();
      fail(error);
    }
  });
  return el("div", { class: "row" }, box, field("Topic filter", filter), told);
}

async function show(page, place, topic, live) {
  const retained = await get("retained/message", { topic }, page.signal).catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });
  if (page.isLeft) return;
  const subject = el("p", {}, el("b", {}, hostile(topic, { most: 2000 })));
  fill(
    place,
    subject,
    live ? [el("h3", {}, `Live, QoS ${live.qos}`), inFull(live.payload, live.bytes)] : null,
    retained
      ? [live ? el("h3", {}, "Retained") : null, ofRetained(retained)]
      : note("Nothing is retained at this topic."),
    el(
      "div",
      { class: "row" },
      el("a", { class: "button", href: `#/explain?topic=${encodeURIComponent(topic)}` }, "Who gets it?"),
      page.mayChange && [
        el("a", { class: "button", href: `#/test?topic=${encodeURIComponent(topic)}` }, "Publish here …"),
        retained && button("Delete", () => deleteOne(topic, () => show(page, place, topic, live)), { kind: "danger" }),
      ],
    ),
  );
  place.focus();
}

function ofRetained(message) {
  return [
    facts([
      ["QoS", message.qos],
      ["Size", `${count(message.bytes)} bytes`],
      ["Published by", message.publisher === "" ? "the broker" : hostile(message.publisher)],
      ["Expires", message.expiresInSeconds === null ? "never" : `in ${duration(message.expiresInSeconds)}`],
    ]),
    inFull(fromApi(message), message.bytes),
  ];
}

async function deleteOne(topic, then) {
  const sure = await ask(
    `Delete the message retained at ${plain(topic, 60)}?`,
    "New subscribers do not get it any more. Nobody who has it is told. This cannot be undone.",
    "Delete",
  );
  if (!sure) return;
  await remove("retained/message", { topic });
  say(`Deleted what was retained at ${plain(topic, 60)}.`);
  await then();
}

/** Retained messages by filter. */
function search(page) {
  const filter = input({ value: page.search.get("filter") ?? "" });
  const place = el("div");
  const list = () =>
    table(
      "Retained messages",
      [
        { label: "Topic", cell: (row) => hostile(row.topic) },
        { label: "Payload", cell: (row) => brief(fromApi(row)) },
        { label: "Bytes", cell: (row) => count(row.bytes), number: true },
        { label: "QoS", cell: (row) => row.qos, number: true },
        { label: "Published by", cell: (row) => (row.publisher === "" ? "the broker" : hostile(row.publisher)) },
      ],
      (row) => row.topic,
      "Nothing is retained under that filter.",
    );
  const find = () =>
    fill(
      place,
      paged(page, list(), (after) => get("retained", { after, limit: 50, filter: filter.value }, page.signal)),
    );
  if (filter.value !== "") find();
  return section(
    "Find by filter",
    form(
      "Find retained messages",
      find,
      el(
        "div",
        { class: "row" },
        field("Topic filter", filter, "Like plant/+/temperature or plant/#"),
        submit("Find", ""),
      ),
    ),
    place,
  );
}

/** Deleting what a filter means: first which they are, then the deed. */
function deleting(page, then) {
  const filter = input();
  const result = el("div", { role: "status" });
  let edits = 0;
  const look = form(
    "Delete retained messages",
    async () => {
      const asked = edits;
      const wanted = filter.value;
      const found = await post("retained/delete", { filter: wanted, dryRun: true });
      if (asked !== edits) return;
      fill(
        result,
        el(
          "p",
          {},
          `${some(found.matched, "message fits", "messages fit")}${found.more ? ", and there are more" : ""}.`,
        ),
        el(
          "ul",
          {},
          found.examples.map((topic) => el("li", {}, hostile(topic))),
        ),
        found.matched > 0
          ? button(`Delete ${some(found.matched, "message")}`, () => deed(wanted, found), { kind: "danger" })
          : null,
      );
    },
    el("div", { class: "row" }, field("Topic filter", filter), submit("Show which", "")),
    result,
  );
  async function deed(wanted, found) {
    const sure = await ask(
      `Delete ${some(found.matched, "retained message")} under ${plain(wanted, 60)}?`,
      "New subscribers do not get them any more. Messages that are retained there " +
        "by now go, too. This cannot be undone.",
      "Delete them",
    );
    if (!sure) return;
    const done = await post("retained/delete", { filter: wanted });
    fill(result, `Deleted ${some(done.deleted, "message")}. ${done.more ? "There are more: look again." : ""}`);
    say(`Deleted ${some(done.deleted, "message")}.`);
    then();
  }
  look.addEventListener("input", () => (edits++, fill(result)));
  return section("Delete by filter", look);
}
