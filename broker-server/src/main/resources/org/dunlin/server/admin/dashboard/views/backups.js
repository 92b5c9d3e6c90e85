// Copies of the data directory, made while clients are served.

import { ask, badge, el, field, fill, form, hostile, input, note, plain, say, section, submit } from "../dom.js";
import { get, path, post, remove } from "../api.js";
import { orMissing, table } from "../page.js";
import { bytes, time } from "../format.js";
import { rowButton } from "./parts.js";

const EVERY = 3000;

export function backups(page) {
  const doing = el("div", { role: "status" });
  const list = table(
    "Backups, newest first",
    [
      { label: "Name", cell: (row) => hostile(row.name) },
      { label: "Made", tight: true, cell: (row) => time(row.time) },
      { label: "Size", cell: (row) => bytes(row.bytes), number: true },
      ...(page.mayChange
        ? [{ label: "Action", tight: true, cell: (row) => rowButton("Remove", row.name, () => end(row), "danger") }]
        : []),
    ],
    (row) => row.name,
    "There is none yet.",
  );
  const where = el("p", { class: "quiet" });
  const place = el("div", {}, list);
  page.show(
    "Backups",
    el(
      "p",
      {},
      "A copy of the data directory as it is now: all that was acknowledged before is in it. Clients " +
        "notice nothing. Tokens, accounts and configuration are not in it. Copy backups to another disk: a disk that dies " +
        "takes both.",
    ),
    page.mayChange ? making(look) : null,
    section("What there is", where, doing, place),
  );
  let known = "";
  const refresh = page.every(EVERY, async () => {
    const found = await orMissing(get("backups", {}, page.signal), place, "Backups");
    if (!found) return false;
    list.update(found.items);
    const { directory, running, failed } = found;
    const news = JSON.stringify([directory, running, failed]);
    if (news === known) return;
    known = news;
    fill(where, "In ", hostile(directory, { most: 400 }), " on the broker’s machine.");
    fill(doing, running && going(running), failed && notMade(failed));
  });
  function look() {
    return refresh();
  }

  async function end(row) {
    const sure = await ask(
      `Remove the backup ${plain(row.name, 60)}?`,
      "Its files are deleted. This cannot be undone.",
      "Remove",
    );
    if (!sure) return;
    await remove(path`backups/${row.name}`);
    say(`Removed the backup ${plain(row.name, 60)}.`);
    await look();
  }
}

const going = (running) =>
  el("p", {}, badge("at work", "good"), " ", hostile(running.name), `, since ${time(running.since)}`);

const notMade = (failed) =>
  note("At ", time(failed.at), " ", hostile(failed.name), " was not made: ", hostile(failed.error, { most: 1000 }));

function making(then) {
  const name = input();
  return section(
    "Make one",
    form(
      "Make a backup",
      async () => {
        const made = await post("backups", name.value === "" ? {} : { name: name.value });
        name.value = "";
        // A large one goes on when the broker has answered; the list says when it is there.
        say("bytes" in made ? `Made the backup ${plain(made.name, 60)}.` : `${plain(made.name, 60)} is being made.`);
        await then();
      },
      el("div", { class: "row" }, field("Name", name, "Empty: the time of day, in UTC."), submit("Back up now")),
    ),
  );
}
