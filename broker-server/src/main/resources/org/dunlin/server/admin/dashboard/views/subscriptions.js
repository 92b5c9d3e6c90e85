// Who has subscribed to what.

import { el, field, fill, form, input, note, submit } from "../dom.js";
import { get } from "../api.js";
import { paged, table } from "../page.js";
import { linkToClient, linkToTopic } from "./parts.js";

/** Clients of a page. */
const PAGE = 100;

export function subscriptions(page) {
  const filter = input({ type: "search" });
  const list = table(
    "Subscriptions",
    [
      { label: "Topic filter", cell: (row) => linkToTopic(row.filter) },
      { label: "Client", cell: (row) => linkToClient(row.clientId) },
      { label: "QoS", cell: (row) => row.qos, number: true },
      { label: "No local", cell: (row) => (row.noLocal ? "yes" : "no") },
      { label: "Retain as published", cell: (row) => (row.retainAsPublished ? "yes" : "no") },
    ],
    (row) => JSON.stringify([row.clientId, row.filter]),
    "No subscription fits.",
  );
  let wanted = ""; // by "Search", not by what is being typed
  const rest = el("div");
  const pages = paged(page, list, async (after) => {
    const found = await get("subscriptions", { after, limit: PAGE, filter: wanted }, page.signal);
    fill(rest, more(found.cut ?? []));
    return found;
  });
  page.show(
    "Subscriptions",
    form(
      "Search subscriptions",
      () => ((wanted = filter.value), pages.restart()),
      el(
        "div",
        { class: "row" },
        field("Topic filter has", filter, "The very characters, in their case."),
        submit("Search"),
      ),
    ),
    rest,
    pages,
  );
}

/** Who has more than the broker looks at for a list. */
const more = (clients) =>
  clients.length === 0
    ? null
    : note(
        "Not all that these have subscribed to was looked at; their own pages show it: ",
        clients.map((clientId, i) => [i === 0 ? null : ", ", linkToClient(clientId)]),
      );
