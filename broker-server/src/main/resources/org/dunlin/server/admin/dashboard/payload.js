// Payloads for people: text as text, JSON with line breaks, anything else as bytes.

import { el, hostile } from "./dom.js";
import { bytes as size } from "./format.js";

/** Of a payload that is shown in full. */
const SHOWN_BYTES = 64 * 1024;
const SHOWN_BYTES_IN_HEX = 1024;
const PER_LINE = 16;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** @returns bytes of what the REST interface says of a payload */
export function fromApi(message) {
  if (message.text !== null) return new TextEncoder().encode(message.text);
  return Uint8Array.from(atob(message.base64), (char) => char.charCodeAt(0));
}

function textOf(payload) {
  try {
    const text = utf8.decode(payload);
    return /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

/** On one line. */
export function brief(payload, most = 80) {
  if (payload.length === 0) return el("i", { class: "quiet" }, "empty");
  const text = textOf(payload.length > 4 * most ? cutCleanly(payload, 4 * most) : payload);
  return text === null ? el("span", { class: "quiet" }, `${size(payload.length)}, no text`) : hostile(text, { most });
}

/** Without the half of a character at the end. */
function cutCleanly(payload, end) {
  while (end > 0 && (payload[end] & 0xc0) === 0x80) end--;
  return payload.subarray(0, end);
}

/** As a block. */
export function inFull(payload) {
  const shown = payload.length > SHOWN_BYTES ? cutCleanly(payload, SHOWN_BYTES) : payload;
  const text = textOf(shown);
  if (payload.length === 0) return el("p", { class: "quiet" }, "Empty.");
  if (text === null) return el("pre", { tabindex: 0, "aria-label": "Payload in hexadecimal" }, hex(payload));
  return el("pre", { tabindex: 0, "aria-label": "Payload" }, hostile(pretty(text), { most: SHOWN_BYTES, lines: true }));
}

function pretty(text) {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function hex(payload) {
  const lines = [];
  for (let from = 0; from < Math.min(payload.length, SHOWN_BYTES_IN_HEX); from += PER_LINE) {
    const part = [...payload.subarray(from, from + PER_LINE)];
    const codes = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const chars = part.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${from.toString(16).padStart(4, "0")}  ${codes.padEnd(PER_LINE * 3)} ${chars}`);
  }
  if (payload.length > SHOWN_BYTES_IN_HEX) lines.push(`… ${payload.length} bytes in all`);
  return lines.join("\n");
}
