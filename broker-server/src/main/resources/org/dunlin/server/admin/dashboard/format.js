// Numbers and times for people.

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export const count = (value) => whole.format(value);

/** "1 session", "2 sessions" */
export const some = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

export function bytes(value) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  let size = value;
  while (Math.abs(size) >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${short.format(size)} ${units[unit]}`;
}

export const rate = (value) => short.format(value);

export function duration(seconds) {
  const parts = [
    [Math.floor(seconds / 86400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [Math.floor(seconds) % 60, "s"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(" ");
}

/** A point in time in the browser's zone: with seconds; the day only if it is not today. */
export function time(text) {
  const at = new Date(text);
  const clock = at.toLocaleTimeString("en-GB");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return at.toDateString() === new Date().toDateString() ? clock : `${day} ${clock}`;
}

const two = (value) => String(value).padStart(2, "0");

/** How long ago, or how long until. */
export function since(text) {
  return duration(Math.max(0, (Date.now() - new Date(text)) / 1000));
}

export function until(text) {
  return duration(Math.max(0, (new Date(text) - Date.now()) / 1000));
}
