// The dashboard in Chromium, watched: what it asks for, what it complains about.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import mqtt from "mqtt";

const [, , port, url, token] = process.argv;
const axe = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const WAIT = 15_000;

export const WIDE = { width: 1280, height: 800 };
export const NARROW = { width: 360, height: 740 };
export const PAGES = [
  ["", "Overview"],
  ["clients", "Clients"],
  ["sessions", "Sessions"],
  ["subscriptions", "Subscriptions"],
  ["groups", "Shared groups"],
  ["topics", "Topics"],
  ["test", "Test client"],
  ["trace", "Trace"],
  ["explain", "Explain a message"],
  ["drops", "Drops and refusals"],
  ["users", "Users"],
  ["rights", "Rights"],
  ["bans", "Bans"],
  ["configuration", "Configuration"],
  ["backups", "Backups"],
  ["logs", "Log"],
  ["tokens", "Tokens"],
];

/** What a client might call itself to make a fool of who looks: a script, a turn of direction, a bell. */
export const EVIL = '<img src=x onerror="alert(1)">/\u202Egnp.exe\u0007';
export const MARK = "U+202E";

/** The row of a table that has a text. */
export const row = (page, text) => page.getByRole("row").filter({ hasText: text });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-proxy-server",
  ],
});
const complaints = [];

/** Tells the test that something is so, or fails. */
export function expect(what, truth) {
  if (!truth) throw new Error(`not so: ${what}`);
  console.log(what);
}

/** A browser of its own with the dashboard's first page. @param expected status of answers that are part of the test */
export async function visit({ size = WIDE, scheme = "light", expected = [] } = {}) {
  const context = await browser.newContext({ viewport: size, colorScheme: scheme, locale: "en-GB" });
  context.setDefaultTimeout(WAIT);
  const page = await context.newPage();
  page.on("request", (request) => {
    if (!request.url().startsWith(`${url}/`) && !/^data:/.test(request.url()))
      complaints.push(`asks another host: ${request.url()}`);
  });
  page.on("websocket", (socket) => {
    if (socket.url() !== `${url.replace(/^http/, "ws")}/mqtt`) complaints.push(`another WebSocket: ${socket.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() === 429 && response.url().endsWith("/login")) return;
    if (response.status() >= 400 && !expected.includes(response.status()))
      complaints.push(`${response.status()} ${response.url()}`);
  });
  page.on("pageerror", (error) => complaints.push(`error in the page: ${error.stack}`));
  page.on("dialog", (dialog) => complaints.push(`a script of somebody's says: ${dialog.message()}`));
  page.on("console", (message) => {
    const ofAnAnswer = message.text().startsWith("Failed to load resource");
    if (["error", "warning"].includes(message.type()) && !ofAnAnswer) complaints.push(`console: ${message.text()}`);
  });
  await page.goto(`${url}/`);
  return page;
}

export async function logIn(page, by = token) {
  await page.getByRole("textbox", { name: "Token" }).fill(by);
  await enter(page, () => page.getByRole("button", { name: "Log in", exact: true }).click());
}

/** Sends the form, again if it is too soon: all these tests together log in more often than the port lets one address. */
export async function enter(page, send) {
  const overview = page.getByRole("heading", { level: 1, name: "Overview" });
  const busy = page.getByText("Too many tries to log in"); // one more each six seconds
  do {
    if (await busy.isVisible()) await page.waitForTimeout(6000);
    await send();
    await overview.or(busy).first().waitFor();
  } while (await busy.isVisible());
}

/** The dashboard, logged in, at one of its pages. */
export async function at(name, options = {}) {
  const page = await visit(options);
  await logIn(page, options.token);
  await go(page, name);
  return page;
}

export async function go(page, name) {
  const heading = PAGES.find(([known]) => known === name)?.[1];
  await page.goto(`${url}/#/${name}`);
  if (heading) await page.getByRole("heading", { level: 1, name: heading }).waitFor();
}

/** Says yes to what is asked before a deed. */
export async function confirm(page, verb) {
  await page.getByRole("dialog").getByRole("button", { name: verb, exact: true }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
}

/** What axe finds at WCAG's levels A and AA, one line for each rule. */
export async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() =>
    window.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
      resultTypes: ["violations"],
    }),
  );
  return found.violations.map(
    (rule) =>
      `${rule.id}: ${rule.nodes
        .map((node) => node.target.join(" "))
        .slice(0, 5)
        .join(", ")}`,
  );
}

/** A client of MQTT 5 that is not the dashboard. */
export const connect = (clientId, more = {}) =>
  mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { clientId, protocolVersion: 5, reconnectPeriod: 0, ...more });

/** Something that will have happened. */
export const once = (client, event) => new Promise((resolve) => client.once(event, (...what) => resolve(what)));

/** Asks the broker without a browser. */
export async function api(method, path, body) {
  const answer = await fetch(`${url}/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body ? { "content-type": "application/json" } : {}) },
    body: body ? JSON.stringify(body) : undefined,
  });
  if (!answer.ok) throw new Error(`${answer.status} of ${method} ${path}: ${await answer.text()}`);
  return answer.json();
}

/** Runs one of the tests by its name, and ends with what the browser has complained about. */
export async function run(tests, name) {
  let code = 0;
  try {
    await tests[name]();
    if (complaints.length > 0) throw new Error(complaints.join("\n"));
    console.log(`done: ${name}`);
  } catch (error) {
    console.log(error.stack);
    complaints.forEach((complaint) => console.log(complaint));
    code = 1;
  }
  await browser.close();
  process.exit(code);
}
