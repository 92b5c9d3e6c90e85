// One page on the screen, from when it is opened until another one is.

import { calm, el, fill, fail, note, words } from "./dom.js";
import { isMissing } from "./api.js";

export class Page {
  #left = new AbortController();

  /**
   * @param content where the page is put
   * @param parameters of the address: what follows the name of the page, and its query
   * @param who has logged in
   */
  constructor(content, { subject, search }, who) {
    this.content = content;
    this.subject = subject;
    this.search = search;
    this.who = who;
  }

  /** Whether whoever looks may change things. */
  get mayChange() {
    return this.who.scope === "write";
  }

  /** Aborted when the page is left. */
  get signal() {
    return this.#left.signal;
  }

  get isLeft() {
    return this.signal.aborted;
  }

  leave() {
    this.#left.abort();
  }

  /** Shows the page's heading and what is below it; the title of the window says the heading. */
  show(title, ...children) {
    const heading = typeof title === "string" ? title : title.words;
    document.title = `${heading} · Dunlin`;
    fill(this.content, el("h1", { tabindex: -1 }, typeof title === "string" ? title : title.node), ...children);
  }

  /**
   * Does something now and again and again, each time so long after it was done; not while nobody sees the page.
   *
   * @param task is awaited; what it throws is told once, until it works again; if it gives false it is not done again
   * @returns what does it at once
   */
  every(milliseconds, task) {
    let timer;
    let running = false;
    let failed = false;
    let over = false;
    const run = async () => {
      clearTimeout(timer);
      if (running || over || this.isLeft || document.hidden) return;
      running = true;
      try {
        if ((await task()) === false) over = true;
        if (failed) calm();
        failed = false;
      } catch (error) {
        if (!failed && !this.isLeft) fail(error);
        failed = true;
      }
      running = false;
      if (!this.isLeft && !over) timer = setTimeout(run, milliseconds);
    };
    document.addEventListener("visibilitychange", () => document.hidden || run(), { signal: this.signal });
    this.signal.addEventListener("abort", () => clearTimeout(timer));
    run();
    return run;
  }
}

/** A part whose endpoint an older broker does not have: what it shows then. */
export function orMissing(promise, place, what) {
  return promise.catch((error) => {
    if (!isMissing(error)) throw error;
    fill(place, note(`${what}: not in this version of the broker.`));
    return null;
  });
}

/**
 * A table that is brought up to date row by row, so that focus and selection stay where they are.
 *
 * @param columns {label, cell(item) → node or text, number, tight: whether it is one word that is never broken,
 *     moves: whether it changes with time alone}
 * @param key of an item
 */
export function table(caption, columns, key, empty = "Nothing here.") {
  const body = el("tbody", { role: "rowgroup" });
  const none = el("p", { class: "quiet", hidden: true }, empty);
  const made = el(
    "table",
    { role: "table" },
    el("caption", { class: "unseen" }, caption),
    el(
      "thead",
      { role: "rowgroup" },
      el(
        "tr",
        { role: "row" },
        columns.map((column) =>
          el("th", { scope: "col", role: "columnheader", class: column.number ? "number" : null }, column.label),
        ),
      ),
    ),
    body,
  );
  const holder = el("div", { class: "table" }, made, none);
  const rows = new Map();

  function newRow() {
    const cells = columns.map(() => el("div"));
    const row = el(
      "tr",
      { role: "row" },
      columns.map((column, i) =>
        el(
          "td",
          { role: "cell", "data-label": column.label, class: column.number ? "number" : column.tight ? "tight" : null },
          cells[i],
        ),
      ),
    );
    return { row, cells, text: null };
  }

  function draw({ row, cells }, item) {
    const at = row.contains(document.activeElement)
      ? [...row.querySelectorAll("a, button, input")].indexOf(document.activeElement)
      : -1;
    columns.forEach((column, i) => fill(cells[i], column.cell(item)));
    if (at >= 0) row.querySelectorAll("a, button, input")[at]?.focus();
  }

  holder.update = (items) => {
    const wanted = new Set(items.map((item) => String(key(item))));
    // First, so that rows below one that goes are not moved, which would take the focus from them.
    for (const [id, known] of rows) {
      if (!wanted.has(id)) {
        known.row.remove();
        rows.delete(id);
      }
    }
    const focused = body.contains(document.activeElement) ? document.activeElement : null;
    let before = null;
    for (const item of items) {
      const id = String(key(item));
      const text = JSON.stringify(item);
      let known = rows.get(id);
      if (!known) {
        known = newRow();
        rows.set(id, known);
      }
      if (known.text !== text) {
        draw(known, item);
        known.text = text;
      } else {
        columns.forEach((column, i) => column.moves && fill(known.cells[i], column.cell(item)));
      }
      const place = before ? before.nextSibling : body.firstChild;
      if (place !== known.row) body.insertBefore(known.row, place);
      before = known.row;
    }
    if (focused?.isConnected && document.activeElement !== focused) focused.focus();
    none.hidden = items.length > 0;
    made.hidden = items.length === 0;
  };
  return holder;
}

/** Pages that one click looks at if nothing is on them: the broker looks at a bounded number of sessions for each. */
const EMPTY_PAGES = 25;

/**
 * A list of many, page by page.
 *
 * @param page to live on
 * @param load takes a cursor ("" for the first page), gives {items, next}
 * @param refresh milliseconds, 0 for never
 * @param limit of items that a list which is not continued may have been cut at
 */
export function paged(page, list, load, { refresh = 0, limit = Infinity } = {}) {
  let cursors = [""];
  let next = null;
  const told = el("span", { class: "quiet" });
  const back = el(
    "button",
    { type: "button", onclick: () => turn(() => cursors.length > 1 && cursors.pop()) },
    "Previous",
  );
  const on = el("button", { type: "button", onclick: () => turn(() => next && cursors.push(next)) }, "Next");
  const holder = el("div", {}, list, el("div", { class: "row pages" }, back, on, told));

  async function show() {
    const from = cursors[cursors.length - 1];
    let answer = await load(from);
    for (let tries = 0; answer.items.length === 0 && answer.next && tries < EMPTY_PAGES && !page.isLeft; tries++) {
      answer = await load(answer.next);
    }
    if (page.isLeft || from !== cursors[cursors.length - 1]) return;
    next = answer.next ?? null;
    list.update(answer.items);
    back.disabled = cursors.length === 1;
    on.disabled = next === null;
    const alone = cursors.length === 1 && next === null;
    const found = answer.items.length;
    const sum = found === 0 ? "" : found >= limit ? `The first ${found}` : `${found} in all`;
    fill(told, alone ? sum : `Page ${cursors.length}`);
    back.hidden = on.hidden = alone;
  }

  async function turn(step) {
    step();
    try {
      await show();
    } catch (error) {
      fail(error);
    }
  }

  /** From the first page. */
  holder.restart = () => {
    cursors = [""];
    return show();
  };
  /** The same page again. */
  holder.refresh = show;
  if (refresh > 0) page.every(refresh, show);
  else show().catch((error) => page.isLeft || fill(holder, el("p", { class: "problem", role: "alert" }, words(error))));
  return holder;
}
