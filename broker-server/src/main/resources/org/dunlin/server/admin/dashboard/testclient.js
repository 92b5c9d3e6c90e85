// MQTT in the browser, through the admin port: a client like any other, with all rights unless it names a user.

import { ApiError } from "./api.js";

/** The library is large; it comes when it is needed first. */
const library = () => import("./lib/mqtt.js").then((module) => module.default);

const CONNECT_MILLISECONDS = 10_000;
const PAYLOAD_KEPT = 256 * 1024;
const KEEP_ALIVE_SECONDS = 30;

const name = () => `dashboard-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;

/** One connection. It does not come back by itself. */
export class TestClient {
  #client;

  constructor(client) {
    this.#client = client;
  }

  /**
   * Connects.
   *
   * @param kept bytes of each payload, at most; the rest is let go
   * @param onMessage takes {topic, payload (bytes), bytes (in all), qos, retain, properties, at}
   * @param onEnd is called with words once the connection has ended
   */
  static async connect({ user, password, clientId = name(), kept = PAYLOAD_KEPT }, onMessage, onEnd) {
    const mqtt = await library();
    const client = mqtt.connect(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/mqtt`, {
      protocolVersion: 5,
      clientId,
      username: user || undefined,
      password: user ? password : undefined,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: CONNECT_MILLISECONDS,
      keepalive: KEEP_ALIVE_SECONDS,
      timerVariant: "native",
    });
    let why = "The connection has ended.";
    client.on("message", (topic, payload, packet) =>
      onMessage({
        topic,
        // A copy, so that what the library has read is not kept with it.
        payload: Uint8Array.prototype.slice.call(payload, 0, kept),
        bytes: payload.length,
        qos: packet.qos,
        retain: packet.retain,
        properties: packet.properties ?? {},
        at: new Date().toISOString(),
      }),
    );
    client.on("disconnect", (packet) => (why = `The broker ended the connection: ${cause(packet)}`));
    await new Promise((resolve, reject) => {
      client.once("connect", resolve);
      client.on("error", (error) => {
        why = refusal(error);
        client.end(true);
        reject(new ApiError(0, why));
      });
      client.once("close", () =>
        reject(
          new ApiError(
            0,
            "No connection for MQTT came about: the broker is down, does not serve yet, or your login may only look.",
          ),
        ),
      );
    });
    client.on("close", () => onEnd(why));
    const made = new TestClient(client);
    made.clientId = clientId;
    return made;
  }

  get isConnected() {
    return this.#client.connected;
  }

  /** @returns the QoS that was granted */
  async subscribe(filter, qos) {
    const granted = await told(this.#client.subscribeAsync(filter, { qos }));
    const answer = granted[0]?.qos ?? 128;
    if (answer >= 128) throw new ApiError(0, `The broker did not grant it: ${REASONS[answer] ?? answer}.`);
    return answer;
  }

  async unsubscribe(filter) {
    await told(this.#client.unsubscribeAsync(filter));
  }

  /** Comes back when the broker has acknowledged it, by its QoS. */
  async publish(topic, payload, { qos, retain, properties }) {
    const answer = await told(this.#client.publishAsync(topic, payload, { qos, retain, properties }));
    return answer?.reasonCode === 16 ? "nobody has subscribed to it" : "";
  }

  end() {
    this.#client.end();
  }
}

const REASONS = {
  128: "unspecified error",
  131: "implementation specific error",
  133: "client identifier not valid",
  134: "bad user name or password",
  135: "not authorized",
  136: "server unavailable",
  137: "server busy",
  138: "banned",
  142: "session taken over",
  143: "topic filter invalid",
  144: "topic name invalid",
  145: "packet identifier in use",
  149: "packet too large",
  151: "quota exceeded",
  152: "administrative action",
  153: "payload format invalid",
  158: "shared subscriptions not supported",
  162: "wildcard subscriptions not supported",
};

const cause = (packet) =>
  packet.properties?.reasonString ?? REASONS[packet.reasonCode] ?? `reason ${packet.reasonCode}`;

const refusal = (error) =>
  error.code > 0
    ? `The broker refused the connection: ${REASONS[error.code] ?? error.message}.`
    : `No connection: ${error.message}`;

function told(promise) {
  return promise.catch((error) => {
    throw new ApiError(0, `The broker did not do it: ${REASONS[error.code] ?? error.message}.`);
  });
}

let standing = null;

/** The client of the page "Test client", which goes on while other pages are looked at; null if there is none. */
export const standingClient = () => standing;
export const stand = (client) => (standing = client);

/** Ends it, when nobody is logged in any more. */
export function disconnectTestClient() {
  standing?.end();
  standing = null;
}
