// Everything a program does with a broker, in the given version (4 or 5); prints one line for each thing that worked.
import mqtt from "mqtt";

const [port, version] = process.argv.slice(2);
const root = `js/tour/${version}`;
const open = (name, more = {}) =>
  mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
    protocolVersion: Number(version),
    clientId: `js-tour-${version}-${name}`,
    reconnectPeriod: 0,
    ...more,
  });
const next = (client, count = 1) =>
  new Promise((resolve) => {
    const got = [];
    const take = (topic, payload, packet) => {
      got.push({ topic, payload, packet });
      if (got.length === count) {
        client.off("message", take);
        resolve(got);
      }
    };
    client.on("message", take);
  });
const expect = (what, truth) => {
  if (!truth) throw new Error(`not so: ${what}`);
  console.log(what);
};

const publisher = await open("publisher");
const reader = await open("reader");

await publisher.publishAsync(`${root}/kept`, "value", { qos: 1, retain: true });
let arrived = next(reader);
await reader.subscribeAsync(`${root}/kept`, { qos: 1 });
let [{ payload, packet }] = await arrived;
expect("retained", payload.toString() === "value" && packet.retain);

const large = Buffer.alloc(256 * 1024, 7);
await reader.subscribeAsync(`${root}/large`, { qos: 2 });
arrived = next(reader);
await publisher.publishAsync(`${root}/large`, large, { qos: 2 });
[{ payload }] = await arrived;
expect("256 KB", large.equals(payload));

await reader.subscribeAsync(`${root}/many/#`, { qos: 1 });
arrived = next(reader, 2000);
await Promise.all(
  Array.from({ length: 2000 }, (_, i) => publisher.publishAsync(`${root}/many/${i}`, `${i}`, { qos: 1 })),
);
expect("2000 topics", new Set((await arrived).map((m) => m.topic)).size === 2000);

const mortal = await open("mortal", { will: { topic: `${root}/will`, payload: "gone", qos: 1, retain: false } });
await reader.subscribeAsync(`${root}/will`, { qos: 1 });
arrived = next(reader);
mortal.on("error", () => {});
mortal.stream.destroy();
[{ payload }] = await arrived;
expect("will", payload.toString() === "gone");

const kept = version === "5" ? { clean: false, properties: { sessionExpiryInterval: 60 } } : { clean: false };
const first = await open("session", kept);
await first.subscribeAsync(`${root}/session`, { qos: 2 });
await first.endAsync();
for (let i = 0; i < 50; i++) await publisher.publishAsync(`${root}/session`, `${i}`, { qos: 1 + (i % 2) });
const waiting = [];
const again = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
  protocolVersion: Number(version),
  clientId: `js-tour-${version}-session`,
  reconnectPeriod: 0,
  ...kept,
});
await new Promise((resolve) =>
  again.on("message", (_, body) => {
    if (waiting.push(body.toString()) === 50) resolve();
  }),
);
// MQTT.js hands a QoS 2 message over at its PUBREL, so each QoS has an order of its own here
const inOrder = (odd) =>
  waiting
    .map(Number)
    .filter((n) => n % 2 === odd)
    .every((n, i) => n === 2 * i + odd);
expect("session", inOrder(0) && inOrder(1));
await again.endAsync();

const members = [await open("member1"), await open("member2")];
const share = new Map();
let counted;
const all = new Promise((resolve) => (counted = resolve));
for (const member of members) {
  member.on("message", (_, body) => {
    share.set(body.toString(), (share.get(body.toString()) ?? 0) + 1);
    if (share.size === 100) counted();
  });
  await member.subscribeAsync(`$share/tour/${root}/shared`, { qos: 1 });
}
for (let i = 0; i < 100; i++) await publisher.publishAsync(`${root}/shared`, `${i}`, { qos: 1 });
await all;
expect("shared", [...share.values()].every((times) => times === 1));

if (version === "5") {
  await reader.subscribeAsync(`${root}/v5`, { qos: 1, properties: { subscriptionIdentifier: 77 } });
  arrived = next(reader);
  await publisher.publishAsync(`${root}/v5`, "m", {
    qos: 1,
    properties: {
      userProperties: { name: "value" },
      responseTopic: `${root}/answer`,
      correlationData: Buffer.from([0, 1]),
      contentType: "text/plain",
      messageExpiryInterval: 60,
    },
  });
  const { properties } = (await arrived)[0].packet;
  expect(
    "properties",
    properties.userProperties.name === "value" &&
      properties.responseTopic === `${root}/answer` &&
      properties.correlationData.equals(Buffer.from([0, 1])) &&
      properties.contentType === "text/plain" &&
      properties.messageExpiryInterval > 50 &&
      [properties.subscriptionIdentifier].flat().includes(77),
  );
}
await Promise.all([publisher, reader, ...members].map((client) => client.endAsync()));
