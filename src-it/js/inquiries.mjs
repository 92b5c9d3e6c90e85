// What people ask the dashboard when they look for a fault: charts, traces, explanations.
import { readFileSync } from "node:fs";
import { EVIL, MARK, api, at, connect, expect, go, logIn, row } from "./browser.mjs";

/** Until the broker has counted for an interval, and the page has asked for it. */
const RATES = 30_000;

/** What the browser is given to keep by a button. */
async function saved(page, label) {
  const given = page.waitForEvent("download");
  await page.getByRole("button", { name: label }).click();
  return readFileSync(await (await given).path(), "utf8");
}

export async function charts() {
  const reader = await connect("charts-reader", { properties: { maximumPacketSize: 200 } });
  await reader.subscribeAsync("charts/#", { qos: 1 });
  const page = await at("");
  const charts = page.locator(".chart");
  await charts.first().waitFor({ timeout: RATES });
  for (const each of await charts.getByText("As numbers").all()) await each.click();
  for (let i = 0; i < 50; i++) await reader.publishAsync("charts/value", `value ${i}`, { qos: 1 });
  for (let i = 0; i < 5; i++) await reader.publishAsync("charts/large", "x".repeat(500), { qos: 1 });
  /** Waits until a line of the chart's numbers has more than nothing in each column. */
  const filled = async (title) => {
    await page.waitForFunction(
      (wanted) =>
        [...document.querySelectorAll(".chart")]
          .filter((each) => each.querySelector("figcaption").textContent === wanted)
          .flatMap((each) => [...each.querySelectorAll("tbody tr")])
          .some((row) => [...row.children].slice(1).every((cell) => parseFloat(cell.textContent) > 0)),
      title,
      { timeout: RATES },
    );
  };
  for (const title of ["Messages a second", "Bytes a second", "Connected clients", "Messages lost a second"]) {
    await filled(title);
    console.log(`${title}: what was sent`);
  }
  const drawn = await page.evaluate(() =>
    [...document.querySelectorAll(".chart")].filter((each) => {
      const canvas = each.querySelector("canvas");
      const [red, green, blue] = getComputedStyle(each.querySelector(".dot")).color.match(/\d+/g).map(Number);
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let painted = 0;
      for (let i = 0; i < data.length; i += 4) {
        if (data[i] === red && data[i + 1] === green && data[i + 2] === blue && data[i + 3] === 255) painted++;
      }
      return painted > 20;
    }).length,
  );
  expect(`four charts are drawn: ${drawn}`, drawn === 4);
  await reader.endAsync();
}

export async function trace() {
  const traced = await connect("traced");
  const page = await at("client/traced", { expected: [400, 404] });
  await page.getByRole("link", { name: "Trace …" }).click();
  await page.getByRole("heading", { level: 1, name: "Trace" }).waitFor();
  expect("named", (await page.getByLabel("Which").inputValue()) === "traced");
  const start = page.getByRole("button", { name: "Start" });
  await start.click();
  await page.getByText("Following traced.").waitFor();
  await traced.publishAsync("plant/traced", "21.5", { qos: 1 });
  await row(page, "PUBLISH").filter({ hasText: "plant/traced" }).filter({ hasText: "21.5" }).waitFor();
  await row(page, "PUBACK").waitFor();
  console.log("packets come live");

  await page.getByLabel("Hold").check();
  await traced.publishAsync("plant/held", "x", { qos: 1 });
  await page.getByText("Held. 2 packets have come since.").waitFor();
  expect("held", (await row(page, "plant/held").count()) === 0);
  await page.getByLabel("Hold").uncheck();
  await row(page, "plant/held").first().waitFor();

  const evil = EVIL.replace("\u0007", "");
  await traced.publishAsync(`plant/${evil}`, evil, { qos: 0 });
  await row(page, "onerror").first().waitFor();
  expect("shown as it is", (await row(page, "onerror").first().textContent()).includes(MARK));
  expect("nothing of it came to life", (await page.locator("main img").count()) === 0);

  const text = await saved(page, "Save as text");
  expect("saved as text", /in +traced PUBLISH id \d+ qos 1 topic plant\/traced 4 bytes: 21\.5\n/.test(text));
  expect("one packet a line", text.includes("\\u202egnp.exe\n") && !text.includes("\u202e"));
  const lines = (await saved(page, "Save as JSON lines")).trimEnd().split("\n").map(JSON.parse);
  expect("saved as JSON", lines[0].packet === "PUBLISH" && lines.at(-1).payload === evil);

  const stop = page.getByRole("button", { name: "Stop" });
  await stop.click();
  await page.getByText("Stopped.").waitFor();
  await traced.publishAsync("plant/unseen", "x", { qos: 1 });
  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByText("None yet.").waitFor();

  await page.getByLabel("Follow a").selectOption("topic");
  await page.getByLabel("Which").fill("flood/#");
  await page.getByLabel("At most packets").fill("300");
  await start.click();
  await page.getByText("Following flood/#.").waitFor();
  await Promise.all(Array.from({ length: 310 }, (_, i) => traced.publishAsync(`flood/${i}`, "x", { qos: 1 })));
  await page.getByText("It ended: as many packets as asked for. 300 packets sent to this page.").waitFor();
  await page.getByText("300 packets; the last 200 are shown, the last 300 are saved.").waitFor();
  expect("the last ones are shown", (await page.locator("main tbody tr").count()) === 200);
  expect("all can be saved", (await saved(page, "Save as JSON lines")).trimEnd().split("\n").length === 300);

  await page.getByLabel("At most packets").fill("");
  await page.route(/\/trace\?/, (route) =>
    route.continue({ url: route.request().url().replace("seconds=600", "seconds=1") }),
  );
  await start.click();
  await page.getByText("It ended: its time is up. 0 packets sent to this page.").waitFor();
  console.log("the end is told");
  await page.unroute(/\/trace\?/);

  await page.getByLabel("Follow a").selectOption("address");
  await page.getByLabel("Which").fill("nowhere");
  await start.click();
  await page.getByRole("form", { name: "Trace" }).getByText("it has to be an address").waitFor();
  expect("a fault is told", await stop.isHidden());

  await page.getByLabel("Which").fill("127.0.0.1");
  await start.click();
  await page.getByText("Following 127.0.0.1.").waitFor();
  await connect("passer-by", { username: "anybody", password: "not for you" }).catch(() => {});
  await row(page, "User Name: anybody").waitFor();
  expect("no password", !(await page.locator("main").textContent()).includes("not for you"));
  const ended = page.waitForEvent("requestfailed", (request) => request.url().includes("/trace?"));
  await row(page, "CONNACK").getByRole("link", { name: "passer-by" }).click();
  await ended;
  await page.getByRole("heading", { level: 1, name: "Client passer-by" }).waitFor();
  console.log("it ends when the page is left");
  await page.goBack();
  await row(page, "User Name: anybody").waitFor();
  console.log("what was seen is still there");
  await go(page, "");
  await page.getByRole("button", { name: "Log out" }).click();
  await logIn(page);
  await go(page, "trace");
  await page.getByText("None yet.").waitFor();
  console.log("and gone with the log-in");
  await traced.endAsync();
}

export async function explain() {
  const there = await connect("explain-there");
  await there.subscribeAsync("explain/+/value", { qos: 1 });
  const away = { clean: false, properties: { sessionExpiryInterval: 600 } };
  for (const [id, qos] of [
    ["explain-away", 1],
    ["explain-careless", 0],
  ]) {
    const client = await connect(id, away);
    await client.subscribeAsync("explain/#", { qos });
    await client.endAsync();
  }
  const near = await connect("explain-near");
  await near.subscribeAsync("explain/one/Value", { qos: 1 });
  const member = await connect("explain-member");
  await member.subscribeAsync("$share/team/explain/#", { qos: 1 });

  const page = await at("explain?topic=explain/one/value&qos=1", { expected: [404] });
  await page.getByText("3 of 4 receivers that have subscribed to this topic get it.").waitFor();
  const missed = page.getByRole("region", { name: "Do not get it (1)" });
  await row(missed, "explain-careless").getByText("away", { exact: true }).waitFor();
  const reached = page.getByRole("region", { name: "Get it (3)" });
  await row(reached, "explain-there").waitFor();
  await row(reached, "$share/team/explain/#").getByRole("link", { name: "explain-member" }).waitFor();
  console.log("who gets it, and who does not");

  await page.getByLabel("QoS").selectOption("2");
  expect("told is only what was asked", (await missed.count()) === 0);
  await page.getByLabel("Received by").fill("explain-near");
  await page.getByRole("button", { name: "Explain", exact: true }).click();
  await page.getByText("explain/one/Value").waitFor();
  console.log("what comes nearest");
  await page.getByLabel("Received by").fill("");
  await page.getByLabel("Topic").fill("$SYS/x");
  await page.getByLabel("Published by").fill("explain-there");
  await page.getByRole("button", { name: "Explain", exact: true }).click();
  await page.getByText("not taken", { exact: true }).waitFor();
  console.log("refused to its publisher");

  const idle = await connect("explain-idle");
  await go(page, "client/explain-idle");
  await page.getByText("It has subscribed to nothing, so it gets nothing.").waitFor();
  console.log("what stands out");
  await Promise.all([there, near, member, idle].map((client) => client.endAsync()));
  for (const id of ["explain-away", "explain-careless"]) await api("DELETE", `sessions/${id}`);
}
