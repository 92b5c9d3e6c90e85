// Who may connect: the users of auth.password-file.

import { ask, button, el, field, fill, form, hostile, input, plain, say, section, submit, tick } from "../dom.js";
import { get, path, post, put, remove } from "../api.js";
import { paged, table } from "../page.js";
import { rowButton } from "./parts.js";

const PAGE = 50;

export function users(page) {
  const list = table(
    "Users",
    [
      { label: "User", cell: (row) => hostile(row.name) },
      { label: "SCRAM, too", cell: (row) => (row.scram ? "yes" : "no") },
      ...(page.mayChange
        ? [
            {
              label: "Action",
              tight: true,
              cell: (row) => [
                rowButton("Change password", row.name, () => changing(row)),
                " ",
                rowButton("Remove", row.name, () => removeUser(row), "danger"),
              ],
            },
          ]
        : []),
    ],
    (row) => row.name,
    "There is no user yet.",
  );
  const pages = paged(page, list, (after) => get("users", { after, limit: PAGE }, page.signal));
  const change = el("div");
  page.show(
    "Users",
    el(
      "p",
      {},
      "What is changed here is in the file of auth.password-file and in force at once. What users may do is under ",
      el("a", { href: "#/rights" }, "Rights"),
      ".",
    ),
    pages,
    change,
    page.mayChange ? adding(() => pages.refresh()) : null,
  );

  function changing(row) {
    const password = input({ type: "password", autocomplete: "new-password" });
    const from = document.activeElement;
    const close = () => {
      fill(change);
      (from.isConnected ? from : document.querySelector("h1"))?.focus();
    };
    fill(
      change,
      section(
        ["Another password for ", hostile(row.name)],
        form(
          "Change password",
          async () => {
            await put(path`users/${row.name}/password`, { password: password.value });
            close();
            say(`Changed the password of ${plain(row.name, 60)}.`);
          },
          el(
            "div",
            { class: "row" },
            field("New password", password, "Who is connected by the old one stays."),
            submit("Change password"),
            button("Cancel", close),
          ),
        ),
      ),
    );
    password.focus();
  }

  async function removeUser(row) {
    const sure = await ask(
      `Remove the user ${plain(row.name, 60)}?`,
      "Its clients are sent away at once and cannot come back. Their sessions stay until " +
        "they expire, and nobody else can use them.",
      "Remove",
    );
    if (!sure) return;
    await remove(path`users/${row.name}`);
    say(`Removed ${plain(row.name, 60)}.`);
    await pages.refresh();
  }
}

function adding(then) {
  const name = input();
  const password = input({ type: "password", autocomplete: "new-password" });
  const scram = tick("SCRAM-SHA-256, too");
  return section(
    "Add a user",
    form(
      "Add a user",
      async () => {
        await post("users", { name: name.value, password: password.value, scram: scram.box.checked });
        say(`Added ${plain(name.value, 60)}.`);
        name.value = password.value = "";
        await then();
      },
      el("div", { class: "row" }, field("User name", name), field("Password", password), scram, submit("Add")),
    ),
  );
}
