// Publishes to itself over the URL, trusting the certificate in the file if one is named, and prints what comes back.
import { readFileSync } from "node:fs";
import mqtt from "mqtt";

const [, url, ca] = process.argv.slice(2);
const topic = `js/secure/${url}`;
const client = await mqtt.connectAsync(url, {
  protocolVersion: 5,
  clientId: `js-secure-${url}`,
  reconnectPeriod: 0,
  ...(ca ? { ca: readFileSync(ca) } : {}),
});
const arrived = new Promise((resolve) => {
  let count = 0;
  client.on("message", (from, payload, packet) => {
    console.log(`${payload.length} ${packet.qos}`);
    if (++count === 3) resolve();
  });
});
await client.subscribeAsync(topic, { qos: 2 });
for (const [qos, size] of [[0, 10], [1, 1000], [2, 300000]]) {
  await client.publishAsync(topic, "x".repeat(size), { qos });
}
await arrived;
await client.endAsync();
