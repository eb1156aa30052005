// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** Values as people read them.  Everything here returns text, and nothing of it is ever markup. */

/** What stands where nothing is known. */
export const UNKNOWN = "–";

/** Characters that cannot be seen, or that turn the text around them. */
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u00ad\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** @param {string} character */
function sign(character) {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return `\u2039U+${code.toString(16).toUpperCase().padStart(4, "0")}\u203a`;
}

/**
 * Text from outside: control characters and those that turn the direction become signs.
 * @param {any} value
 */
export function text(value) {
  if (value === null || value === undefined || value === "") return UNKNOWN;
  return String(value).replace(HIDDEN, sign);
}

/**
 * A length of time: `0:07`, `4:12`, `1:02:33`, `2 d 4 h`.
 * @param {number | null | undefined} seconds
 */
export function duration(seconds) {
  if (typeof seconds !== "number" || !isFinite(seconds)) return UNKNOWN;
  const whole = Math.max(0, Math.floor(seconds));
  const days = Math.floor(whole / 86400);
  const hours = Math.floor(whole / 3600) % 24;
  const minutes = Math.floor(whole / 60) % 60;
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours}:${two(minutes)}:${two(whole % 60)}`;
  return `${minutes}:${two(whole % 60)}`;
}

const TIME = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const MINUTE = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", hourCycle: "h23",
});
const FULL = new Intl.DateTimeFormat(undefined, {
  dateStyle: "full", timeStyle: "long", hourCycle: "h23",
});

/** @param {number | null | undefined} unix @param {boolean} [seconds] */
export function timeOfDay(unix, seconds = true) {
  if (typeof unix !== "number") return UNKNOWN;
  return (seconds ? TIME : MINUTE).format(unix * 1000);
}

/** Date, time and zone, for a tooltip. @param {number | null | undefined} unix */
export function fullTime(unix) {
  return typeof unix === "number" ? FULL.format(unix * 1000) : UNKNOWN;
}

/** A number with narrow blanks between thousands. @param {number | null | undefined} value */
export function number(value) {
  if (typeof value !== "number" || !isFinite(value)) return UNKNOWN;
  const digits = String(Math.round(Math.abs(value))).replace(/\B(?=(\d{3})+$)/g, "\u202f");
  return value < 0 ? `\u2212${digits}` : digits;
}

/** @param {number | null | undefined} part of 1 */
export function percent(part) {
  if (typeof part !== "number" || !isFinite(part)) return UNKNOWN;
  return `${Math.round(part * 100)}\u202f%`;
}

/** Bytes, in the next handy unit. @param {number | null | undefined} value */
export function bytes(value) {
  if (typeof value !== "number" || !isFinite(value)) return UNKNOWN;
  let amount = value;
  for (const unit of ["B", "KB", "MB", "GB"]) {
    if (amount < 1000 || unit === "GB") {
      return `${amount < 10 && unit !== "B" ? amount.toFixed(1) : Math.round(amount)}\u202f${unit}`;
    }
    amount /= 1000;
  }
  return UNKNOWN;
}

/** One of *n* things. @param {number} n @param {string} word @param {string} [many] */
export function count(n, word, many = `${word}s`) {
  return `${number(n)} ${n === 1 ? word : many}`;
}

/** How text is compared in a search: without case and accents. @param {any} value */
export function folded(value) {
  return String(value ?? "").normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
}

/** Order of names as people expect it: 9 before 10. */
export const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" }).compare;
