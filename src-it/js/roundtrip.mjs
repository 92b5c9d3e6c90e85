// Publishes to itself at each QoS in the given version (3, 4 or 5) and prints what comes back.
import mqtt from "mqtt";

const [port, version] = process.argv.slice(2);
const topic = `js/roundtrip/${version}`;
const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
  protocolVersion: Number(version),
  protocolId: version === "3" ? "MQIsdp" : "MQTT",
  clientId: `js-roundtrip-${version}`,
  reconnectPeriod: 0,
});
const arrived = new Promise((resolve) => {
  let count = 0;
  client.on("message", (from, payload, packet) => {
    console.log(`${from} ${payload} ${packet.qos}`);
    if (++count === 3) resolve();
  });
});
await client.subscribeAsync(topic, { qos: 2 });
for (const qos of [0, 1, 2]) {
  await client.publishAsync(topic, `message${qos}`, { qos });
}
await arrived;
await client.endAsync();
