// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
// Which events the Events tab shows: by name, server and text.

import { lines } from "./copy.js";

/** @typedef {import("./copy.js").EventMessage} EventMessage */

/**
 * Return the patterns that a field of text names: words, parted by commas or spaces.
 *
 * @param {string} text
 */
export function patterns(text) {
  return text.split(/[\s,]+/).filter((word) => word !== "").slice(0, 64);
}

/**
 * Return what tells whether an event passes.
 *
 * @param {{names: string, server: string, text: string}} wanted names with `*`
 * @returns {(message: EventMessage) => boolean}
 */
export function filter({ names, server, text }) {
  const searches = patterns(names).map(search);
  const part = folded(text.trim());
  return (message) => {
    if (server && message.server !== server) return false;
    const name = String(message.event.Event || "");
    if (searches.length && !searches.some((one) => one.test(name))) return false;
    return part === "" || folded(`${message.server} ${values(message)}`).includes(part);
  };
}

/** @param {EventMessage} message */
function values(message) {
  return lines(message.event).map(([name, value]) => `${name}: ${value}`).join("\n");
}

/** A pattern, in any case. @param {string} pattern */
function search(pattern) {
  // One quantifier for any number of stars: else a pattern could make the search slow.
  const parts = pattern.split(/\*+/).map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "i");
}

/** @param {string} text */
function folded(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
