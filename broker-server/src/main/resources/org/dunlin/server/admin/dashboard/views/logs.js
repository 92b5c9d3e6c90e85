// The broker's log, as it is written.

import { ask, badge, el, field, fill, hostile, say, select, tick } from "../dom.js";
import { get, put } from "../api.js";
import { orMissing, table } from "../page.js";
import { time } from "../format.js";

const EVERY = 2000;
const SHOWN = 300;
/** Of asking for what was written since, before it is shown: more may be written meanwhile. */
const ROUNDS = 5;
const LEVELS = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

export function logs(page) {
  const least = select(LEVELS.map((level) => [level, level.toLowerCase()]));
  least.value = "TRACE";
  const search = el("input", { type: "search" });
  const still = tick("Hold");
  const list = table(
    "Log, newest first",
    [
      { label: "At", tight: true, cell: (row) => time(row.at) },
      {
        label: "Level",
        cell: (row) => badge(row.level.toLowerCase(), row.level === "ERROR" || row.level === "WARN" ? "bad" : ""),
      },
      { label: "Logger", cell: (row) => row.logger },
      { label: "Message", cell: (row) => hostile(row.message, { most: 2000 }) },
    ],
    (row) => row.number,
    "No line fits.",
  );
  const place = el("div", {}, list);
  const level = el("div");
  page.show(
    "Log",
    el("div", { class: "row" }, field("Show from level", least), field("Message has", search), still, level),
    place,
  );

  let after = 0;
  let lines = [];
  const draw = () => {
    const enough = LEVELS.indexOf(least.value);
    list.update(
      lines.filter(
        (line) =>
          LEVELS.indexOf(line.level) <= enough && line.message.toLowerCase().includes(search.value.toLowerCase()),
      ),
    );
  };
  least.addEventListener("change", draw);
  search.addEventListener("input", draw);
  page.every(EVERY, async () => {
    if (still.box.checked) return;
    for (let round = 0; round < ROUNDS; round++) {
      const found = await orMissing(get("log", { after, limit: SHOWN }, page.signal), place, "The log");
      if (!found) return false;
      after = found.next;
      lines = [...found.items.toReversed(), ...lines].slice(0, SHOWN);
      if (found.items.length < SHOWN) break;
    }
    draw();
  });
  if (page.mayChange) setting(page, level);
}

/** What the broker writes at all. */
async function setting(page, place) {
  const now = await get("log/level", {}, page.signal).catch(() => null);
  if (now === null || page.isLeft) return;
  const level = select(LEVELS.map((each) => [each.toLowerCase(), each.toLowerCase()]));
  let former = now.level;
  level.value = former;
  level.addEventListener("change", async () => {
    const verbose = level.value === "debug" || level.value === "trace";
    const sure =
      !verbose ||
      (await ask(
        `Log at level ${level.value}?`,
        "The broker writes much more, which costs time and disk. It holds until the next reload or restart.",
        "Log more",
        "primary",
      ));
    if (!sure) {
      level.value = former;
      return;
    }
    try {
      await put("log/level", { level: level.value });
      former = level.value;
      say(`The broker logs from level ${former}.`);
    } catch (error) {
      level.value = former;
      fill(place, el("p", { class: "problem", role: "alert" }, error.message));
    }
  });
  fill(place, field("The broker writes from level", level));
}
