// Who has subscribed to what.

import { el, field, form, input, submit } from "../dom.js";
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
  const pages = paged(page, list, (after) => get("subscriptions", { after, limit: PAGE, filter: wanted }, page.signal));
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
    pages,
  );
}
