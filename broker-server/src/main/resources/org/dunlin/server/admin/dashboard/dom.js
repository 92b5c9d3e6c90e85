// Elements. Text becomes text nodes and nothing else: what clients name is never read as HTML.

/** Characters that nobody sees, or that turn others around: control, format, line ends, private, unassigned. */
const ODD = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]|[^\S \n\t]/gu;
const NAME_MOST = 160;

const code = (char) => `U+${char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

/** @returns the text with odd characters as <U+202E>; for titles and questions */
export function plain(text, most = NAME_MOST) {
  const whole = String(text);
  const cut = whole.length > most ? `${[...whole.slice(0, most)].join("")}…` : whole;
  return cut.replace(ODD, (char) => `<${code(char)}>`);
}

/** @returns the text on one line, with odd characters as \\u202e; for files */
export const escaped = (text) => String(text).replace(ODD, (char) => `\\u${code(char).slice(2).toLowerCase()}`);

/**
 * What a client has named, as nobody can misread it: in its own direction, odd characters as marks, cut if it is long.
 *
 * @param lines whether line ends and tabs stay what they are
 */
export function hostile(text, { most = NAME_MOST, lines = false } = {}) {
  const holder = document.createElement("bdi");
  holder.className = "hostile";
  const whole = String(text);
  if (whole === "") {
    holder.append(el("i", { class: "quiet" }, "(empty)"));
    return holder;
  }
  const cut = whole.length > most ? whole.slice(0, most) : whole;
  let from = 0;
  for (const match of cut.matchAll(ODD)) {
    if (lines && "\n\t\r".includes(match[0])) continue;
    holder.append(cut.slice(from, match.index), el("mark", { title: "a character that is not seen" }, code(match[0])));
    from = match.index + match[0].length;
  }
  holder.append(cut.slice(from));
  if (cut !== whole) holder.append(el("span", { class: "quiet" }, ` … (${whole.length} characters)`));
  return holder;
}

/**
 * An element. Attributes that begin with "on" are listeners; false, null, undefined leave an attribute out; true makes
 * it empty.
 *
 * @param children nodes, text, numbers, arrays of them; null, undefined and false are left out
 */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value") element.value = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  fill(element, ...children);
  return element;
}

/** Hands a text to the browser as a file to be kept. */
export function save(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Puts children into an element, in place of what is there. What stays in it keeps the focus. */
export function fill(element, ...children) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  element.replaceChildren(
    ...children
      .flat(Infinity)
      .filter((child) => child !== null && child !== undefined && child !== false)
      .map((child) => (child instanceof Node ? child : document.createTextNode(String(child)))),
  );
  if (focused !== document.activeElement && element.contains(focused)) focused.focus({ preventScroll: true });
  return element;
}

/** A button that does something, once at a time. It keeps the focus meanwhile, which a disabled one would lose. */
export function button(label, action, { kind = "", name, ...attributes } = {}) {
  const made = el(
    "button",
    {
      type: "button",
      class: kind,
      "aria-label": name,
      ...attributes,
      onclick: async () => {
        if (made.ariaBusy === "true") return;
        made.ariaBusy = "true";
        try {
          await action(made);
        } catch (error) {
          fail(error);
        } finally {
          made.ariaBusy = "false";
        }
      },
    },
    label,
  );
  return made;
}

let fields = 0;

/** A label with what it is for. @param hint one line below it */
export function field(label, control, hint) {
  control.id ||= `field-${++fields}`;
  const below = hint ? el("small", { id: `${control.id}-hint` }, hint) : null;
  if (below) control.setAttribute("aria-describedby", below.id);
  return el("div", { class: "field" }, el("label", { for: control.id }, label), control, below);
}

export const input = (attributes = {}) =>
  el("input", { type: "text", autocomplete: "off", spellcheck: "false", autocapitalize: "off", ...attributes });

/** @param options pairs of value and label */
export const select = (options, attributes = {}) =>
  el(
    "select",
    attributes,
    options.map(([value, label]) => el("option", { value }, label)),
  );

/** A box to tick, with its label behind it. @returns the label; its `box` is the input */
export function tick(label, attributes = {}) {
  const box = el("input", { type: "checkbox", ...attributes });
  const made = el("label", { class: "tick" }, box, label);
  made.box = box;
  return made;
}

/** A form whose sending calls an action; faults are told at its end, too. */
export function form(label, action, ...children) {
  const problem = el("p", { class: "problem", role: "alert" });
  const made = el("form", { "aria-label": label, novalidate: true }, children, problem);
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (made.ariaBusy === "true") return;
    made.ariaBusy = "true";
    fill(problem);
    try {
      await action(made);
    } catch (error) {
      fill(problem, words(error));
    } finally {
      made.ariaBusy = "false";
    }
  });
  return made;
}

export const submit = (label, kind = "primary") => el("button", { type: "submit", class: kind }, label);

/** A part of a page under a heading. */
export function section(title, ...children) {
  const heading = el("h2", { id: `part-${++fields}` }, title);
  return el("section", { "aria-labelledby": heading.id }, heading, children);
}

/** Pairs of a term and what it is. */
export const facts = (pairs) =>
  el(
    "dl",
    { class: "facts" },
    pairs.filter(Boolean).map(([term, value]) => el("div", {}, el("dt", {}, term), el("dd", {}, value))),
  );

export const badge = (label, kind = "") => el("span", { class: `badge ${kind}` }, label);

/** What somebody without patience should read. */
export const note = (...children) => el("p", { class: "note" }, children);

/** @returns what an error says, for people */
export function words(error) {
  return error instanceof Error && error.name === "ApiError"
    ? error.message
    : `Something went wrong in this page: ${error}`;
}

let quiet;

/** What was told to have failed works again. */
export const calm = () => fill(document.getElementById("failed"));

/** Tells that something was done. */
export function say(text) {
  calm();
  fill(document.getElementById("said"), text);
  clearTimeout(quiet);
  quiet = setTimeout(() => fill(document.getElementById("said")), 8000);
}

/** Tells that something was not done; it stays until it is closed, or something else is told. */
export function fail(error) {
  if (error?.name === "AbortError") return;
  if (error?.name !== "ApiError") console.error(error);
  const place = document.getElementById("failed");
  const closed = () => {
    fill(place);
    document.querySelector("h1")?.focus({ preventScroll: true });
  };
  fill(
    place,
    el("span", {}, words(error)),
    button("Close", closed, { kind: "plain" }),
  );
}

/** @returns what is on the page under the name of something that was */
const likeness = (gone) =>
  [...document.querySelectorAll(gone.localName)].find(
    (element) => element.ariaLabel === gone.ariaLabel && element.textContent === gone.textContent,
  );

/**
 * Asks before something that cannot be taken back. Behind it the focus is where it was, also if what had it has been
 * drawn anew meanwhile.
 *
 * @param title a question
 * @param explanation what will happen
 * @param verb on the button
 * @returns whether it was said yes to
 */
export function ask(title, explanation, verb, kind = "danger") {
  return new Promise((resolve) => {
    const heading = el("h2", { id: `part-${++fields}` }, title);
    const text = el("div", { id: `part-${++fields}` }, explanation);
    const from = document.activeElement;
    let answer = false;
    const close = () => {
      dialog.remove();
      if (!from.isConnected) likeness(from)?.focus();
      resolve(answer);
    };
    const dialog = el(
      "dialog",
      { "aria-labelledby": heading.id, "aria-describedby": text.id, onclose: close },
      heading,
      text,
      el(
        "div",
        { class: "row end" },
        el("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, "Cancel"),
        el("button", { type: "button", class: kind, onclick: () => ((answer = true), dialog.close()) }, verb),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}
