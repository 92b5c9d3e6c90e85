// Logs in with user name and password in the given version (4 or 5) and prints "in", or the code that it is refused with.
import mqtt from "mqtt";

const [port, version, username, password] = process.argv.slice(2);
try {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
    protocolVersion: Number(version),
    clientId: `js-login-${version}`,
    reconnectPeriod: 0,
    username,
    password,
  });
  console.log("in");
  await client.endAsync();
} catch (refused) {
  console.log(refused.code);
}
