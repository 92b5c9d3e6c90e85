// The frame of the dashboard: who has logged in, which page is open, light or dark.

import { button, calm, el, fail, fill } from "./dom.js";
import { get, onLoggedOut, post } from "./api.js";
import { Page } from "./page.js";
import { logIn } from "./views/login.js";
import { disconnectTestClient } from "./testclient.js";
import { overview } from "./views/overview.js";
import { clients } from "./views/clients.js";
import { client } from "./views/client.js";
import { sessions } from "./views/sessions.js";
import { subscriptions } from "./views/subscriptions.js";
import { topics } from "./views/topics.js";
import { testClient } from "./views/test.js";
import { explain } from "./views/explain.js";
import { forgetTrace, trace } from "./views/trace.js";
import { drops } from "./views/drops.js";
import { groups } from "./views/groups.js";
import { users } from "./views/users.js";
import { forgetDraft, rights } from "./views/rights.js";
import { bans } from "./views/bans.js";
import { backups } from "./views/backups.js";
import { configuration } from "./views/configuration.js";
import { logs } from "./views/logs.js";
import { tokens } from "./views/tokens.js";

/** Name in the address, label, what shows it; those without a label are not in the menu. */
const PAGES = [
  ["", "Overview", overview],
  ["clients", "Clients", clients],
  ["client", null, client],
  ["sessions", "Sessions", sessions],
  ["subscriptions", "Subscriptions", subscriptions],
  ["groups", "Shared groups", groups],
  ["topics", "Topics", topics],
  ["test", "Test client", testClient],
  ["trace", "Trace", trace],
  ["explain", "Explain", explain],
  ["drops", "Drops and refusals", drops],
  ["users", "Users", users],
  ["rights", "Rights", rights],
  ["bans", "Bans", bans],
  ["configuration", "Configuration", configuration],
  ["backups", "Backups", backups],
  ["logs", "Log", logs],
  ["tokens", "Tokens", tokens],
];

/** What the browser keeps, if it keeps anything. */
const remembered = {
  get(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return "";
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(name, value);
    } catch {
      // it holds for this visit
    }
  },
};

const app = document.getElementById("app");
let who = null;
let page = null;

/** "#/client/a%2Fb?x=1" → name, subject, search */
function address() {
  const [way, search = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = way.split("/");
  let subject = rest.join("/");
  try {
    subject = decodeURIComponent(subject);
  } catch {
    // typed by hand; shown as it is
  }
  return { name, subject, search: new URLSearchParams(search) };
}

function open() {
  page?.leave();
  if (!who) return;
  const { name, ...parameters } = address();
  const [, , view] = PAGES.find(([known]) => known === name) ?? PAGES[0];
  const content = document.getElementById("main");
  fill(document.getElementById("failed"));
  fill(content);
  page = new Page(content, parameters, who);
  view(page);
  for (const link of document.querySelectorAll("nav a")) {
    const here = link.getAttribute("href") === `#/${name === "client" ? "clients" : name}`;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

const closeDialogs = () => document.querySelectorAll("dialog").forEach((dialog) => dialog.close());

function goTo() {
  closeMenu();
  closeDialogs(); // what they ask about is on the page that is left
  open();
  document.querySelector("h1")?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

const menuButton = el(
  "button",
  {
    type: "button",
    class: "menu",
    "aria-expanded": "false",
    "aria-controls": "menu",
    onclick: () =>
      menuButton.setAttribute("aria-expanded", String(menuButton.getAttribute("aria-expanded") !== "true")),
  },
  "Menu",
);
const closeMenu = () => menuButton.setAttribute("aria-expanded", "false");
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && menuButton.getAttribute("aria-expanded") === "true") {
    closeMenu();
    menuButton.focus();
  }
});

/** Whether dark is what is seen now. */
const isDark = () =>
  (document.documentElement.dataset.theme ??
    (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

function themeSwitch() {
  const label = () => (isDark() ? "Light" : "Dark");
  const made = button(label(), () => {
    const chosen = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = chosen;
    remembered.set("theme", chosen);
    fill(made, label());
    dispatchEvent(new Event("themechange"));
  });
  made.title = "Switch between light and dark";
  return made;
}

function frame() {
  fill(
    app,
    el(
      "header",
      {},
      menuButton,
      el("a", { class: "brand", href: "#/" }, el("img", { src: "icon.svg", alt: "", width: 26, height: 26 }), "Dunlin"),
      el("span", { class: "who" }, who.name, who.scope === "write" ? "" : " (looks only)"),
      themeSwitch(),
      button("Log out", logOut),
    ),
    el(
      "nav",
      { id: "menu", "aria-label": "Pages" },
      el(
        "ul",
        {},
        PAGES.filter(([, label]) => label).map(([name, label]) => el("li", {}, el("a", { href: `#/${name}` }, label))),
      ),
    ),
    el("main", { id: "main", tabindex: -1 }),
  );
  open();
}

async function logOut() {
  await post("logout");
  remembered.set("login", "");
  forgetTrace();
  forgetDraft();
  ended("");
}

/** Nobody is logged in: asks who it is. */
function ended(why) {
  if (!who && app.childElementCount > 0) return;
  who = null;
  page?.leave();
  closeDialogs();
  calm();
  disconnectTestClient();
  logIn(app, why, (principal) => {
    who = principal;
    remembered.set("login", "yes");
    frame();
    document.querySelector("h1")?.focus();
  });
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main")?.focus();
});
addEventListener("hashchange", goTo);
onLoggedOut(() => who && ended("The login has ended. Log in again."));

try {
  // Only who has logged in here before has a cookie to be asked about.
  who = remembered.get("login") ? await get("login") : null;
  if (who) frame();
  else ended("");
} catch (error) {
  if (error.status !== 401) fail(error);
  ended("");
}
