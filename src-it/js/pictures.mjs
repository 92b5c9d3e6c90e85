// Something to look at, and pictures of it for docs/dashboard.md.
import { mkdirSync } from "node:fs";
import { NARROW, WIDE, api, at, connect, go, row } from "./browser.mjs";

/** Has packets shown by the page "Trace". */
export async function follow(page, client) {
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByText("running", { exact: true }).waitFor();
  const reading = JSON.stringify({ bar: 2.5, pump: "P-1", note: "a long one ".repeat(20) });
  for (let i = 0; i < 30; i++) await client.publishAsync(`plant/pump/${i}/pressure`, reading, { qos: i % 2 });
  await row(page, "plant/pump/29/pressure").first().waitFor();
}

/** Something to look at. */
export async function crowd() {
  const clients = [];
  for (let i = 1; i <= 12; i++) {
    const pump = await connect(`pump-${String(i).padStart(2, "0")}`);
    await pump.subscribeAsync(`plant/pump/${i}/set`, { qos: 1 });
    await pump.publishAsync(`plant/pump/${i}/state`, i % 4 === 0 ? "stopped" : "running", { qos: 1, retain: true });
    await pump.publishAsync(`plant/pump/${i}/pressure`, JSON.stringify({ bar: 2 + i / 10 }), {
      qos: 1,
      retain: true,
    });
    clients.push(pump);
  }
  for (const [id, filter] of [
    ["gateway-3", "orders/#"],
    ["packing-2", "orders/+/packed"],
    ["night-report", "plant/+/+/alarm"],
  ]) {
    const client = await connect(id, { clean: false, properties: { sessionExpiryInterval: 86400 } });
    await client.subscribeAsync(filter, { qos: 1 });
    await client.endAsync();
  }
  for (let i = 0; i < 40; i++) await clients[0].publishAsync(`orders/${i}`, `order ${i}`, { qos: 1 });
  for (let i = 0; i < 13; i++) await clients[0].publishAsync(`orders/${i}/packed`, "yes", { qos: 1 });
  for (let i = 1; i <= 4; i++) await clients[i].publishAsync(`plant/pump/${i}/alarm`, "dry", { qos: 1 });
  for (const [id, username] of [
    ["sensor-19", "sensors"],
    ["stranger", "mallory"],
  ]) {
    await connect(id, { username, password: "guess" }).catch(() => {});
  }
  return clients;
}

/** What goes on in a plant, so that charts have curves. @returns what ends it */
async function work() {
  const line = await connect("line-1");
  const archive = await connect("archive");
  await archive.subscribeAsync("plant/#", { qos: 0 });
  const wall = await connect("wall-display");
  for (let i = 0; i < 3; i++) await wall.subscribeAsync(`plant/line/${i}/speed`, { qos: 0 });
  const panel = await connect("panel-3", { properties: { maximumPacketSize: 400 } });
  await panel.subscribeAsync("plant/+/+/picture", { qos: 1 });
  const visitors = [];
  let n = 0;
  const beat = setInterval(async () => {
    n++;
    const at = n / 20; // seconds
    const messages = Math.round(6 + 4 * Math.sin(at / 9) + 1.5 * Math.sin(at / 2.3) + Math.random());
    for (let i = 0; i < messages; i++) {
      const speed = 50 + Math.round(30 * Math.sin(at / 3 + i));
      line.publish(`plant/line/${i}/speed`, JSON.stringify({ speed, unit: "m/min", order: 4711 + i }));
    }
    if (n % 50 === 0 && at % 60 > 35) line.publish("plant/line/1/picture", "x".repeat(1000), { qos: 1 });
    if (n % 60 === 0) {
      if (at % 90 < 50) visitors.push(await connect(`truck-${n / 60}`));
      else await visitors.shift()?.endAsync();
    }
  }, 50);
  return () => {
    clearInterval(beat);
    return Promise.all([line, archive, wall, panel, ...visitors].map((client) => client.endAsync(true)));
  };
}

/** Pictures for docs/dashboard.md. */
export async function take(page, pictures, size, scheme) {
  mkdirSync(pictures, { recursive: true });
  const shot = (file, of = page) => of.screenshot({ path: `${pictures}/${file}.png` });
  if (size === WIDE && scheme === "light") {
    const end = await work();
    await page.waitForTimeout(Number(process.env.PICTURE_SECONDS ?? 60) * 1000);
    for (const [file, look] of [
      ["overview", { size: { width: 1280, height: 1060 } }],
      ["overview-dark", { size: { width: 1280, height: 1060 }, scheme: "dark" }],
      ["overview-narrow", { size: { width: 360, height: 1060 } }],
    ]) {
      const overview = await at("", look);
      await overview.locator(".chart canvas").last().waitFor();
      await row(overview, "gateway-3").first().waitFor();
      await row(overview, "mallory").or(row(overview, "stranger")).first().waitFor();
      await shot(file, overview);
      await overview.context().close();
    }
    await end();
    await traced(shot);
    await explained(shot);
    await topicsAndMessages(page, shot);
  }
  if (size === WIDE && scheme === "dark") {
    await go(page, "clients");
    await row(page, "pump-01").waitFor();
    await page.getByRole("button", { name: "Disconnect pump-07" }).click();
    await shot("clients-dark");
    await page.keyboard.press("Escape");
  }
  if (size === NARROW && scheme === "light") {
    await go(page, "drops");
    await row(page, "stranger").first().waitFor();
    await shot("refusals-narrow");
  }
}

async function traced(shot) {
  const page = await at("trace?client=sensor-7", { size: { width: 1280, height: 1000 } });
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByText("Following sensor-7.").waitFor();
  const sensor = await connect("sensor-7", { keepalive: 60, properties: { receiveMaximum: 20 } });
  await sensor.subscribeAsync("plant/sensor/7/set", { qos: 1 });
  await sensor.publishAsync("plant/sensor/7/temperature", '{"celsius":21.5}', { qos: 1, retain: true });
  await sensor.publishAsync("plant/sensor/7/set", "faster", { qos: 1 });
  await sensor.endAsync();
  await page.getByText("closed").waitFor();
  await shot("trace", page);
  await page.context().close();
}

async function explained(shot) {
  const away = { clean: false, properties: { sessionExpiryInterval: 600 } };
  const panel = await connect("panel-3", { properties: { maximumPacketSize: 100 } });
  const workers = [await connect("worker-1"), await connect("worker-2")];
  const wall = await connect("wall-display");
  const archive = await connect("archive", away);
  const watch = await connect("watch", away);
  await panel.subscribeAsync("hall/#", { qos: 1 });
  await wall.subscribeAsync("hall/3/pressure", { qos: 0 });
  await archive.subscribeAsync("hall/+/pressure", { qos: 1 });
  await watch.subscribeAsync("hall/3/#", { qos: 0 });
  for (const worker of workers) await worker.subscribeAsync("$share/workers/hall/#", { qos: 1 });
  await Promise.all([archive.endAsync(), watch.endAsync()]);
  const page = await at("explain?topic=hall/3/pressure&qos=1", { size: { width: 1280, height: 980 } });
  await page.getByLabel("Payload bytes").fill("200");
  await page.getByRole("button", { name: "Explain", exact: true }).click();
  await page.getByText("not-its-turn").waitFor();
  await row(page, "too-large").waitFor();
  await shot("explain", page);
  await page.context().close();
  await Promise.all([panel, wall, ...workers].map((client) => client.endAsync()));
  for (const id of ["archive", "watch"]) await api("DELETE", `sessions/${id}`);
}

async function topicsAndMessages(page, shot) {
  await go(page, "topics");
  await page.getByRole("button", { name: "plant", exact: true }).click();
  await page.getByRole("button", { name: "pump", exact: true }).click();
  await page.getByRole("button", { name: "7", exact: true }).click();
  await page.getByRole("button", { name: "Show plant/pump/7/pressure" }).click();
  await page.getByText('"bar"').last().waitFor();
  await page.evaluate(() => scrollTo(0, 0));
  await shot("topics");
  await go(page, "test");
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  const subscribing = page.getByRole("form", { name: "Subscribe" });
  await subscribing.getByLabel("Topic filter").fill("plant/pump/+/state");
  await subscribing.getByRole("button", { name: "Subscribe" }).click();
  await row(page, "plant/pump/12/state").waitFor();
  await page.evaluate(() => scrollTo(0, 0));
  await shot("test-client");
}
