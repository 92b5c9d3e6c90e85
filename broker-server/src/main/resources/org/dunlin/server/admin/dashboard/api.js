// The broker's REST interface, which is described at /api/v1/openapi.json.

/** A request that was not carried out; its message is for people. */
export class ApiError extends Error {
  /** @param status of HTTP; 0 if there was no answer */
  constructor(status, message) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

/** Of a request; the broker refuses longer ones unread. Clients may have longer names, and publish to longer topics. */
const ADDRESS_MOST = 8000;

const listeners = new Set();

/** Calls back when the login has ended. */
export const onLoggedOut = (listener) => listeners.add(listener);

/** A segment of a path, for a template: path`clients/${id}/disconnect`. */
export function path(parts, ...values) {
  return parts.reduce((made, part, i) => made + segment(values[i - 1]) + part);
}

function segment(value) {
  // A browser takes these for steps in the path, however they are written.
  if (value === "." || value === "..") {
    throw new ApiError(0, `A browser cannot ask for something that is called "${value}"; use the command line: dunlin`);
  }
  return encodeURIComponent(value);
}

function query(parameters) {
  const said = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined);
  return said.length === 0 ? "" : `?${new URLSearchParams(said)}`;
}

async function ask(method, where, { parameters = {}, body, signal } = {}) {
  const address = `/api/v1/${where}${query(parameters)}`;
  if (address.length > ADDRESS_MOST) throw new ApiError(0, "This name is too long to be asked about.");
  try {
    return await fetch(address, {
      method,
      signal,
      credentials: "same-origin",
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The broker does not answer. It may be down, or starting, or the network is.");
  }
}

async function send(method, where, more) {
  const answer = await ask(method, where, more);
  const text = await answer.text().catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The broker's answer broke off. It may have been stopped.");
  });
  const said = parsed(text);
  if (answer.ok && said !== null) return said;
  if (answer.status === 401 && !(where === "login" && method === "POST")) listeners.forEach((listener) => listener());
  throw new ApiError(answer.status, reason(answer, said, text));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function reason(answer, said, text) {
  const isPlain = /^text\/plain/.test(answer.headers.get("content-type")); // what was no proper HTTP, or too long
  const why = said?.error ?? said?.status ?? (isPlain ? text.trim() : "");
  if (typeof why === "string" && why !== "") return why.charAt(0).toUpperCase() + why.slice(1);
  return answer.status === 503 ? "The broker is starting or stopping." : `The broker answered ${answer.status}.`;
}

/**
 * Follows Server-Sent Events until they end, the signal aborts or the connection breaks.
 *
 * @param onOpen is called when the broker has begun
 * @param onEvent takes the type of an event and its data, a text; what it throws ends it
 */
export async function follow(where, parameters, signal, onOpen, onEvent) {
  const answer = await ask("GET", where, { parameters, signal });
  if (!answer.ok) {
    if (answer.status === 401) listeners.forEach((listener) => listener());
    const text = await answer.text();
    throw new ApiError(answer.status, reason(answer, parsed(text), text));
  }
  onOpen();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read().catch((error) => {
      if (error.name === "AbortError") throw error;
      return { done: true };
    });
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const line = (name) => event.split("\n").find((each) => each.startsWith(`${name}: `));
      const data = line("data");
      if (data) onEvent((line("event") ?? "event: message").slice(7), data.slice(6));
    }
  }
}

/** Reads. @param parameters of the query; null and undefined ones are left out */
export const get = (where, parameters = {}, signal) => send("GET", where, { parameters, signal });
export const post = (where, body) => send("POST", where, { body });
export const put = (where, body) => send("PUT", where, { body });
export const remove = (where, parameters = {}) => send("DELETE", where, { parameters });

/** Whether an endpoint is not there, in an older broker. */
export const isMissing = (error) => error.name === "ApiError" && (error.status === 404 || error.status === 405);
