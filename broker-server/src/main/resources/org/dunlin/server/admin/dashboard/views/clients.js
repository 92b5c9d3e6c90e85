// Clients that are connected.

import { el, field, form, hostile, input, submit } from "../dom.js";
import { get } from "../api.js";
import { paged, table } from "../page.js";
import { disconnect, linkToClient, queue, rowButton, sinceWhen } from "./parts.js";

const EVERY = 3000;
const PAGE = 50;

export function clients(page) {
  const search = input({ type: "search", value: page.search.get("search") ?? "" });
  const user = input({ type: "search" });
  const address = input({ type: "search" });
  const list = table(
    "Connected clients",
    [
      { label: "Client", cell: (row) => linkToClient(row.clientId) },
      { label: "User", cell: (row) => (row.user === null ? "–" : hostile(row.user)) },
      { label: "Address", tight: true, cell: (row) => row.address },
      { label: "Listener", cell: (row) => row.listener },
      { label: "Version", tight: true, cell: (row) => row.version },
      { label: "Since", tight: true, moves: true, cell: sinceWhen },
      { label: "Subscriptions", cell: (row) => row.subscriptions, number: true },
      { label: "In flight", cell: (row) => `${row.inflight} of ${row.receiveMaximum}`, number: true },
      { label: "Queue", cell: queue, number: true },
      ...(page.mayChange
        ? [
            {
              label: "Action",
              tight: true,
              cell: (row) =>
                rowButton("Disconnect", row.clientId, async () => (await disconnect(row)) && pages.refresh(), "danger"),
            },
          ]
        : []),
    ],
    (row) => row.clientId,
    "No client that fits is connected.",
  );
  const said = () => ({ search: search.value, user: user.value, address: address.value });
  let wanted = said(); // by "Search", not by what is being typed
  const load = (after) => get("clients", { after, limit: PAGE, ...wanted }, page.signal);
  const pages = paged(page, list, load, { refresh: EVERY });
  page.show(
    "Clients",
    form(
      "Search clients",
      () => ((wanted = said()), pages.restart()),
      el(
        "div",
        { class: "row" },
        field("Client identifier has", search),
        field("User is", user),
        field("Address begins with", address),
        submit("Search"),
      ),
    ),
    pages,
  );
}
