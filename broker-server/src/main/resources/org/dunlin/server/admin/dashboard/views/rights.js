// What users may do: the text of auth.acl-file, and which rule decides.

import { ask, badge, button, el, field, fill, form, input, note, plain, say, section, select, submit } from "../dom.js";
import { get, put } from "../api.js";
import { attempt } from "../page.js";

/** A text that is not in force yet, and what it was made from; it outlives the page, and a login that ends. */
let draft = null;

/** When somebody logs out. */
export const forgetDraft = () => (draft = null);

export function rights(page) {
  const place = el("div");
  page.show(
    "Rights",
    el(
      "p",
      {},
      "What no rule allows is denied, and a denial wins over every permission. A new text " +
        "is in force at once, for those that are connected, too.",
    ),
    section("The ACL file", place),
    explaining(page),
  );
  attempt(page, place, () => edit(page, place));
}

async function edit(page, place) {
  const acl = await get("acl", {}, page.signal);
  if (acl.path === "") {
    fill(
      place,
      note("auth.acl-file is not set, so every client that may connect may do everything. Set it and restart."),
    );
    return;
  }
  if (!page.mayChange || draft?.text === acl.text) draft = null;
  let text = draft?.base ?? acl.text;
  const editor = el("textarea", {
    rows: 18,
    spellcheck: "false",
    class: "code",
    readonly: !page.mayChange,
    value: draft?.text ?? acl.text,
    oninput: () => (draft = editor.value === text ? null : { base: text, text: editor.value }),
  });
  const begun = note(
    "You had begun to change this; it is not in force. ",
    button("Show the file instead", async () => {
      draft = null;
      await edit(page, place);
      place.querySelector("textarea").focus();
    }),
  );
  begun.hidden = draft === null;
  fill(
    place,
    begun,
    form(
      "The ACL file",
      async () => {
        const now = await get("acl");
        const foreign = now.text !== text;
        const sure = await ask(
          "Put these rights in force?",
          [
            foreign
              ? el(
                  "p",
                  {},
                  el("b", {}, "The file was changed by somebody else since you opened it; that change would be lost. "),
                )
              : null,
            el(
              "p",
              {},
              `${changes(now.text, editor.value)} Clients that are connected lose at once what ` +
                `they may not do any more. A text with a fault changes nothing.`,
            ),
          ],
          "Put in force",
          foreign ? "danger" : "primary",
        );
        if (!sure) return;
        await put("acl", { text: editor.value });
        text = editor.value;
        draft = null;
        begun.hidden = true;
        say("The rights are in force.");
      },
      field(plain(acl.path, 300), editor),
      page.mayChange ? submit("Put in force") : null,
    ),
  );
}

/** In words, by whole lines. */
function changes(before, after) {
  const left = new Map();
  for (const line of before.split("\n")) left.set(line, (left.get(line) ?? 0) + 1);
  let added = 0;
  for (const line of after.split("\n")) {
    const had = left.get(line) ?? 0;
    if (had > 0) left.set(line, had - 1);
    else added++;
  }
  const gone = [...left.values()].reduce((sum, had) => sum + had, 0);
  return `${added} line(s) are new or changed, ${gone} are gone.`;
}

function explaining(page) {
  const user = input();
  const clientId = input();
  const action = select([
    ["publish", "publish"],
    ["subscribe", "subscribe"],
    ["receive", "receive"],
  ]);
  const topic = input();
  const qos = select([
    ["0", "0"],
    ["1", "1"],
    ["2", "2"],
  ]);
  const answer = el("div", { role: "status" });
  return section(
    "Who may what, and why?",
    form(
      "Explain a right",
      async () => {
        const said = await get(
          "acl/explain",
          { user: user.value, clientId: clientId.value, action: action.value, topic: topic.value, qos: qos.value },
          page.signal,
        );
        fill(
          answer,
          el("p", {}, said.allowed ? badge("allowed", "good") : badge("denied", "bad")),
          el(
            "ul",
            {},
            said.lines.map((line) => el("li", {}, plain(line, 1000))),
          ),
        );
      },
      el(
        "div",
        { class: "row" },
        field("User", user, "Empty: one without a name."),
        field("Client identifier", clientId, "For rules with %c."),
        field("Action", action),
        field("Topic or filter", topic),
        field("QoS", qos),
        submit("Explain", ""),
      ),
      answer,
    ),
  );
}
