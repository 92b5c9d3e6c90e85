// What comes in between: late answers, a broker that is away, a login that ends, names beyond measure, pages drawn anew.
import { NARROW, api, at, confirm, connect, expect, go, row } from "./browser.mjs";

/** The focus is never lost to a page that is drawn anew. */
export async function focus() {
  const page = await at("bans");
  const holder = () => page.evaluate(() => document.activeElement.textContent || document.activeElement.localName);
  await api("POST", "bans", { kind: "client-id", subject: "focus-banned", expiresInSeconds: 600 });
  await row(page, "focus-banned").getByRole("button").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await row(page, "focus-banned").waitFor({ state: "detached" });
  expect(`after the last row has gone: ${await holder()}`, (await holder()) === "Nobody is banned.");

  const client = await connect("focus");
  for (let i = 0; i < 120; i++) await client.publishAsync(`focus/${1000 + i}`, "x", { retain: true, qos: 1 });
  await go(page, "topics");
  await page.getByRole("button", { name: "focus", exact: true }).click();
  await page.getByRole("button", { name: "Show more" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Show focus/1119" }).waitFor();
  expect(
    "at the first of what was shown more",
    await page.evaluate(() => document.activeElement.ariaLabel === "Show focus/1100"),
  );
  await page.getByLabel("Live values").check();
  await page.getByText("Connected; waiting for messages.").waitFor();
  await page.getByRole("button", { name: "focus", exact: true }).focus();
  await client.publishAsync("focus", "to the level itself", { qos: 1 });
  await page.getByText("to the level itself").waitFor();
  expect("where it was while values come", (await holder()) === "focus");
  await api("POST", "retained/delete", { filter: "focus/#" });

  await go(page, "test");
  await page.getByRole("button", { name: "Connect", exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("form", { name: "Publish" }).waitFor();
  expect("at what can be done next", (await holder()) === "input");
  await page.getByRole("button", { name: "Disconnect" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("form", { name: "Connect" }).waitFor();
  expect("and back", (await holder()) === "input");
  await client.endAsync();
}

/** Answers and people do not wait for each other. */
export async function meanwhile() {
  const page = await at("subscriptions", { expected: [401, 502] });
  const crowd = await Promise.all(
    Array.from({ length: 101 }, (_, i) => connect(`while-${String(i).padStart(3, "0")}`)),
  );
  await go(page, "clients");
  const search = page.getByRole("form", { name: "Search clients" });
  const find = async (text) => {
    await search.getByLabel("Client identifier has").fill(text);
    await search.getByRole("button", { name: "Search" }).click();
  };
  let release;
  const late = new Promise((resolve) => (release = resolve));
  await page.route(/search=while-00&/, async (route) => {
    await late;
    await route.continue();
  });
  await find("while-00");
  await search.getByLabel("Client identifier has").fill("while-01");
  await search.evaluate((form) => ((form.ariaBusy = "false"), form.requestSubmit()));
  await row(page, "while-010").waitFor();
  const answered = page.waitForResponse(/search=while-00&/);
  release();
  await (await answered).finished();
  await page.waitForTimeout(200); // it would be drawn by now
  expect("what was asked last is shown", (await row(page, "while-001").count()) === 0);
  await page.unroute(/search=while-00&/);

  await find("while-");
  await row(page, "while-049").waitFor();
  await search.getByLabel("Client identifier has").fill("nobody has searched for this yet");
  const next = page.getByRole("button", { name: "Next" });
  await next.dblclick();
  await row(page, "while-050").waitFor();
  await page.getByText("Page 2").waitFor();
  expect("two clicks are one page", (await row(page, "while-099").count()) === 1);
  await next.focus();
  await page.keyboard.press("Enter");
  await page.getByText("Page 3").waitFor();
  expect("the end keeps the focus", await page.evaluate(() => document.activeElement.textContent === "Next"));

  await page.getByRole("button", { name: "Disconnect while-100" }).click();
  await page.getByRole("dialog").waitFor();
  await page.evaluate(() => (location.hash = "#/sessions"));
  await page.getByRole("heading", { level: 1, name: "Sessions" }).waitFor();
  const ending = page.getByRole("region", { name: "End sessions by selection" });
  let show;
  const slow = new Promise((resolve) => (show = resolve));
  await page.route(/sessions\/end/, async (route) => {
    await slow;
    await route.continue();
  });
  await ending.getByLabel("Client identifier has").fill("while-");
  await ending.getByRole("button", { name: "Show which" }).click();
  await ending.getByLabel("Client identifier has").fill("other");
  const told = page.waitForResponse(/sessions\/end/);
  show();
  await (await told).finished();
  await page.waitForTimeout(200); // it would be offered by now
  expect("no deed on what is not meant any more", (await ending.getByText("fit").count()) === 0);
  await page.unroute(/sessions\/end/);
  expect("a question goes with its page", (await page.getByRole("dialog").count()) === 0 && crowd[100].connected);

  const hold = (route) => route.abort();
  await go(page, "");
  await page.getByText("serving").waitFor();
  await page.route(/\/api\//, hold);
  await page.getByRole("alert").getByText("The broker does not answer.").waitFor();
  console.log("told that nobody answers");
  await page.evaluate(() => (location.hash = "#/subscriptions"));
  await page.getByRole("heading", { level: 1, name: "Subscriptions" }).waitFor();
  await page.getByText("The broker does not answer.").first().waitFor();
  await page.unroute(/\/api\//, hold);
  await crowd[0].subscribeAsync("while/away", { qos: 1 });
  await page.getByRole("button", { name: "Try again" }).click();
  await row(page, "while/away").waitFor();
  expect("all is well again", (await page.getByText("The broker does not answer.").count()) === 0);

  await page.evaluate(() => fetch("/api/v1/logout", { method: "POST" }));
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByText("The login has ended").waitFor();
  await page.getByRole("textbox", { name: "Token" }).fill(process.argv[4]);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Subscriptions" }).waitFor();
  console.log("back where it was");
  await Promise.all(crowd.map((each) => each.endAsync()));
}

/** The broker is killed and comes back; the test does that when it is told to. */
export async function restart() {
  const page = await at("trace?client=survivor", { expected: [401, 503] });
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByText("Following survivor.").waitFor();
  const client = await connect("survivor");
  client.on("error", () => {});
  await client.publishAsync("a", "before", { qos: 1 });
  await row(page, "before").waitFor();
  const other = await page.context().newPage();
  await other.goto(page.url().replace(/#.*/, "#/clients"));
  await row(other, "survivor").waitFor();
  console.log("kill it");
  await page.getByText("broke it off").waitFor();
  await other.getByRole("alert").getByText("The broker does not answer.").waitFor();
  console.log("start it");
  await other.getByText("The login has ended").waitFor({ timeout: 60_000 });
  expect("what was traced stays", await row(page, "before").isVisible());
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByRole("textbox", { name: "Token" }).fill(process.argv[4]);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Trace" }).waitFor();
  await row(page, "before").waitFor();
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByText("Following survivor.").waitFor();
  const again = await connect("survivor");
  await again.publishAsync("a", "after", { qos: 1 });
  await row(page, "after").waitFor();
  console.log("and goes on");
  await again.endAsync();
}

/** A client may have subscribed to more than a page can show. */
export async function many() {
  const collector = await connect("collector");
  const filters = Array.from({ length: 700 }, (_, i) => `many/${String(i).padStart(3, "0")}`);
  for (let i = 0; i < filters.length; i += 100) await collector.subscribeAsync(filters.slice(i, i + 100), { qos: 1 });
  const page = await at("", { expected: [404] });
  let asked = 0;
  page.on("request", (request) => (asked += request.url().endsWith("/subscriptions") ? 1 : 0));
  await go(page, "client/collector");
  await page.getByText("200 more are not shown; search for them.").waitFor();
  const shown = page.getByRole("table", { name: "Subscriptions" }).locator("tbody tr");
  expect("the first are shown", (await shown.count()) === 500);
  for (const filter of ["many/000", "many/699"]) {
    await page.getByLabel("Topic filter has").fill(filter);
    await row(page, filter).waitFor();
    expect("the others are found", (await shown.count()) === 1);
  }
  for (let i = 0; i < 2; i++) await page.waitForResponse(/sessions\/collector$/);
  expect("asked for once", asked === 1);
  await collector.subscribeAsync("many/699/more", { qos: 1 });
  await row(page, "many/699/more").waitFor();
  expect("and again when there are others", asked === 2);
  await collector.endAsync();

  let told = 0;
  const loss = (number) => ({
    number,
    at: new Date().toISOString(),
    client: `loser-${number}`,
    topic: "many/lost",
    reason: "expired",
    messages: 1,
  });
  await page.route(/\/drops\/last/, (route) => {
    const items = Array.from({ length: 1000 }, () => loss(++told));
    return route.fulfill({ json: { items, next: told } });
  });
  await go(page, "drops");
  await row(page, "many/lost").first().waitFor();
  expect("more is lost than anybody can follow", told >= 1000);
}

/** Topics may have 65,535 bytes. */
export async function longNames() {
  const name = "x".repeat(12_000);
  const long = await connect("y".repeat(900));
  await long.publishAsync(`long/${name}`, "far", { qos: 1, retain: true });
  const page = await at("clients", { size: NARROW });
  const fits = async () => !(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth));
  await page.getByText("(900 characters)").waitFor();
  expect("a long name is cut", (await row(page, "900 characters").textContent()).length < 500 && (await fits()));
  await page.getByRole("link", { name: /^yyy/ }).click();
  await page.getByText("connected", { exact: true }).first().waitFor();
  expect("and told in full", await fits());
  await go(page, "topics");
  await page.getByRole("button", { name: "long", exact: true }).click();
  await page.getByRole("button", { name: /Show long/ }).click();
  await page.getByRole("alert").getByText("too long").waitFor();
  console.log("told that it cannot be asked about");
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("region", { name: "Find by filter" }).getByLabel("Topic filter").fill("long/#");
  await page.getByRole("button", { name: "Find" }).click();
  await row(page, "far").waitFor();
  expect("it is found, and fits", await fits());
  const deleting = page.getByRole("region", { name: "Delete by filter" });
  await deleting.getByLabel("Topic filter").fill(`long/${name}`);
  await deleting.getByRole("button", { name: "Show which" }).click();
  await deleting.getByRole("button", { name: "Delete 1 message" }).click();
  await confirm(page, "Delete them");
  await deleting.getByText("Deleted 1 message.").waitFor();
  console.log("and deleted");
  await long.endAsync();
}
