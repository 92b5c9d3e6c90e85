// Tokens for others: for scripts, for monitoring, for people who only look.

import { ask, button, el, field, fill, form, input, note, plain, say, section, select, submit } from "../dom.js";
import { get, path, post, remove } from "../api.js";
import { attempt, table } from "../page.js";
import { time } from "../format.js";
import { rowButton } from "./parts.js";

const TIMES = [
  ["86400", "a day"],
  ["2592000", "30 days"],
  ["31536000", "a year"],
  ["", "for ever"],
];

export function tokens(page) {
  const list = table(
    "Tokens",
    [
      { label: "Name", cell: (row) => plain(row.name) },
      { label: "May", cell: (row) => (row.scope === "write" ? "look and change" : "look") },
      { label: "Made", cell: (row) => time(row.created) },
      { label: "Ends", cell: (row) => (row.expires ? time(row.expires) : "never") },
      ...(page.mayChange
        ? [{ label: "Action", tight: true, cell: (row) => rowButton("Remove", row.name, () => end(row), "danger") }]
        : []),
    ],
    (row) => row.name,
    "None was made yet, beside the one in the data directory.",
  );
  const problem = el("div");
  const look = async () => list.update((await get("tokens", {}, page.signal)).items);
  page.show(
    "Tokens",
    el("p", {}, "The token in the data directory (admin.token) is not listed: it may do everything and does not end."),
    problem,
    list,
    page.mayChange ? making(look) : null,
  );
  attempt(page, problem, look);

  async function end(row) {
    const sure = await ask(
      `Remove the token ${plain(row.name, 60)}?`,
      "It is not accepted any more, and whoever has logged in with it is logged out.",
      "Remove",
    );
    if (!sure) return;
    await remove(path`tokens/${row.name}`);
    say(`Removed the token ${plain(row.name, 60)}.`);
    await look();
  }
}

function making(then) {
  const name = input();
  const scope = select([
    ["read", "look"],
    ["write", "look and change"],
  ]);
  const time = select(TIMES);
  time.value = "2592000";
  const made = el("div", { role: "status" });
  return section(
    "Make a token",
    form(
      "Make a token",
      async () => {
        const wanted = { name: name.value, scope: scope.value };
        if (time.value !== "") wanted.expiresInSeconds = Number(time.value);
        const { token } = await post("tokens", wanted);
        name.value = "";
        fill(
          made,
          note("Note it now: nobody can be told it again."),
          el("p", {}, el("code", { class: "token" }, token), " ", copying(token)),
        );
        await then();
      },
      el(
        "div",
        { class: "row" },
        field("Name", name, "For what or whom it is."),
        field("It may", scope),
        field("It lasts", time),
        submit("Make"),
      ),
      made,
    ),
  );
}

const copying = (token) =>
  navigator.clipboard
    ? button(
        "Copy",
        async () => {
          await navigator.clipboard.writeText(token);
          say("Copied.");
        },
        { kind: "small" },
      )
    : null;
