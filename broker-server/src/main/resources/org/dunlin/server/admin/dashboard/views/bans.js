// Who stays out.

import { ask, el, field, fill, form, hostile, input, plain, say, section, select, submit } from "../dom.js";
import { get, path, post, remove } from "../api.js";
import { table } from "../page.js";
import { some, time, until } from "../format.js";
import { rowButton } from "./parts.js";

const EVERY = 5000;
/** Of thousands of addresses that are kept out for a while. */
const SHOWN = 500;
const KINDS = [
  ["address", "address or range"],
  ["user", "user"],
  ["client-id", "client identifier"],
];
const TIMES = [
  ["3600", "for an hour"],
  ["86400", "for a day"],
  ["604800", "for a week"],
  ["", "for ever"],
];

export function bans(page) {
  const list = table(
    "Bans",
    [
      { label: "What", cell: (row) => row.kind },
      { label: "Who", cell: (row) => hostile(row.subject) },
      {
        label: "Ends",
        moves: true,
        cell: (row) => (row.until ? el("span", { title: time(row.until) }, `in ${until(row.until)}`) : "never"),
      },
      { label: "Reason", cell: (row) => (row.reason ? hostile(row.reason, { most: 400 }) : "–") },
      ...(page.mayChange
        ? [{ label: "Action", tight: true, cell: (row) => rowButton("End ban", row.subject, () => end(row)) }]
        : []),
    ],
    (row) => `${row.kind} ${row.subject}`,
    "Nobody is banned.",
  );
  const left = el("p", { class: "quiet" });
  page.show(
    "Bans",
    el("p", {}, "By auth.ban-file, and addresses that are kept out for a while because of failed logins."),
    page.mayChange ? banning(page) : null,
    section("In force", list, left),
  );
  const look = page.every(EVERY, async () => {
    const { items } = await get("bans", {}, page.signal);
    list.update(items.slice(0, SHOWN));
    fill(left, items.length > SHOWN ? `${some(items.length - SHOWN, "more ban")} not shown.` : null);
  });

  async function end(row) {
    const sure = await ask(
      `Let ${row.kind} ${plain(row.subject, 60)} in again?`,
      "The ban ends at once.",
      "End the ban",
      "primary",
    );
    if (!sure) return;
    await remove(path`bans/${row.kind}/${row.subject}`);
    say(`Ended the ban of ${plain(row.subject, 60)}.`);
    await look();
  }

  function banning() {
    const kind = select(KINDS);
    kind.value = page.search.get("kind") ?? "address";
    const subject = input({ value: page.search.get("subject") ?? "" });
    const time = select(TIMES);
    const reason = input();
    return section(
      "Ban",
      form(
        "Ban",
        async () => {
          const sure = await ask(
            `Ban ${kind.value} ${plain(subject.value, 60)}?`,
            "Clients that fit are sent away at once and cannot connect until the ban ends. " +
              "Look that you do not lock yourself out.",
            "Ban",
          );
          if (!sure) return;
          const wanted = { kind: kind.value, subject: subject.value };
          if (time.value !== "") wanted.expiresInSeconds = Number(time.value);
          if (reason.value !== "") wanted.reason = reason.value;
          await post("bans", wanted);
          say(`Banned ${plain(subject.value, 60)}.`);
          subject.value = reason.value = "";
          await look();
        },
        el(
          "div",
          { class: "row" },
          field("What", kind),
          field("Who", subject),
          field("How long", time),
          field("Reason", reason),
          submit("Ban …", "danger"),
        ),
      ),
    );
  }
}
