// One page on the screen, from when it is opened until another one is.

import { button, calm, el, fill, fail, note, words } from "./dom.js";
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
   * @returns what does it at once, or once more if it is under way, and comes back when it is done
   */
  every(milliseconds, task) {
    let timer;
    let running = null;
    let again = false;
    let failed = false;
    let over = false;
    const once = async () => {
      again = false;
      if (over || this.isLeft || document.hidden) return;
      try {
        if ((await task()) === false) over = true;
        if (failed) calm();
        failed = false;
      } catch (error) {
        if (!failed && !this.isLeft) fail(error);
        failed = true;
      }
    };
    const rounds = async () => {
      clearTimeout(timer);
      do await once();
      while (again);
      running = null;
      if (!this.isLeft && !over && !document.hidden) timer = setTimeout(run, milliseconds);
    };
    const run = () => {
      again = true;
      return (running ??= rounds());
    };
    document.addEventListener("visibilitychange", () => document.hidden || run(), { signal: this.signal });
    this.signal.addEventListener("abort", () => clearTimeout(timer));
    run();
    return run;
  }
}

/** Loads a part of a page; a place tells why that failed, and tries again when it is asked to. */
export async function attempt(page, place, load) {
  try {
    await load();
    if (page.isLeft) return;
    const had = place.contains(document.activeElement);
    if (place.querySelector(":scope > .problem")) fill(place);
    if (had && !place.contains(document.activeElement)) document.querySelector("h1").focus();
  } catch (error) {
    if (page.isLeft) return;
    fill(
      place,
      el("p", { class: "problem", role: "alert" }, words(error)),
      button("Try again", () => attempt(page, place, load), { kind: "small" }),
    );
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
  const none = el("p", { class: "quiet", hidden: true, tabindex: -1 }, empty);
  const made = el(
    "table",
    { role: "table", tabindex: -1 },
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
    let homeless = false;
    // First, so that rows below one that goes are not moved, which would take the focus from them.
    for (const [id, known] of rows) {
      if (!wanted.has(id)) {
        homeless ||= known.row.contains(document.activeElement);
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
    if (homeless) (items.length > 0 ? made : none).focus({ preventScroll: true });
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
  let latest = 0;
  const told = el("span", { class: "quiet" });
  const problem = el("div");
  const goBack = () => cursors.length > 1 && turn(cursors.slice(0, -1));
  const goOn = () => next !== null && turn([...cursors, next]);
  const back = el("button", { type: "button", onclick: goBack }, "Previous");
  const on = el("button", { type: "button", onclick: goOn }, "Next");
  const holder = el("div", {}, list, problem, el("div", { class: "row pages" }, back, on, told));

  async function show() {
    const mine = ++latest; // what was asked for later counts, whatever comes first
    const isOld = () => page.isLeft || mine !== latest;
    let answer = await load(cursors[cursors.length - 1]);
    for (let tries = 0; answer.items.length === 0 && answer.next && tries < EMPTY_PAGES && !isOld(); tries++) {
      answer = await load(answer.next);
    }
    if (isOld()) return;
    next = answer.next ?? null;
    fill(problem);
    list.update(answer.items);
    // A button that is really disabled would lose the focus of who has just used it.
    back.ariaDisabled = String(cursors.length === 1);
    on.ariaDisabled = String(next === null);
    const alone = cursors.length === 1 && next === null;
    const found = answer.items.length;
    const sum = found === 0 ? "" : found >= limit ? `The first ${found}` : `${found} in all`;
    fill(told, alone ? sum : `Page ${cursors.length}`);
    back.hidden = on.hidden = alone && ![back, on].includes(document.activeElement);
  }

  async function turn(to) {
    const before = [cursors, next];
    [cursors, next] = [to, null]; // a second click before the answer goes nowhere
    try {
      await show();
    } catch (error) {
      if (cursors === to) [cursors, next] = before;
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
  else attempt(page, problem, show);
  return holder;
}
