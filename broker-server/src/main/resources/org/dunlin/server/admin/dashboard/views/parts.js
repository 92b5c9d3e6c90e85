// What several pages show of clients and sessions, and what they offer to do with them.

import { ask, badge, button, el, hostile, plain, say } from "../dom.js";
import { path, post, remove } from "../api.js";
import { bytes, count, since, time, until } from "../format.js";

export const linkToClient = (clientId) =>
  el("a", { href: `#/client/${encodeURIComponent(clientId)}` }, hostile(clientId));

export const linkToTopic = (filter) =>
  el("a", { href: `#/topics?filter=${encodeURIComponent(filter)}` }, hostile(filter));

export const state = (row) => (row.connected ? badge("connected", "good") : badge("away"));

export const queue = (row) =>
  row.queuedMessages === 0 ? "0" : `${count(row.queuedMessages)} (${bytes(row.queuedBytes)})`;

export const sinceWhen = (row) =>
  row.since ? el("span", { title: time(row.since) }, since(row.since)) : "before the start";

/** When a session ends by itself. */
export function expiry(row) {
  if (row.connected) {
    if (row.expirySeconds === null) return "never";
    return row.expirySeconds === 0 ? "with the connection" : `${count(row.expirySeconds)} s after it leaves`;
  }
  return row.expires ? el("span", { title: time(row.expires) }, `in ${until(row.expires)}`) : "never";
}

/** Asks, and sends a client away. @returns whether it was done */
export async function disconnect(row) {
  const sure = await ask(
    `Disconnect ${plain(row.clientId, 60)}?`,
    [
      "The connection is closed; a client of MQTT 5 is told that an operator did it. ",
      "Its session, its subscriptions and what waits for it stay as long as they may. ",
      "Most clients connect again at once: to keep it out, ban it.",
    ],
    "Disconnect",
  );
  if (sure) {
    await post(path`clients/${row.clientId}/disconnect`);
    say(`Disconnected ${plain(row.clientId, 60)}.`);
  }
  return sure;
}

/** Asks, and ends a session. @returns whether it was done */
export async function endSession(row) {
  const sure = await ask(
    `End the session of ${plain(row.clientId, 60)}?`,
    [
      row.connected ? "The client is disconnected. " : "",
      `Its ${count(row.subscriptions)} subscription(s) and ${count(row.queuedMessages)} ` +
        `waiting message(s) are gone for good; `,
      "the messages are counted as lost. This cannot be undone.",
    ],
    "End the session",
  );
  if (sure) {
    await remove(path`sessions/${row.clientId}`);
    say(`Ended the session of ${plain(row.clientId, 60)}.`);
  }
  return sure;
}

/** A small button of a row, which says to whoever only hears it what row that is. */
export const rowButton = (label, of, action, kind = "") =>
  button(label, action, { kind: `small ${kind}`, name: `${label} ${plain(of, 60)}` });
