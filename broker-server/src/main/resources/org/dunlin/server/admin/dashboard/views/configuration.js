// Every key, its value and where that comes from; what a reload of the file would change.

import { ask, badge, button, el, field, fill, hostile, input, note, say, section, tick } from "../dom.js";
import { get, post } from "../api.js";
import { attempt, orMissing, table } from "../page.js";

export function configuration(page) {
  const search = input({ type: "search" });
  const set = tick("Only what differs from its default");
  const list = table(
    "Configuration",
    [
      { label: "Key", cell: (row) => el("code", {}, row.key) },
      { label: "Value", cell: (row) => (row.secret ? el("i", {}, "secret") : hostile(row.value ?? "")) },
      { label: "Default", cell: (row) => (row.defaultValue ? hostile(row.defaultValue) : "–") },
      { label: "From", cell: (row) => hostile(row.origin ?? "") },
      { label: "A change needs", cell: (row) => (row.live ? "a reload" : "a restart") },
    ],
    (row) => row.key,
    "No key fits.",
  );
  const problem = el("div");
  const place = el("div", {}, el("div", { class: "row" }, field("Key has", search), set), list);
  page.show("Configuration", page.mayChange ? reloading(page, look) : null, section("Keys", problem, place));
  let items = [];
  const draw = () =>
    list.update(
      items.filter(
        (row) => row.key.includes(search.value) && (!set.box.checked || (row.origin && row.origin !== "default")),
      ),
    );
  search.addEventListener("input", draw);
  set.box.addEventListener("change", draw);
  async function look() {
    const found = await orMissing(get("config", {}, page.signal), place, "The configuration");
    if (!found) return;
    items = found.items;
    draw();
  }
  attempt(page, problem, look);
}

function reloading(page, then) {
  const result = el("div", { role: "status" });
  const changes = table(
    "Changes",
    [
      { label: "Key", cell: (row) => el("code", {}, row.key) },
      { label: "From", cell: (row) => hostile(row.from ?? "") },
      { label: "To", cell: (row) => hostile(row.to ?? "") },
      { label: "In force", cell: (row) => (row.live ? badge("with the reload", "good") : badge("after a restart")) },
    ],
    (row) => row.key,
    "Nothing differs from what is in force.",
  );
  const tell = (said) => {
    changes.update(said.changes);
    fill(
      result,
      said.faults.length > 0
        ? [
            note("The file has faults; nothing of it is taken."),
            el(
              "ul",
              {},
              said.faults.map((fault) => el("li", {}, hostile(String(fault), { most: 1000 }))),
            ),
          ]
        : changes,
    );
  };
  const check = async () => {
    const said = await orMissing(post("config/check"), result, "Checking");
    if (said) tell(said);
    return said;
  };
  async function reload() {
    const found = await check();
    if (!found || found.faults.length > 0) return;
    const sure = await ask(
      "Reload the configuration?",
      `${found.changes.filter((change) => change.live).length} change(s) come into force, ` +
        `all or none; ${found.changes.filter((change) => !change.live).length} wait for a restart.`,
      "Reload",
      "primary",
    );
    if (!sure) return;
    const said = await post("config/reload");
    tell(said);
    if (said.faults.length === 0) say("Reloaded.");
    await then();
  }
  return section(
    "The file",
    el(
      "div",
      { class: "row" },
      button("Check what a reload would change", check),
      button("Reload …", reload, { kind: "primary" }),
    ),
    result,
  );
}
