// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
// What may be sent, and how it is written: rules of the Action tab as functions of values.

import { HINTS } from "./hints.js";

/** Classes whose actions reach everything: such an action is confirmed by typing a name. */
const DANGEROUS = new Set(["system", "command", "config"]);

/**
 * @typedef {object} Known
 * @property {string} name
 * @property {string[]} classes of which one is needed in `write`; none: no class is needed
 * @property {string} about what the server says it does, ""
 * @property {boolean} reads
 */

/**
 * Return the actions that a server's answer to ListCommands tells; a table by name.
 *
 * @param {Record<string, unknown>} response header -> value, as in `response` of an answer
 * @returns {Known[]} sorted by name
 */
export function listed(response) {
  const found = [];
  for (const [name, told] of Object.entries(response)) {
    const said = /^(.*?)\s*\(Priv: ([^)]*)\)\s*$/.exec(String(told));
    if (!said) continue;
    const classes = said[2].split(",").map((word) => word.trim());
    found.push(known(name, classes.includes("<none>") ? [] : classes, said[1]));
  }
  return found.sort(byName);
}

/** Return the actions that are known without asking. @returns {Known[]} */
export function fromHints() {
  return [...HINTS.values()].map((hint) => known(hint.name, hint.classes, "")).sort(byName);
}

/** @param {string} name @param {string[]} classes @param {string} about @returns {Known} */
function known(name, classes, about) {
  const hint = HINTS.get(name.toLowerCase());
  return {
    name,
    about,
    classes: classes.filter((word) => word !== "all" && word !== "none"),
    reads: Boolean(hint && hint.reads),
  };
}

/** @param {Known} one @param {Known} other */
function byName(one, other) {
  return one.name.localeCompare(other.name, "en");
}

/**
 * Return the classes of which a user with *write* would need one; [] if the action may be sent.
 *
 * @param {Known} action
 * @param {string[]} write
 */
export function lacking(action, write) {
  if (write.includes("all") || action.classes.length === 0) return [];
  return action.classes.some((word) => write.includes(word)) ? [] : action.classes;
}

/**
 * Tell whether *action* wants to be confirmed: it changes something, and nothing but a class that
 * reaches everything permits it.
 *
 * @param {Known} action
 */
export function isDangerous(action) {
  const { classes, reads } = action;
  return !reads && classes.length > 0 && classes.every((word) => DANGEROUS.has(word));
}

/**
 * Return the lines as they go to Asterisk.
 *
 * @param {string} action
 * @param {[string, string][]} headers
 */
export function amiText(action, headers) {
  const lines = [["Action", action], ...headers].map(([name, value]) => `${name}: ${value}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/**
 * Return *headers* as JSON has them: a repeated one is an array.
 *
 * @param {[string, string][]} headers
 * @returns {Record<string, string | string[]>}
 */
export function asObject(headers) {
  /** @type {Record<string, string | string[]>} */
  const made = Object.create(null);
  for (const [name, value] of headers) {
    const key = Object.keys(made).find((each) => each.toLowerCase() === name.toLowerCase()) || name;
    const before = made[key];
    made[key] = before === undefined ? value : [...[before].flat(), value];
  }
  return made;
}

/** What keeps a header from being sent; "" if nothing does. @param {string} name @param {string} value */
export function complaint(name, value) {
  if (!/^[\w.()-]+$/.test(name)) return `"${name}" is no name of a header`;
  if (/[\r\n\0]/.test(value)) return `${name} must be one line`;
  if (/^(actionid|action)$/i.test(name)) return `${name} is set by the proxy`;
  return "";
}
