// Packets as they come and go, of one client, of topics or from an address.

import {
  badge,
  button,
  el,
  escaped,
  fail,
  field,
  fill,
  form,
  hostile,
  input,
  note,
  plain,
  save,
  section,
  select,
  submit,
  tick,
  words,
} from "../dom.js";
import { ApiError, follow, get } from "../api.js";
import { table } from "../page.js";
import { bytes, count, some } from "../format.js";
import { linkToClient } from "./parts.js";

const DRAWN_EVERY = 250;
/** Whether the login still holds is asked as seldom as that: a trace goes on without it. */
const LOGIN_EVERY = 15_000;
/** Packets on the screen, and those that can be saved. */
const SHOWN = 200;
const KEPT = 5000;
/** Of all that are kept, in characters. */
const KEPT_CHARS = 8 * 1024 * 1024;
/** Of a payload, before it has to be opened. */
const BRIEF = 160;

const WHOSE = [
  ["client", "client"],
  ["topic", "topic"],
  ["address", "address"],
];
const HINTS = {
  client: "Connected or not yet",
  topic: "PUBLISH alone, like plant/+/speed",
  address: "Like 10.1.0.9 or 10.1.0.0/16",
};
const PAYLOADS = [
  ["head", "first 64 bytes"],
  ["none", "not shown"],
  ["full", "up to 64 KB"],
];
const TIMES = [
  ["60", "a minute"],
  ["600", "10 minutes"],
  ["3600", "an hour"],
  ["86400", "a day"],
];

/** What has been seen outlives the page, for who follows a link in it. */
const memory = { kept: [], chars: 0, seen: 0, leftOut: 0, asked: ["client", ""] };

/** Lets go of all that was seen, when somebody logs out. */
export function forgetTrace() {
  empty();
  memory.asked = ["client", ""];
}

function empty() {
  memory.kept = [];
  memory.chars = memory.seen = memory.leftOut = 0;
}

function keep(data) {
  const packet = JSON.parse(data);
  memory.kept.push({ number: ++memory.seen, data, packet });
  memory.leftOut += packet.leftOut;
  memory.chars += data.length;
  while (memory.kept.length > KEPT || memory.chars > KEPT_CHARS) memory.chars -= memory.kept.shift().data.length;
}

export function trace(page) {
  if (!page.mayChange) {
    page.show("Trace", note("A trace shows payloads, so it needs a login with the scope write; yours may only look."));
    return;
  }
  const told = el("p", { role: "status" });
  const running = new Running(page, told);
  page.show(
    "Trace",
    el(
      "p",
      {},
      "Packets as the broker takes and sends them. Passwords and tokens are not shown; payloads are, and may be " +
        "confidential. No client waits for a trace; what is too much for this page is left out and counted.",
    ),
    section("What to follow", asking(page, running), told),
    section("Packets", packets(page, running)),
  );
  page.every(LOGIN_EVERY, async () => {
    if (running.isOn) await get("login", {}, page.signal);
  });
}

/** The trace of this page, if one runs. */
class Running {
  #page;
  #told;
  #stop = null;
  onChange = () => {};

  constructor(page, told) {
    this.#page = page;
    this.#told = told;
    page.signal.addEventListener("abort", () => this.end());
  }

  get isOn() {
    return this.#stop !== null;
  }

  end() {
    this.#stop?.abort();
  }

  /** Comes back when it has begun, or throws why it has not. What ran before ends. */
  begin(wanted, name) {
    this.end();
    const stop = (this.#stop = new AbortController());
    let isOpen = false;
    let last = null;
    return new Promise((begun, refused) => {
      const onOpen = () => {
        isOpen = true;
        fill(this.#told, badge("running", "good"), " Following ", hostile(name), ".");
        this.onChange();
        begun();
      };
      const onEvent = (type, data) => {
        if (type === "packet") keep(data);
        else if (type === "end") last = JSON.parse(data);
      };
      follow("trace", wanted, stop.signal, onOpen, onEvent)
        .then(() => this.#over(stop, last ? sum(last) : "The broker broke it off: it may have been stopped."))
        .catch((error) => {
          stop.abort();
          this.#over(stop, !isOpen ? "" : error.name === "AbortError" ? "Stopped." : words(error));
          refused(error);
        });
    });
  }

  #over(stop, why) {
    if (this.#stop !== stop) return;
    this.#stop = null;
    if (this.#page.isLeft) return;
    fill(this.#told, why === "" ? null : [badge("ended"), ` ${why}`]);
    this.onChange();
  }
}

const sum = (end) =>
  `It ended: ${end.why}. ${some(end.packets, "packet")} sent to this page` +
  (end.leftOut > 0 ? `, ${some(end.leftOut, "packet")} behind them left out.` : ".");

function asking(page, running) {
  const whose = select(WHOSE);
  const linked = WHOSE.map(([name]) => [name, page.search.get(name)]).find(([, value]) => value !== null);
  const [former, value] = linked ?? memory.asked;
  whose.value = former;
  const who = input({ value });
  const payload = select(PAYLOADS);
  const seconds = select(TIMES);
  seconds.value = "600";
  const most = input({ class: "short", type: "number", min: 1, inputmode: "numeric" });
  const which = field("Which", who, HINTS[former]);
  whose.addEventListener("change", () => fill(which.querySelector("small"), HINTS[whose.value]));
  const start = submit("Start");
  const stop = button("Stop", () => {
    running.end();
    start.focus();
  });
  running.onChange = () => (stop.hidden = !running.isOn);
  stop.hidden = true;
  return form(
    "Trace",
    async () => {
      if (who.value === "") throw new ApiError(0, `Say which ${whose.value}.`);
      memory.asked = [whose.value, who.value];
      const wanted = { [whose.value]: who.value, payload: payload.value, seconds: seconds.value };
      if (most.value !== "") wanted.count = most.value;
      await running.begin(wanted, who.value).catch((error) => {
        if (error.name !== "AbortError") throw error;
      });
    },
    el(
      "div",
      { class: "row" },
      field("Follow a", whose),
      which,
      field("Payloads", payload),
      field("For", seconds),
      field("At most packets", most),
      start,
      stop,
    ),
  );
}

function packets(page, running) {
  const told = el("p", { class: "quiet" });
  const still = tick("Hold");
  const list = table("Packets, oldest first", columns, (row) => row.number, "None yet.");
  const tail = el("div", { class: "tail", tabindex: 0, role: "group", "aria-label": "Packets to scroll in" }, list);
  let drawn = -1;
  const draw = () => {
    if (still.box.checked) {
      const more = memory.seen - drawn;
      fill(told, `Held. ${some(more, "packet has", "packets have")} come since.`);
      return;
    }
    if (drawn === memory.seen) return;
    drawn = memory.seen;
    const atEnd = tail.scrollTop + tail.clientHeight >= tail.scrollHeight - 8;
    const shown = memory.kept.slice(-SHOWN);
    list.update(shown.map(({ number }) => ({ number })));
    if (atEnd) tail.scrollTop = tail.scrollHeight;
    fill(told, shown.length === 0 ? "" : extent(shown.length));
  };
  still.box.addEventListener("change", () => {
    drawn = still.box.checked ? drawn : -1;
    draw();
  });
  const clear = () => {
    empty();
    drawn = 0;
    list.update([]);
    fill(told);
  };
  const saved = (kind, line) => {
    if (memory.kept.length === 0) return fail(new ApiError(0, "There is nothing to save yet."));
    const name = `trace-${new Date().toISOString().replace(/[:.]/g, "-")}.${kind}`;
    save(name, memory.kept.map((each) => `${line(each)}\n`).join(""));
  };
  page.every(DRAWN_EVERY, draw);
  return [
    el(
      "div",
      { class: "row" },
      still,
      button("Clear", clear),
      button("Save as text", () => saved("txt", ({ packet }) => lineOf(packet))),
      button("Save as JSON lines", () => saved("jsonl", ({ data }) => data)),
    ),
    told,
    tail,
  ];
}

function extent(shown) {
  const all = some(memory.seen, "packet") + (memory.leftOut > 0 ? ` and ${count(memory.leftOut)} left out` : "");
  if (shown === memory.seen) return `${all}.`;
  return `${all}; the last ${shown} are shown, the last ${count(memory.kept.length)} are saved.`;
}

const found = (row) => memory.kept[row.number - memory.kept[0].number].packet;

const columns = [
  { label: "At", tight: true, cell: (row) => moment(found(row).time) },
  { label: "Way", tight: true, cell: (row) => found(row).direction },
  { label: "Client", cell: (row) => client(found(row)) },
  { label: "Packet", cell: (row) => kind(found(row)) },
  { label: "What it says", cell: (row) => details(found(row)) },
  { label: "Payload", cell: (row) => payload(found(row)) },
];

/** In the browser's zone, with milliseconds. */
function moment(text) {
  const at = new Date(text);
  const clock = `${at.toLocaleTimeString("en-GB")}.${String(at.getMilliseconds()).padStart(3, "0")}`;
  return el("span", { title: text }, clock);
}

const client = (packet) => (packet.clientId ? linkToClient(packet.clientId) : packet.address);

const kind = (packet) => [
  packet.leftOut > 0 ? [badge(`${some(packet.leftOut, "packet")} left out before`, "bad"), " "] : null,
  /^[A-Z]/.test(packet.packet) ? el("b", {}, packet.packet) : badge(packet.packet, named(packet.packet)),
];

const named = (event) => (event === "malformed" ? "bad" : event === "opened" ? "good" : "");

function details(packet) {
  const said = [
    packet.topic === null ? null : el("b", {}, hostile(packet.topic, { most: 400 })),
    packet.flags.length === 0 ? null : plain(packet.flags.join(", "), 400),
    packet.packetId === null ? null : `id ${packet.packetId}`,
    packet.reason === null ? null : hostile(packet.reason, { most: 400 }),
    ...packet.details.map((detail) => hostile(detail, { most: 400 })),
  ].filter((each) => each !== null);
  return said.length === 0 ? "–" : said.map((each, i) => [i === 0 ? null : " · ", each]);
}

function payload(packet) {
  if (packet.payloadBytes === null) return "–";
  const size = el("span", { class: "quiet" }, bytes(packet.payloadBytes), packet.payloadIsHex ? ", in hex " : " ");
  if (!packet.payload) return size;
  const of = (most, lines) => hostile(packet.payload, { most, lines });
  if (packet.payload.length <= BRIEF) return [size, of(BRIEF, false)];
  const whole = el("div");
  const opened = el("details", {}, el("summary", {}, of(BRIEF, false)), whole);
  opened.addEventListener("toggle", () =>
    fill(
      whole,
      opened.open
        ? el("pre", { tabindex: 0, "aria-label": "Payload" }, of(packet.payload.length, !packet.payloadIsHex))
        : null,
    ),
  );
  return [size, opened];
}

/** As `dunlin trace` writes it: time in UTC, nothing that turns a line around or breaks it. */
function lineOf(packet) {
  const parts = [
    packet.time.replace(/^[^T]*T/, "").replace(/Z$/, ""),
    packet.direction.padEnd(3),
    packet.clientId || packet.address,
    packet.packet,
    packet.packetId === null ? "" : `id ${packet.packetId}`,
    ...packet.flags,
    packet.topic === null ? "" : `topic ${packet.topic}`,
    packet.reason === null ? "" : `reason ${packet.reason}`,
    packet.details.length === 0 ? "" : `[${packet.details.join("; ")}]`,
    packet.payloadBytes === null ? "" : `${packet.payloadBytes} bytes`,
  ].filter((each) => each !== "");
  const content = packet.payload ? `${packet.payloadIsHex ? " 0x" : ": "}${packet.payload}` : "";
  const before = packet.leftOut > 0 ? `-- ${packet.leftOut} packets left out\n` : "";
  return before + escaped(parts.join(" ") + content);
}
