// What people do in the dashboard.
// Arguments: port of MQTT, address of the dashboard, token, name of the test, folder for pictures if they are wanted.
import {
  EVIL,
  MARK,
  NARROW,
  PAGES,
  WIDE,
  api,
  at,
  confirm,
  connect,
  enter,
  expect,
  go,
  logIn,
  once,
  row,
  run,
  violations,
  visit,
} from "./browser.mjs";
import * as inquiries from "./inquiries.mjs";
import * as mishaps from "./mishaps.mjs";
import { crowd, follow, take } from "./pictures.mjs";

const [name, pictures] = process.argv.slice(5);

/** Pages of something. */
const FILLED = ["client/pump-07", "explain?topic=plant/pump/7/set", "trace?topic=plant/%23"];

const tests = {
  ...inquiries,
  ...mishaps,

  async logIn() {
    const page = await visit({ expected: [401] });
    await page.getByRole("textbox", { name: "Token" }).fill("dunlin_wrong");
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByText("are not known here").waitFor();
    await logIn(page);
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("textbox", { name: "Token" }).waitFor();
    await page.reload();
    expect("logged out", await page.getByRole("textbox", { name: "Token" }).isVisible());

    await page.getByText("By user and password").click();
    await page.getByRole("textbox", { name: "User" }).fill("olga");
    await page.getByRole("textbox", { name: "Password" }).fill("operator");
    await page.getByRole("button", { name: "Log in by name" }).click();
    await page.getByText("user olga").waitFor();

    await page.evaluate(() => fetch("/api/v1/logout", { method: "POST" }));
    await page.getByText("The login has ended").waitFor();
    expect("asked again", await page.getByRole("textbox", { name: "Token" }).isVisible());
  },

  async clients() {
    const page = await at("clients", { expected: [404] });
    const visitor = await connect("visitor");
    await row(page, "visitor").waitFor();
    await page.getByRole("button", { name: "Disconnect visitor" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    expect("not asked twice, not done", visitor.connected);

    const sentAway = once(visitor, "disconnect");
    await page.getByRole("button", { name: "Disconnect visitor" }).click();
    await confirm(page, "Disconnect");
    const [packet] = await sentAway;
    expect("sent away by an operator", packet.reasonCode === 0x98);
    await row(page, "visitor").waitFor({ state: "detached" });

    await go(page, "client/visitor");
    await page.getByText("There is no session of that client now").waitFor();
    await row(page, "disconnected").first().waitFor();

    const crowd = await Promise.all(
      Array.from({ length: 60 }, (_, i) => connect(`crowd-${String(i).padStart(2, "0")}`)),
    );
    await go(page, "clients");
    await page.getByLabel("Client identifier has").fill("CROWD-");
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByText("Page 1").waitFor();
    await row(page, "crowd-00").waitFor();
    expect("a page has an end", (await page.getByRole("row").count()) === 51);
    await page.getByRole("button", { name: "Next" }).click();
    await row(page, "crowd-59").waitFor();
    await page.getByRole("button", { name: "Previous" }).click();
    await row(page, "crowd-00").waitFor();
    expect("there and back", (await row(page, "crowd-59").count()) === 0);
    await Promise.all(crowd.map((each) => each.endAsync()));
  },

  async sessions() {
    const publisher = await connect("sessions-publisher");
    for (const id of ["old-1", "old-2", "kept"]) {
      const client = await connect(id, { clean: false, properties: { sessionExpiryInterval: 3600 } });
      await client.subscribeAsync(`for/${id}`, { qos: 1 });
      await client.endAsync();
    }
    await publisher.publishAsync("for/kept", "waits", { qos: 1 });
    const page = await at("sessions");
    await page.getByLabel("Sorted by").selectOption("queue");
    await row(page, "kept").getByText("1 (").waitFor();

    const ending = page.getByRole("region", { name: "End sessions by selection" });
    await ending.getByLabel("Client identifier has").fill("old-");
    await ending.getByRole("button", { name: "Show which" }).click();
    await ending.getByText("2 sessions fit.").waitFor();
    expect("looking ends nothing", (await api("GET", "sessions?search=old-")).items.length === 2);
    await ending.getByRole("button", { name: "End 2 sessions" }).click();
    await confirm(page, "End them");
    await ending.getByText("Ended 2 sessions.").waitFor();
    expect("those ended", (await api("GET", "sessions?search=old-")).items.length === 0);
    await page.getByRole("button", { name: "End kept" }).click();
    await confirm(page, "End the session");
    await row(page, "kept").waitFor({ state: "detached" });
    await go(page, "drops");
    await row(page, "session-ended").first().waitFor();
    console.log("its message is told as lost");
    await publisher.endAsync();
  },

  async topics() {
    const client = await connect("topics-publisher");
    await client.publishAsync("hall/1/temperature", '{"value":21.5}', { qos: 1, retain: true });
    await client.publishAsync("hall/1/door", "open", { qos: 1, retain: true });
    await client.publishAsync("/bare", "slash first", { qos: 1, retain: true });
    const page = await at("topics", { expected: [404] });
    const asked = [];
    page.on(
      "request",
      (request) => request.url().includes("/topics?") && asked.push(decodeURIComponent(request.url().split("?")[1])),
    );
    await page.getByRole("button", { name: "hall", exact: true }).click();
    await page.getByRole("button", { name: "1", exact: true }).click();
    await page.getByText('{"value":21.5}').waitFor();
    expect("only what is opened is asked for", asked.length === 2 && asked[1].includes("parent=hall/1"));
    await page.getByRole("button", { name: "Show hall/1/temperature" }).click();
    await page.getByText('"value": 21.5').waitFor();
    await page.getByText("topics-publisher").waitFor();

    await page.getByLabel("Live values").check();
    await page.getByText("Connected; waiting for messages.").waitFor();
    await client.publishAsync("hall/1/door", "shut", { qos: 1, retain: true });
    await client.publishAsync("hall/1/new", "just now", { qos: 1 });
    await page.getByText("shut").waitFor();
    await page.getByText("just now").waitFor();
    console.log("live values");

    await page.getByRole("button", { name: "Show hall/1/door" }).click();
    await page.getByText("Live, QoS").waitFor();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await confirm(page, "Delete");
    await page.getByText("Nothing is retained at this topic").waitFor();
    expect("deleted", (await api("GET", "retained?filter=hall/%23")).items.length === 1);

    await page.getByRole("button", { name: "(empty)" }).click();
    await page.getByText("slash first").waitFor();
    await page.getByRole("region", { name: "Delete by filter" }).getByLabel("Topic filter").fill("hall/#");
    await page.getByRole("button", { name: "Show which" }).click();
    await page.getByText("1 message fits.").waitFor();
    await page.getByRole("button", { name: "Delete 1 message" }).click();
    await confirm(page, "Delete them");
    await page.getByText("Deleted 1 message.").first().waitFor();
    expect("all deleted", (await api("GET", "retained?filter=hall/%23")).items.length === 0);
    await client.endAsync();
  },

  async testClient() {
    const other = await connect("the-other");
    await other.subscribeAsync("to/other", { qos: 2 });
    const page = await at("test");
    await page.getByRole("button", { name: "Connect", exact: true }).click();
    await page.getByText("connected", { exact: true }).waitFor();
    const subscribing = page.getByRole("form", { name: "Subscribe" });
    await subscribing.getByLabel("Topic filter").fill("to/#");
    await subscribing.getByLabel("QoS").selectOption("2");
    await subscribing.getByRole("button", { name: "Subscribe" }).click();
    await row(page, "to/#").waitFor();

    const arrived = once(other, "message");
    const publishing = page.getByRole("form", { name: "Publish" });
    await publishing.getByLabel("Topic").first().fill("to/other");
    await publishing.getByLabel("Payload").fill("hello from the browser");
    await publishing.getByLabel("QoS").selectOption("2");
    await publishing.getByRole("button", { name: "Publish" }).click();
    await page.getByText("Published and acknowledged.").waitFor();
    const [topic, payload, packet] = await arrived;
    expect("published", topic === "to/other" && payload.toString() === "hello from the browser" && packet.qos === 2);
    await row(page, "hello from the browser").waitFor();
    await other.publishAsync("to/browser", Buffer.from([0, 255, 16]), { qos: 1 });
    await row(page, "to/browser").getByRole("button", { name: /Show/ }).click();
    await page.getByText("00 ff 10").waitFor();
    console.log("received");
    await page.getByRole("button", { name: "Unsubscribe" }).click();
    await page.getByText("Nothing yet.").waitFor();
    await page.getByRole("button", { name: "Disconnect" }).click();
    await page.getByText("not connected").waitFor();
    await other.endAsync();
  },

  async rights() {
    const page = await at("users", { expected: [400] });
    await page.getByLabel("User name").fill("anna");
    await page.getByRole("region", { name: "Add a user" }).getByLabel("Password").fill("first");
    await page.getByRole("button", { name: "Add" }).click();
    await row(page, "anna").waitFor();
    const anna = await connect("anna-1", { username: "anna", password: "first" });
    const refused = await anna.publishAsync("secret/plan", "x", { qos: 1 }).catch((error) => error);
    expect("denied", refused.code === 135);

    await go(page, "rights");
    const editor = page.getByRole("form", { name: "The ACL file" }).getByRole("textbox");
    const text = await editor.inputValue();
    await editor.fill(`${text}\nuser anna\nno such word\n`);
    await page.getByRole("button", { name: "Put in force" }).click();
    await confirm(page, "Put in force");
    await page.getByRole("form", { name: "The ACL file" }).getByRole("alert").getByText("is no word for").waitFor();
    console.log("a fault is told");
    await go(page, "users");
    await go(page, "rights");
    await page.getByText("You had begun to change this").waitFor();
    expect("what is written is kept", (await editor.inputValue()).includes("no such word"));
    await editor.fill(`${text}\nuser anna\ntopic write secret/#\n`);
    await page.getByRole("button", { name: "Put in force" }).click();
    await confirm(page, "Put in force");
    await page.getByText("The rights are in force.").waitFor();
    await anna.publishAsync("secret/plan", "x", { qos: 1 });
    console.log("allowed now");

    const explaining = page.getByRole("form", { name: "Explain a right" });
    await explaining.getByLabel("User").fill("anna");
    await explaining.getByLabel("Topic or filter").fill("secret/plan");
    await explaining.getByRole("button", { name: "Explain" }).click();
    await explaining.getByText("allowed", { exact: true }).waitFor();

    await go(page, "users");
    await page.getByRole("button", { name: "Change password anna" }).click();
    await page.getByLabel("New password").fill("second");
    await page.getByRole("button", { name: "Change password", exact: true }).click();
    await page.getByText("Changed the password of anna.").waitFor();
    await (await connect("anna-2", { username: "anna", password: "second" })).endAsync();
    console.log("another password");

    const sentAway = once(anna, "close");
    await page.getByRole("button", { name: "Remove anna" }).click();
    await confirm(page, "Remove");
    await sentAway;
    await row(page, "anna").waitFor({ state: "detached" });
    console.log("removed and sent away");
  },

  async bans() {
    const client = await connect("nuisance");
    const page = await at("client/nuisance");
    await page.getByRole("link", { name: "Ban …" }).click();
    expect("named", (await page.getByLabel("Who").inputValue()) === "nuisance");
    const sentAway = once(client, "close");
    await page.getByRole("button", { name: "Ban …" }).click();
    await confirm(page, "Ban");
    await sentAway;
    await row(page, "nuisance").waitFor();
    const refused = await connect("nuisance").catch((error) => error);
    expect("kept out", refused.code === 138);
    await page.getByRole("button", { name: "End ban nuisance" }).click();
    await confirm(page, "End the ban");
    await row(page, "nuisance").waitFor({ state: "detached" });
    await (await connect("nuisance")).endAsync();
    await go(page, "drops");
    await row(page, "nuisance").first().waitFor();
    console.log("told");
  },

  async groups() {
    const members = [await connect("member-1"), await connect("member-2", { properties: { receiveMaximum: 1 } })];
    for (const member of members) await member.subscribeAsync("$share/team/work/#", { qos: 1 });
    const page = await at("groups");
    await page.getByRole("heading", { name: "$share/team/work/#" }).waitFor();
    await row(page, "member-1").waitFor();
    await members[0].endAsync();
    await row(page, "member-1").waitFor({ state: "detached" });
    console.log("members come and go");
    await members[1].endAsync();
  },

  async configuration() {
    const page = await at("configuration");
    await page.getByLabel("Key has").fill("max-packet-size");
    await row(page, "limits.max-packet-size").waitFor();
    await page.getByRole("button", { name: "Check what a reload would change" }).click();
    await page.getByText("Nothing differs from what is in force.").waitFor();
    console.log("checked");
    await go(page, "logs");
    await row(page, "Logged in").first().waitFor();
    await page.getByLabel("The broker writes from level").selectOption("warn");
    await page.getByText("The broker logs from level warn.").waitFor();
    expect("level set", (await api("GET", "log/level")).level === "warn");
    await api("PUT", "log/level", { level: "info" });
  },

  async backups() {
    const page = await at("backups", { expected: [400] });
    await page.getByText("There is none yet.").waitFor();
    const name = page.getByRole("textbox", { name: "Name" });
    const make = page.getByRole("button", { name: "Back up now" });
    await name.fill("../elsewhere");
    await make.click();
    await page.getByRole("form", { name: "Make a backup" }).getByRole("alert").getByText("name").waitFor();
    console.log("a fault is told");
    await name.fill("before-the-change");
    await make.click();
    await row(page, "before-the-change").waitFor();
    expect("made", (await api("GET", "backups")).items[0].name === "before-the-change");
    await page.getByRole("button", { name: "Remove before-the-change" }).click();
    await confirm(page, "Remove");
    await row(page, "before-the-change").waitFor({ state: "detached" });
    expect("removed", (await api("GET", "backups")).items.length === 0);
  },

  async tokens() {
    const page = await at("tokens");
    await page.getByLabel("Name").fill("monitor");
    await page.getByRole("button", { name: "Make" }).click();
    const token = await page.locator("code.token").textContent();
    const looker = await at("clients", { token });
    const witness = await connect("witness");
    await row(looker, "witness").waitFor();
    const deeds = /disconnect|^end|remove|add|^ban|delete|publish|force|make|reload|change password|connect|live|back up/i;
    const offered = [];
    for (const [name] of PAGES) {
      await go(looker, name);
      await looker.waitForLoadState("networkidle").catch(() => {});
      for (const label of await looker.locator("main button, main [type=checkbox]").allInnerTexts()) {
        if (deeds.test(label)) offered.push(`${name}: ${label}`);
      }
    }
    await go(looker, "client/witness");
    await looker.getByText("connected", { exact: true }).first().waitFor();
    expect(
      `no deeds for who only looks ${offered}`,
      offered.length === 0 && (await looker.getByRole("button", { name: "Disconnect" }).count()) === 0,
    );
    await page.getByRole("button", { name: "Remove monitor" }).click();
    await confirm(page, "Remove");
    console.log("removed");
    await witness.endAsync();
  },

  async hostileNames() {
    const evil = await connect(EVIL);
    await evil.subscribeAsync(`evil/${EVIL}`, { qos: 0 });
    await evil.publishAsync(`evil/${EVIL.replace("\u0007", "")}`, EVIL, { qos: 1, retain: true });
    const page = await at("clients");
    await row(page, "onerror").waitFor();
    expect("shown as it is", (await row(page, "onerror").textContent()).includes(MARK));
    await page.getByRole("link", { name: /onerror/ }).click();
    await page.getByRole("heading", { level: 1, name: /Client/ }).waitFor();
    await page.getByText("connected", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Disconnect" }).click();
    expect(
      "asked about as it is",
      (await page.getByRole("dialog").getByRole("heading").textContent()).includes(`<${MARK}>`),
    );
    await page.keyboard.press("Escape");
    for (const name of ["sessions", "subscriptions", "logs"]) {
      await go(page, name);
      await row(page, "onerror").first().waitFor();
    }
    await go(page, "topics");
    await page.getByRole("button", { name: "evil", exact: true }).click();
    await page.getByRole("button", { name: /^<img/ }).click();
    await page.getByRole("button", { name: /Show evil/ }).click();
    await page.getByText("Published by").first().waitFor();
    expect("nothing of it came to life", (await page.locator("main img").count()) === 0);
    await evil.endAsync();
  },

  async keyboard() {
    const visitor = await connect("keyboard-visitor");
    const neighbour = await connect("a-neighbour");
    const page = await visit();
    await page.getByRole("textbox", { name: "Token" }).waitFor();
    await page.keyboard.type(process.argv[4]);
    await enter(page, () => page.keyboard.press("Enter"));
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    const stops = [];
    for (let i = 0; i < 6; i++) {
      await page.keyboard.press("Tab");
      stops.push(
        await page.evaluate(() => {
          const style = getComputedStyle(document.activeElement);
          return [
            document.activeElement.textContent,
            style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
          ];
        }),
      );
    }
    expect(`begins at the link that skips: ${stops.map(([label]) => label)}`, stops[0][0].startsWith("Skip"));
    expect(
      "focus is seen",
      stops.every(([, seen]) => seen),
    );
    await page.getByRole("link", { name: "Clients", exact: true }).focus();
    await page.keyboard.press("Enter");
    await row(page, "keyboard-visitor").waitFor();
    expect("the new page is read from its heading", await page.evaluate(() => document.activeElement.tagName === "H1"));
    await page.getByRole("button", { name: "Disconnect keyboard-visitor" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    expect(
      "the harmless answer comes first",
      await page.evaluate(() => document.activeElement.textContent === "Cancel"),
    );
    await visitor.subscribeAsync("drawn/anew/meanwhile");
    const subscriptions = page.locator("tr", { hasText: "keyboard-visitor" }).locator("td").nth(6);
    await subscriptions.getByText("1", { exact: true }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    const back = () => page.evaluate(() => document.activeElement.ariaLabel === "Disconnect keyboard-visitor");
    expect("back where it was", await back());
    await neighbour.endAsync(true);
    await row(page, "a-neighbour").waitFor({ state: "detached" });
    expect("also if a row above it is gone", await back());
    const gone = once(visitor, "close");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await gone;
    console.log("done without a mouse");
  },

  async hiddenPage() {
    const page = await at("");
    let asked = 0;
    page.on("request", () => asked++);
    const hide = (hidden) =>
      page.evaluate((now) => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => now });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    await hide(true);
    await page.waitForTimeout(3000); // what was under way may end
    asked = 0;
    await page.waitForTimeout(6000);
    expect("nobody asks while nobody looks", asked === 0);
    const again = page.waitForRequest(/status/);
    await hide(false);
    await again;
    console.log("asks again at once");
  },

  async darkAndLight() {
    const page = await at("", { scheme: "dark" });
    const background = () =>
      page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number)[0]);
    expect("dark as the system is", (await background()) < 60);
    await page.getByRole("button", { name: "Light" }).click();
    expect("light by choice", (await background()) > 200);
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    expect("and it stays", (await background()) > 200);
  },

  wide: () => looks(WIDE),
  narrow: () => looks(NARROW),
};

/** Every page in light and dark: nothing sticks out at the side, and axe finds nothing. */
async function looks(size) {
  const clients = await crowd();
  for (const scheme of ["light", "dark"]) {
    const login = await visit({ size, scheme });
    await login.getByRole("textbox", { name: "Token" }).waitFor();
    const faults = (await violations(login)).map((fault) => `login ${scheme}: ${fault}`);
    await login.context().close();
    const page = await at("", { size, scheme });
    for (const name of [...PAGES.map(([known]) => known), ...FILLED]) {
      await go(page, name);
      if (name.startsWith("trace?")) await follow(page, clients[0]);
      await page.waitForTimeout(700); // for what it shows; nothing depends on how much that is
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wider > 0) faults.push(`${name} ${scheme}: wider than the window by ${wider}`);
      faults.push(...(await violations(page)).map((fault) => `${name} ${scheme}: ${fault}`));
    }
    if (size === NARROW) {
      await page.getByRole("button", { name: "Menu" }).click();
      await page.getByRole("link", { name: "Sessions", exact: true }).click();
      await page.getByRole("heading", { level: 1, name: "Sessions" }).waitFor();
      expect("the menu closes behind", !(await page.getByRole("link", { name: "Sessions", exact: true }).isVisible()));
    }
    expect(`fit to be seen and heard in ${scheme}: ${faults.join("; ")}`, faults.length === 0);
    if (pictures) await take(page, pictures, size, scheme);
    await page.context().close();
  }
  await Promise.all(clients.map((client) => client.endAsync(true)));
}

await run(tests, name);
