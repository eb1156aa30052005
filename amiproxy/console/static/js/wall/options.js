// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
// What the address of a wall asks for.  What cannot be read counts as not given: a wall has nobody
// who would read a complaint.

/** Seconds and percent from which a figure warns, and from which it is an alarm. */
const WARN = 60;
const ALARM = 120;
const LEVEL = 80;

/**
 * @typedef {object} Thresholds
 * @property {number} warn seconds that the longest wait may take
 * @property {number} alarm the same, for the alarm
 * @property {number} level percent below which the level warns
 *
 * @typedef {object} WallOptions
 * @property {string[]} queues in the order in which they are shown; none: all
 * @property {string[]} servers none: all
 * @property {boolean} numbers whether callers' numbers are shown
 * @property {boolean} sum whether queues of one name are one, whatever their server
 * @property {boolean} sound
 * @property {string} title
 * @property {(queue: string) => Thresholds} thresholds
 */

/**
 * @param {string} search `?queue=support&warn=60`
 * @returns {WallOptions}
 */
export function wallOptions(search) {
  const fields = new URLSearchParams(search);
  const words = (/** @type {string} */ name) =>
    fields.getAll(name).flatMap((value) => value.split(",")).map((word) => word.trim()).filter(Boolean);
  const limit = (/** @type {string} */ name, /** @type {string} */ queue, /** @type {number} */ usual) =>
    number(fields.get(`${name}.${queue}`)) ?? number(fields.get(name)) ?? usual;
  return {
    queues: words("queue"),
    servers: words("server"),
    numbers: fields.get("numbers") === "1",
    sum: fields.get("sum") === "1",
    sound: fields.get("sound") === "1",
    title: fields.get("title") || "",
    thresholds: (queue) => ({
      warn: limit("warn", queue, WARN),
      alarm: limit("alarm", queue, ALARM),
      level: limit("level", queue, LEVEL),
    }),
  };
}

/** @param {string | null} text */
function number(text) {
  return text !== null && /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : null;
}
