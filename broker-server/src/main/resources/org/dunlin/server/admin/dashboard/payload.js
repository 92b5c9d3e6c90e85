// Payloads for people: text as text, JSON with line breaks, anything else as bytes.

import { el, hostile } from "./dom.js";
import { bytes as size } from "./format.js";

/** Of a payload that is shown in full. */
const SHOWN_BYTES = 64 * 1024;
const SHOWN_BYTES_IN_HEX = 1024;
const PER_LINE = 16;

/** @returns bytes of what the REST interface says of a payload */
export function fromApi(message) {
  if (message.text !== null) return new TextEncoder().encode(message.text);
  return Uint8Array.from(atob(message.base64), (char) => char.charCodeAt(0));
}

/** Null if it is no text. @param cut whether the end may be the half of a character */
function textOf(payload, cut) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(payload, { stream: cut });
    return /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

/** On one line. */
export function brief(payload, most = 80) {
  if (payload.length === 0) return el("i", { class: "quiet" }, "empty");
  // a character has 4 bytes at most
  const text = textOf(payload.subarray(0, 4 * most), true);
  return text === null ? el("span", { class: "quiet" }, `${size(payload.length)}, no text`) : hostile(text, { most });
}

/** As a block. @param bytes that it has in all, if this is only the beginning of it */
export function inFull(payload, bytes = payload.length) {
  if (bytes === 0) return el("p", { class: "quiet" }, "Empty.");
  const shown = payload.subarray(0, SHOWN_BYTES);
  const isCut = bytes > shown.length;
  const text = textOf(shown, isCut);
  return [
    text === null
      ? el("pre", { tabindex: 0, "aria-label": "Payload in hexadecimal" }, hex(shown))
      : el("pre", { tabindex: 0, "aria-label": "Payload" }, hostile(pretty(text), { most: SHOWN_BYTES, lines: true })),
    isCut ? el("p", { class: "quiet" }, `This is the beginning of ${bytes} bytes.`) : null,
  ];
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
  if (payload.length > SHOWN_BYTES_IN_HEX) lines.push("…");
  return lines.join("\n");
}
